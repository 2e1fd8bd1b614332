"""A hub put back to yesterday: shelves keep nothing that it forgot and lose nothing that it had acknowledged."""

from __future__ import annotations

from pathlib import Path

from tests.faults.bad_link import Fault, bad_link
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, write_records


def test_a_restored_hub_and_its_shelves_agree_again(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    before = shelf.ask("Asked before the backup?")
    shelf.sync(hub.url)
    hub.do("backup", folder=str(tmp_path / "backup"))

    new = {"id": "n-1", "type": "resource", "title": "Zebra crossings", "lang": "en"}
    hub.do("import", file=str(write_records(tmp_path / "new.jsonl", [new])))
    hub.do("edit", id="r-0001", title="Edited after the backup")
    hub.do("withdraw", id="r-0002")
    hub.do("publish")
    after = shelf.ask("Acknowledged after the backup?")
    shelf.sync(hub.url)
    agree(shelf, hub)
    assert shelf.search("zebra") == ["n-1"]
    assert shelf.states() == {before: "received", after: "received"}

    hub.stop()
    hub.do("restore", folder=str(tmp_path / "backup"))
    hub.rest()
    hub.do("publish")
    hub.start()
    assert set(hub.do("requests")) == {before}, "the backup does not know the second question"
    shelf.sync_until_in_step(hub.url, 2)
    agree(shelf, hub)
    assert "n-1" not in shelf.titles()
    assert shelf.search("zebra") == []
    assert shelf.titles()["r-0001"] != "Edited after the backup"
    assert "r-0002" in shelf.titles()
    assert set(hub.do("requests")) == {before, after}
    assert shelf.states() == {before: "received", after: "received"}


def test_a_reader_in_the_middle_of_a_snapshot_follows_a_restore(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    hub.do("backup", folder=str(tmp_path / "with-device"))
    with bad_link(hub.port) as link:
        link.next_faults = [Fault("cut", 9000)]
        shelf.sync(link.url)
    hub.stop()
    hub.do("restore", folder=str(tmp_path / "with-device"))
    hub.rest()
    hub.do("withdraw", id="r-0003")
    hub.do("publish")
    hub.start()
    shelf.sync_until_in_step(hub.url, 3)
    agree(shelf, hub)
    assert "r-0003" not in shelf.titles()
