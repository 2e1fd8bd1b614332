"""What an administrator decided: believed where it is right and theirs, reported where it is not, never fatal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.errors import SettingLocked
from sync.home import Home, default_home, require_allowed
from sync.machine_files import VARIABLE, machine_folder
from sync.manners import Manners
from sync.neighbours.giving import SHARING, shares
from sync.policies import MOST, Policies, decisions, may_send_usage_figures, policies, read_policies
from sync.policy_keys import BY_NAME, KEYS, schema
from tests.programs import ROOT

GOOD: Mapping[str, Any] = {
    "hub_url": "https://hub.example.org",
    "hub_key": "0f" * 32,
    "site_code": "ABCD-EFGH-JKMN",
    "proxy_mode": "manual",
    "proxy_url": "http://proxy.example:3128",
    "ca_bundle": "/etc/ssl/office.pem",
    "shelf_folder": "~/Hubshelf",
    "files_quota_mb": 500,
    "daily_limit_kb": 500,
    "allowed_hours": ["20:00-06:00", "12:00-13:00"],
    "low_data": True,
    "lan_sharing": False,
    "machine_library_mb": 4000,
    "languages": ["fr", "pt-BR"],
    "interface_language": "fr",
    "updates": False,
    "update_source": "https://updates.ministry.example/hubshelf",
    "usage_figures": False,
}
"""A right value for every key."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the machine's."""
    folder = tmp_path / "machine"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def written(folder: Path, content: object, name: str = "policies.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(0o644)
    return path


def test_nothing_is_decided_where_there_is_no_file(machine: Path) -> None:
    assert policies() == Policies()
    assert [row.origin for row in decisions(policies(), {})] == ["built-in"] * len(KEYS)


def test_the_table_and_these_tests_know_the_same_keys() -> None:
    assert list(GOOD) == [key.name for key in KEYS]


def test_locked_comes_before_yours_before_the_default_before_what_is_built_in(machine: Path) -> None:
    def held() -> tuple[object, str]:
        with Home(machine.parent / "home").own() as own:
            limit = own.setting("daily_limit")
            row = next(r for r in decisions(policies(), own.settings()) if r.key.name == "daily_limit_kb")
        return limit, row.origin

    assert held() == (None, "built-in")
    written(machine, {"daily_limit_kb": 900}, "defaults.json")
    assert held() == (900_000, "default")
    with Home(machine.parent / "home").own() as own:
        own.set_setting("daily_limit", 300_000)
    assert held() == (300_000, "yours")
    written(machine, {"daily_limit_kb": 50})
    assert held() == (50_000, "locked")
    with Home(machine.parent / "home").own() as own, pytest.raises(SettingLocked):
        own.set_setting("daily_limit", 0)
    (machine / "policies.json").unlink()
    assert held() == (300_000, "yours")


def test_each_has_its_effect_where_the_setting_is_used(machine: Path) -> None:
    decided = {name: GOOD[name] for name in ("files_quota_mb", "daily_limit_kb", "allowed_hours", "low_data")}
    written(machine, {**decided, "lan_sharing": True, "languages": ["fr"], "proxy_mode": "none"})
    home = Home(machine.parent / "home")
    assert home.files().quota_bytes == 500_000_000
    with home.own() as own:
        manners = Manners.of(own)
        assert (manners.left_today, manners.binding, manners.low_data) == (500_000, True, True)
        assert manners.hours == ((1200, 360), (720, 780))
        assert shares(own) is True
        assert own.setting("languages") == ["fr"]
    assert home.network().proxies("https://hub.example.org") == {}


def test_a_person_decides_sharing_where_nobody_else_did(machine: Path) -> None:
    with Home(machine.parent / "home").own() as own:
        own.set_setting(SHARING, True)
        assert shares(own)
    written(machine, {"lan_sharing": False})
    with Home(machine.parent / "home").own() as own:
        assert not shares(own)


def test_the_shelf_is_where_it_was_decided(machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HUBSHELF_HOME", raising=False)
    monkeypatch.setenv("WHERE", str(tmp_path / "other"))
    written(machine, {"shelf_folder": "$WHERE/shelf"})
    assert default_home() == tmp_path / "other" / "shelf"
    require_allowed(default_home())
    with pytest.raises(SettingLocked):
        require_allowed(tmp_path / "mine")
    written(machine, {"shelf_folder": "$UNKNOWN/shelf"})
    assert "no whole path" in policies().problems[0]
    require_allowed(tmp_path / "mine")


def test_a_hub_that_moved_is_followed_by_who_joined_it(machine: Path) -> None:
    home = machine.parent / "home"
    written(machine, {"hub_url": "https://new.example/"})
    assert Home(home).hub_url is None  # a shelf belongs to a hub once it has joined it
    with Home(home, Policies()).own() as own:
        own.set_setting("hub_url", "https://old.example")
    assert Home(home).hub_url == "https://new.example"
    assert Home(home, Policies()).hub_url == "https://old.example"


def test_what_is_wrong_is_reported_and_the_rest_is_in_force(machine: Path) -> None:
    written(machine, {"lan_sharing": True, "colour": "red", "daily_limit_kb": "much", "low_data": 1})
    found = policies()
    assert set(found.locked) == {"lan_sharing"}
    assert [words.split("”")[0] for words in found.problems] == ["“colour", "“daily_limit_kb", "“low_data"]
    assert "whole number from 0" in found.problems[1]


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"proxy_mode": "manual"}, "proxy_mode"),
        ({"hub_url": "http://hub.example.org"}, "hub_url"),
        ({"hub_url": "https://name:word@hub.example"}, "hub_url"),
        ({"ca_bundle": "/nowhere/at/all.pem"}, "ca_bundle"),
        ({"shelf_folder": "%NOWHERE_AT_ALL%/x"}, "shelf_folder"),
        ({"allowed_hours": ["25:00-06:00"]}, "allowed_hours"),
        ({"languages": []}, "languages"),
        ({"site_code": "ABCD"}, "site_code"),
        ({"daily_limit_kb": True}, "daily_limit_kb"),
    ],
)
def test_what_makes_no_sense_is_not_in_force(machine: Path, wrong: dict[str, Any], key: str) -> None:
    written(machine, wrong)
    assert key not in policies().locked
    assert len(policies().problems) == 1
    assert key in policies().problems[0]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"null", b"[" * 100_000, b"\xff\xfe", b" " * (MOST + 1)])
