"""The command line as people and scripts use it: a real process, a fresh home."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 120


class Hub:
    """One home and the program."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error::ResourceWarning", "-m", "hub", "--home", str(self.home)]
        return subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            env={**os.environ, **environment},
            check=False,
        )

    def json(self, *arguments: str | Path, code: int = 0, **environment: str) -> Any:
        done = self.run(*arguments, "--json", **environment)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    hub = Hub(tmp_path_factory.mktemp("cli") / "hub home")
    document = hub.json("init", "--email", "boss@hub.example")
    assert document["created"] is True
    assert document["facilitator"]["email"] == "boss@hub.example"
    assert len(document["facilitator"]["password"]) >= 12
    return hub


def test_init_is_safe_to_run_again_and_keeps_secrets_private(hub: Hub) -> None:
    secret = (hub.home / "secret_key").read_bytes()
    document = hub.json("init")
    assert (document["created"], document["facilitator"]) == (False, None)
    assert (hub.home / "secret_key").read_bytes() == secret
    if os.name == "posix":
        assert stat.S_IMODE((hub.home / "secret_key").stat().st_mode) == 0o600
        assert stat.S_IMODE((hub.home / "keys").stat().st_mode) == 0o700


def test_init_refuses_a_weak_password(hub: Hub) -> None:
    error = hub.json("init", "--email", "other@hub.example", "--password", "12345", code=1)["error"]
    assert error["code"] == "invalid-input"


def test_import_export_publish(hub: Hub, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"id":"cli-1","type":"resource","title":"One","lang":"en"}\nnot json\n', encoding="utf-8")
    report = hub.json("import", source)
    assert {key: report[key] for key in ("read", "created", "updated", "unchanged", "deleted")} == {
        "read": 2, "created": 1, "updated": 0, "unchanged": 0, "deleted": 0,
    }  # fmt: skip
    assert [entry.keys() for entry in report["rejected"]] == [{"file", "where", "reason"}]
    assert "0 new, 0 changed, 1 as before" in hub.run("import", source).stdout
    assert hub.json("export", tmp_path / "out.jsonl")["records"] >= 1
    assert '"cli-1"' in (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert hub.json("publish")["put"] > 0
    assert hub.json("publish")["put"] == 0


def test_json_may_stand_before_the_command(hub: Hub) -> None:
    done = hub.run("--json", "questions")
    assert json.loads(done.stdout) == {"questions": []}


def test_import_fails_in_words_when_nothing_came_in(hub: Hub, tmp_path: Path) -> None:
    document = hub.json("import", tmp_path / "none.csv", code=1)
    assert document["rejected"][0]["reason"] == "there is no such file"
    assert document["error"]["code"] == "nothing-imported"
    wrong = hub.json("import", tmp_path / "none.csv", "--map", "colour=Red", code=1)
    assert wrong["error"]["code"] == "invalid-input"


def test_invite_devices_revoke(hub: Hub) -> None:
    code = hub.json("invite", "officer@ministry.example", "--name", "Amina")["code"]
    assert [len(part) for part in code.split("-")] == [4, 4, 4]
    assert hub.json("invite", "nobody", code=1)["error"]["code"] == "invalid-input"
    assert hub.json("devices") == {"devices": []}
    assert hub.json("revoke", "nothing", code=1)["error"]["code"] == "not-found"


def test_questions_and_replies(hub: Hub, tmp_path: Path) -> None:
    make = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'hub.settings'\n"
        "import django; django.setup()\n"
        "from hub.models import Member, Request\n"
        "member, _ = Member.objects.get_or_create(email='asker@ministry.example')\n"
        "Request.objects.create(id='q-1', member=member, title='How?', body='Tell me.', anonymous=True)\n"
    )
    environment = {**os.environ, "HUBSHELF_HUB_HOME": str(hub.home)}
    subprocess.run([sys.executable, "-c", make], env=environment, check=True, timeout=TIMEOUT)
    (question,) = hub.json("questions")["questions"]
    assert (question["id"], question["title"], question["body"], question["state"]) == (
        "q-1", "How?", "Tell me.", "submitted",
    )  # fmt: skip
    assert question["asked_by"] is None
    answer = tmp_path / "answer.txt"
    answer.write_text("Like this.", encoding="utf-8-sig")
    assert hub.json("reply", "q-1", "--body-file", answer)["state"] == "delivered"
    assert hub.json("questions")["questions"][0]["state"] == "delivered"
    answer.write_bytes(b"\xff\xfe\xe9")
    assert hub.json("reply", "q-1", "--body-file", answer, code=1)["error"]["code"] == "invalid-input"
    assert hub.json("reply", "q-2", "--body-file", tmp_path / "none", code=2)["error"]["code"] == "usage"


def test_wrong_usage_is_2_and_an_unknown_home_is_said(hub: Hub, tmp_path: Path) -> None:
    assert hub.run("nonsense").returncode == 2
    assert hub.json("nonsense", code=2)["error"]["code"] == "usage"
    elsewhere = Hub(tmp_path / "nothing here")
    assert elsewhere.json("questions", code=1)["error"]["code"] == "not-initialised"
    done = elsewhere.run("questions")
    assert (done.returncode, done.stdout) == (1, "")
    assert "hubshelf-hub init" in done.stderr
    assert not elsewhere.home.exists()


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert Hub(tmp_path / "file" / "hub").json("init", code=1)["error"]["code"] == "home-unusable"


def test_a_damaged_database_and_a_bad_address_are_said(tmp_path: Path, hub: Hub) -> None:
    broken = Hub(tmp_path / "hub")
    broken.home.mkdir()
    (broken.home / "secret_key").write_text("x" * 50)
    (broken.home / "db.sqlite3").write_bytes(b"SQLite format 3\x00" + b"\x55" * 5000)
    assert broken.json("questions", code=1)["error"]["code"] == "database-unusable"
    assert hub.json("questions", code=1, DATABASE_URL="nonsense")["error"]["code"] == "invalid-input"


def test_a_hub_that_nobody_can_reach_by_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.serving import unreachable_names

    monkeypatch.delenv("HUBSHELF_HUB_HOSTS", raising=False)
    assert "HUBSHELF_HUB_HOSTS" in unreachable_names("0.0.0.0")
    assert unreachable_names("127.0.0.1") == ""
    monkeypatch.setenv("HUBSHELF_HUB_HOSTS", "hub.example.org")
    assert unreachable_names("0.0.0.0") == ""


def test_mirrors_are_named_in_the_signed_head_and_taken_back(hub: Hub) -> None:
    named = hub.json("mirrors", "https://mirror.example.org/hub/", "http://cache.office.example")["mirrors"]
    assert named == ["https://mirror.example.org/hub", "http://cache.office.example"]
    assert hub.json("mirrors")["mirrors"] == named
    hub.json("publish")
    assert json.loads((hub.home / "served" / "head").read_text().splitlines()[0])["mirrors"] == named
    assert hub.run("mirrors", "ftp://nowhere").returncode == 2
    assert hub.json("mirrors", "--none")["mirrors"] == []
    hub.json("publish")
    assert "mirrors" not in json.loads((hub.home / "served" / "head").read_text().splitlines()[0])
