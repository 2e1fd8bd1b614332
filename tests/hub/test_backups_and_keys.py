"""Backups, restores and key changes, by the commands that an administrator types."""

from __future__ import annotations

import stat
from pathlib import Path

from sync.protocol import VERSION, trust
from sync.protocol.head import verify_head
from tests.programs import HubProgram, write_records

RECORD = {"id": "r-1", "type": "resource", "title": "Water", "lang": "en"}


def test_a_backup_is_put_back_with_a_new_epoch(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    hub.run("import", write_records(tmp_path / "one.jsonl", [RECORD]))
    before = hub.run("publish")
    folder = Path(hub.run("backup", tmp_path / "copy")["folder"])
    hub.run("import", write_records(tmp_path / "two.jsonl", [{**RECORD, "id": "r-2", "title": "Rain"}]))
    later = hub.run("publish")
    assert hub.run("backup", tmp_path / "copy", expect=1)["error"]["code"] == "backup-problem"

    restored = hub.run("restore", folder)
    assert restored["epoch"] > before["epoch"]
    published = hub.run("publish")
    assert published["epoch"] == restored["epoch"]
    assert published["version"] > later["version"]
    assert len(list(hub.home.glob("db.sqlite3.before-*"))) >= 1
    again = hub.run("import", write_records(tmp_path / "two.jsonl", [{**RECORD, "id": "r-2", "title": "Rain"}]))
    assert again["created"] == 1


def test_restoring_nothing_changes_nothing(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    before = hub.run("publish")
    assert hub.run("restore", tmp_path / "nowhere", expect=1)["error"]["code"] == "backup-problem"
    assert hub.run("publish")["epoch"] == before["epoch"]


def test_a_new_head_key_is_vouched_for_by_the_root(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    hub.run("publish")
    first = trust.pin((hub.home / "served" / "root" / "1").read_bytes())
    assert hub.run("rotate-key")["root"] == 2
    hub.run("publish")
    second = trust.advance(first, (hub.home / "served" / "root" / "2").read_bytes())
    head = verify_head((hub.home / "served" / "head").read_bytes(), second, (0, 0), VERSION)
    assert head.root == 2
    for key in (hub.home / "keys").iterdir():
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_root_key_may_live_elsewhere_and_the_head_key_may_not(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    (hub.home / "keys" / "root.key").rename(tmp_path / "root.key")
    hub.init()
    hub.run("publish")
    assert not (hub.home / "keys" / "root.key").exists()
    assert hub.run("rotate-key", expect=1)["error"]["code"] == "keys-unusable"
    (hub.home / "keys" / "head.key").unlink()
    assert hub.run("publish", expect=1)["error"]["code"] == "keys-unusable"
    assert hub.run("init", expect=1)["error"]["code"] == "keys-unusable"


def test_a_restore_keeps_a_key_that_shelves_have_followed(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    hub.run("publish")
    hub.run("backup", tmp_path / "copy")
    hub.run("rotate-key")
    hub.run("publish")
    hub.run("restore", tmp_path / "copy")
    hub.run("publish")
    first = trust.pin((hub.home / "served" / "root" / "1").read_bytes())
    second = trust.advance(first, (hub.home / "served" / "root" / "2").read_bytes())
    assert verify_head((hub.home / "served" / "head").read_bytes(), second, (0, 0), VERSION).root == 2


def test_a_backup_makes_a_hub_on_an_empty_machine(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    hub.run("import", write_records(tmp_path / "one.jsonl", [RECORD]))
    hub.run("publish")
    hub.run("backup", tmp_path / "copy")
    other = HubProgram(tmp_path / "other").init(own_keys=True)
    for name in ("root.key", "head.key"):
        (other.home / "keys" / name).unlink()
    (other.home / "served" / "root" / "1").unlink()
    other.run("restore", tmp_path / "copy")
    assert other.run("publish")["version"] == 2
    assert (other.home / "served" / "root" / "1").read_bytes() == (hub.home / "served" / "root" / "1").read_bytes()


def test_what_members_attached_is_in_a_backup(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    kept = hub.home / "attachments" / "kept" / "ab" / "abcd"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a photograph")
    folder = Path(hub.run("backup", tmp_path / "copy")["folder"])
    kept.unlink()
    hub.run("restore", folder)
    assert kept.read_bytes() == b"a photograph"
    assert stat.S_IMODE((hub.home / "attachments").stat().st_mode) == 0o700
