"""Damage, copies and backups of the one store that nothing else can replace."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources_cache.own import Own


def test_a_damaged_store_is_kept_and_the_last_good_backup_restored(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with Own(path) as own:
        own.set_setting("name", "Ada")
        item = own.outbox.add("ask", "T", {})
        first = own.backup()
        epoch = own.device().epoch
        own.set_setting("name", "later")
        second = own.backup()
    second.write_bytes(b"damaged as well" * 300)
    damage = b"no database any more" * 300
    path.write_bytes(damage)
    with Own(path) as own:
        assert own.recovered is not None
        assert "restored" in own.recovered
        assert own.setting("name") == "Ada"
        begun = own.device().epoch
        assert begun > epoch
        renumbered = own.outbox.item(item.id)
        assert (renumbered.epoch, renumbered.counter) == (begun, 1)
    (aside,) = (p for p in tmp_path.glob("own.db.damaged-*") if p.suffix not in ("-wal", "-shm"))
    assert aside.read_bytes() == damage
    assert first.exists()
    with Own(path) as own:
        assert own.recovered is None
        assert own.device().epoch == begun


def test_damage_inside_the_file_is_noticed_at_opening(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with Own(path) as own:
        for n in range(200):
            own.save_draft(f"d{n}", {"text": "x" * 400})
        own.backup()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(16_384))
    with Own(path) as own:
        assert own.recovered is not None
        assert len(own.drafts()) == 200


def test_without_a_backup_a_new_store_is_begun_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    path.write_bytes(b"x" * 5000)
    with Own(path) as own:
        assert own.recovered is not None
        assert "no good backup" in own.recovered
        assert own.outbox.items() == []
    assert len(list(tmp_path.glob("own.db.damaged-*"))) == 1


def test_a_copied_store_begins_a_new_device_epoch(tmp_path: Path) -> None:
    with Own(tmp_path / "one" / "own.db") as own:
        own.outbox.add("ask", "T", {})
        device = own.device()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with Own(tmp_path / "two" / "own.db") as copy:
        assert copy.device().id == device.id
        assert copy.device().epoch > device.epoch
    with Own(tmp_path / "one" / "own.db") as own:
        assert own.device() == device
    (tmp_path / "one").rename(tmp_path / "renamed")
    with Own(tmp_path / "renamed" / "own.db") as own:
        assert own.device() == device  # the same file under another name is no copy


def test_a_store_put_back_in_place_begins_a_new_device_epoch(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with Own(path) as own:
        device = own.device()
        own.outbox.add("ask", "early", {})
        earlier = own.backup()
        later = own.outbox.add("ask", "later", {})
        own.outbox.begin_sending([later.id])
    path.write_bytes(earlier.read_bytes())  # the same file to the system, only its content went back
    with Own(path) as own:
        assert own.device().epoch > device.epoch
        (item,) = own.outbox.items()
        assert (item.epoch, item.counter) == (own.device().epoch, 1)


def test_backups_are_thinned_but_the_last_ones_and_strangers_stay(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    now = datetime.now(UTC)
    for hours in (1, 2, 25, 26, 27, 49, 24 * 20, 24 * 20 + 1, 24 * 100):
        stamp = (now - timedelta(hours=hours)).strftime("%Y%m%dT%H%M%S.%fZ")
        (folder / f"own-{stamp}.db").write_bytes(b"")
    (folder / "own-by-hand.db").write_bytes(b"")
    with Own(tmp_path / "own.db") as own:
        newest = own.backup()
        assert own.backup_if_due(24) is None
        os.utime(newest, (0, 0))
        assert not list(folder.glob("*.part"))
    left = sorted(folder.glob("own-2*.db"), reverse=True)
    made = [datetime.strptime(p.stem, "own-%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC) for p in left]
    ages = [round((now - when).total_seconds() / 3600) for when in made]
    assert ages[:3] == [0, 1, 2]
    assert 24 * 100 not in ages
    assert 24 * 20 in ages
    assert len(ages) < 10
    assert (folder / "own-by-hand.db").exists()


def test_the_doctor_tells_a_damaged_backup_and_refused_items(tmp_path: Path) -> None:
    with Own(tmp_path / "own.db") as own:
        backup = own.backup()
        assert all(check.ok for check in own.check())
        backup.write_bytes(b"x" * 5000)
        item = own.outbox.add("ask", "T", {})
        own.outbox.begin_sending([item.id])
        own.outbox.set_aside(item.id, {"title": "no"})
        found = {check.name: check for check in own.check() if not check.ok}
    assert set(found) == {"backups", "outbox"}
    assert all(check.advice for check in found.values())


def test_several_threads_open_and_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    problems: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for n in range(5):
                with Own(path) as own:
                    own.outbox.add("ask", f"{name}-{n}", {})
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with Own(path) as own:
        assert own.device().epoch == 1
        assert sorted(i.counter for i in own.outbox.items()) == list(range(1, 21))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_in_words(tmp_path: Path) -> None:
    from resources_cache.errors import StoreUnwritable

    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreUnwritable):
            Own(tmp_path / "own.db")
    finally:
        tmp_path.chmod(0o700)