def test_a_file_that_cannot_be_read_decides_nothing(machine: Path, text: bytes) -> None:
    written(machine, text)
    assert policies().locked == {}
    assert len(policies().problems) == 1


def test_a_folder_in_its_place_is_reported(machine: Path) -> None:
    (machine / "policies.json").mkdir()
    assert policies().problems


def test_a_pipe_in_its_place_stops_nobody(machine: Path) -> None:
    os.mkfifo(machine / "policies.json")
    assert "no file" in policies().problems[0]


def test_problems_are_bounded(machine: Path) -> None:
    written(machine, {f"key{n}": n for n in range(2_000)})
    assert len(policies().problems) == 40


def test_what_comes_later_is_read_by_who_will_need_it(machine: Path) -> None:
    assert policies().value("updates") is True
    assert not may_send_usage_figures(policies(), {})
    assert may_send_usage_figures(policies(), {"usage_figures": True})
    written(machine, {"updates": False, "update_source": GOOD["update_source"], "usage_figures": False})
    assert policies().value("updates") is False
    assert not may_send_usage_figures(policies(), {"usage_figures": True})


@given(st.sampled_from([key.name for key in KEYS]), st.data())
def test_the_schema_and_the_program_agree(name: str, data: st.DataObject) -> None:
    strange = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=20)
        | st.lists(st.text(max_size=8), max_size=3)
    )
    value = data.draw(st.sampled_from(list(GOOD.values())) | strange)
    says = jsonschema_rs.Draft202012Validator(schema()).is_valid({name: value})
    assert says == BY_NAME[name].kind.accepts(value), (name, value)


def test_a_right_file_satisfies_the_schema_and_the_program(tmp_path: Path) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema())
    assert validator.is_valid({"$schema": "policies.schema.json", **GOOD})
    assert not validator.is_valid({"colour": "red"})
    written(tmp_path, {"$schema": "policies.schema.json", **GOOD})
    os.environ[VARIABLE] = str(tmp_path)
    try:
        found = read_policies(tmp_path)
    finally:
        del os.environ[VARIABLE]
    assert {name: value for name, (value, _where) in found.locked.items()} == GOOD
    assert found.problems == []


def test_what_is_made_from_the_table_is_as_it_would_be() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "packaging" / "policy_files.py", "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr + "Run: make policy-files"


def test_the_usual_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if sys.platform != "win32":
        assert machine_folder() == Path("/etc/hubshelf")
