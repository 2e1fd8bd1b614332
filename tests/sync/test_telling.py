"""A PC tells its hub how it does: only after a yes, once a day, and exactly what was shown before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.engine import price_once, sync_once
from sync.home import Home
from sync.machine_files import VARIABLE
from sync.protocol.telling import MOST
from sync.telling import TOLD, about, group_of, to_tell
from sync.transport import HttpTransport
from tests.programs import HubProgram, command
from tests.sync.test_members_reading import Shelf


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    with HubProgram(tmp_path_factory.mktemp("telling") / "hub").init() as made:
        made.do("publish")
        made.start()
        yield made


@pytest.fixture
def shelf(hub: HubProgram, tmp_path: Path, request: pytest.FixtureRequest) -> Shelf:
    shelf = Shelf(tmp_path / "shelf", hub).enrol(f"{request.node.name[:40]}@ministry.example".replace("_", "-"))
    assert shelf.sync().up_to_date
    return shelf


def known(hub: HubProgram, shelf: Shelf) -> dict[str, Any]:
    devices = hub.run("devices")["devices"]
    return next(one for one in devices if one["id"] == device_of(hub, shelf))


def device_of(hub: HubProgram, shelf: Shelf) -> str:
    newest = max(hub.run("devices")["devices"], key=lambda one: one["created"] + one["last_seen"])
    return str(newest["id"])


def test_nothing_is_told_before_somebody_said_yes(hub: HubProgram, shelf: Shelf) -> None:
    quiet = shelf.sync()
    assert known(hub, shelf)["told"] is None
    with shelf.home.own() as own:
        assert to_tell(shelf.home, own) is None
        assert own.setting(TOLD) is None
    shelf.set(usage_figures=True)
    loud = shelf.sync()
    told = known(hub, shelf)
    assert told["version"]
    assert told["system"]
    assert told["free_mb"] > 0
    assert loud.requests == quiet.requests, "it rides in a message that is sent in any case"
    assert 0 < loud.bytes_up - quiet.bytes_up < 200
    assert shelf.sync().bytes_up <= quiet.bytes_up, "once a day"


def test_what_is_told_is_what_was_shown(hub: HubProgram, shelf: Shelf) -> None:
    shown = command("hubshelf", "figures", home=shelf.home.path)
    assert (shown["allowed"], shown["told"]) == (False, None)
    shelf.set(usage_figures=True)
    shown = command("hubshelf", "figures", home=shelf.home.path)
    shelf.sync()
    with shelf.home.own() as own:
        told = own.setting(TOLD)["about"]
    assert {**told, "shelf_mb": 0} == {**shown["about"], "shelf_mb": 0}
    assert set(told) <= {"version", "system", "in_step", "failed", "free_mb", "shelf_mb"}
    assert len(json.dumps(told)) < MOST
    assert command("hubshelf", "figures", home=shelf.home.path)["told"]["about"] == told


def test_failures_are_counted_by_code_and_their_words_stay_here(hub: HubProgram, shelf: Shelf) -> None:
    shelf.set(usage_figures=True)
    shelf.sync()
    for _ in range(3):
        with HttpTransport("http://127.0.0.1:9") as nowhere:
            assert sync_once(shelf.home, nowhere).error is not None
    with shelf.home.own() as own:
        assert to_tell(shelf.home, own) is None
        tomorrow = datetime.now(UTC) + timedelta(hours=21)
        body = to_tell(shelf.home, own, tomorrow)
        assert body is not None
        assert body["failed"] == {"unreachable": 3}
        assert about(shelf.home, own).failed == {"unreachable": 3}


def test_a_price_tells_nothing(hub: HubProgram, shelf: Shelf) -> None:
    shelf.set(usage_figures=True)
    with HttpTransport(hub.url) as transport:
        price_once(shelf.home, transport)
    assert known(hub, shelf)["told"] is None


def test_who_takes_the_yes_back_is_forgotten(hub: HubProgram, shelf: Shelf) -> None:
    shelf.set(usage_figures=True).sync()
    assert known(hub, shelf)["told"]
    shelf.set(usage_figures=False).sync()
    forgotten = known(hub, shelf)
    assert (forgotten["told"], forgotten["version"], forgotten["free_mb"]) == (None, "", None)
    with shelf.home.own() as own:
        assert to_tell(shelf.home, own) is None


def test_an_administrator_may_forbid_it(
    hub: HubProgram, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.set(usage_figures=True)
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / "policies.json").write_text(json.dumps({"usage_figures": False}))
    monkeypatch.setenv(VARIABLE, str(machine))
    decided = Home(shelf.home.path)
    with decided.own() as own:
        assert to_tell(decided, own) is None


def test_a_pc_learns_its_group_at_its_next_sync(hub: HubProgram, shelf: Shelf) -> None:
    device = device_of(hub, shelf)
    assert hub.run("group", "pilot", device)["changed"] == 1
    shelf.sync()
    with shelf.home.own() as own:
        assert group_of(own) == "pilot"
    assert [one["id"] for one in hub.run("devices", "--group", "pilot")["devices"]] == [device]
    hub.run("group", "", device)
    shelf.sync()
    with shelf.home.own() as own:
        assert group_of(own) == ""
