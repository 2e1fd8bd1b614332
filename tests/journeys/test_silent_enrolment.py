"""A PC that an IT team prepared: it joins its hub by itself, a person says who they are, the team approves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Application, background_engine
from desktop.pages.first_run import FirstRunPage
from desktop.pages.sync import SyncPage
from desktop.preferences import Preferences
from desktop.words import use_language
from resources_cache.library import Library
from sync.background import BackgroundSync, SyncFinished
from sync.engine import sync_once
from sync.errors import HubProblem, OtherHub, SyncError
from sync.home import Home
from sync.joining import NoSiteCode, is_unknown, join_site
from sync.machine_files import VARIABLE
from sync.report import SyncReport
from tests.faults.bad_link import Fault, bad_link
from tests.journeys.test_main_job import RECORDS
from tests.journeys.test_window import Person
from tests.programs import HubProgram, ShelfProgram, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("silent")
    with HubProgram(folder / "hub").init() as hub:
        hub.run("import", write_records(folder / "records.jsonl", RECORDS))
        hub.do("discuss", id="t-members", title="Among ourselves", visibility="members", messages=["In trust."])
        hub.run("publish")
        hub.start()
        yield hub


@pytest.fixture
def decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes policies.json of a folder that stands for the machine's."""
    folder = tmp_path / "machine"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv(VARIABLE, str(folder))

    def write(**keys: object) -> None:
        (folder / "policies.json").write_text(json.dumps(keys))
        (folder / "policies.json").chmod(0o644)

    return write


def site_code(hub: HubProgram, uses: int = 10) -> dict[str, Any]:
    made: dict[str, Any] = hub.do("site-code", uses=uses)
    return made


def taken(hub: HubProgram, code: dict[str, Any]) -> int:
    return int(hub.do("taken", id=code["id"]))


def join_and_sync(home: Path) -> SyncReport:
    """What `hubshelf sync` does on a PC that joins by itself."""
    shelf = Home(home)
    join_site(shelf, "Room 12")
    with closing(shelf.connect(shelf.hub_url)) as transport:
        return sync_once(shelf, transport)


def test_a_script_lets_a_pc_join_and_its_person_becomes_a_member(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    code = hub.run("site-code", "create", "--uses", "10", "--expires", "2099-06-30", "--note", "Annex")
    decide(hub_url=hub.url, site_code=code["code"], hub_key=code["hub_key"], languages=["en"])
    shelf = ShelfProgram(tmp_path / "shelf")
    shelf.run("enrol", "--site")
    assert shelf.run("sync")["up_to_date"]
    wrong = shelf.run("introduce", "--name", "Amina", "--email", "nobody", expect=1)["error"]
    assert wrong["code"] == "not-an-address"
    shelf.run("introduce", "--name", "Amina Wanjiru", "--email", "amina@ministry.example")
    assert shelf.run("sync")["operations_sent"] == 1
    (joining,) = hub.run("joining")["joining"]
    assert (joining["name"], joining["email"], joining["site"]) == (
        "Amina Wanjiru",
        "amina@ministry.example",
        "Annex",
    )
    assert [one["used"] for one in hub.run("site-code", "list")["site_codes"] if one["id"] == code["id"]] == [1]

    def for_members() -> list[str]:
        with Library(shelf.home / "library.db") as library:
            assert library.counts()["resource"] > 0
            return [name for name in library.cursors() if name.startswith("members")]

    assert for_members() == []
    hub.run("approve", joining["id"])
    assert join_and_sync(shelf.home).up_to_date
    assert for_members(), "what is for members comes once they are one"
    with Home(shelf.home).own() as own:
        assert own.setting("joining") is False


def test_the_first_sync_of_a_script_joins_while_there_are_places(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    code = site_code(hub, 1)
    decide(hub_url=hub.url, site_code=code["code"])
    assert ShelfProgram(tmp_path / "a").run("sync")["up_to_date"]
    with pytest.raises(HubProblem, match="taken"):
        join_and_sync(tmp_path / "b")
    hub.do("revoke-site-code", id=code["id"])
    with pytest.raises(HubProblem, match="taken back"):
        join_and_sync(tmp_path / "b")
    assert join_and_sync(tmp_path / "a").up_to_date, "who is in stays in"


def test_an_administrators_limit_holds_for_a_script_too(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    code = site_code(hub, 1)
    decide(hub_url=hub.url, site_code=code["code"], daily_limit_kb=2)
    stopped = ShelfProgram(tmp_path / "a").run("sync", expect=1)
    assert stopped["error"]["code"] == "budget-reached"
    assert stopped["bytes_down"] + stopped["bytes_up"] <= 2_000


def test_another_hub_at_the_address_learns_no_code(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    code = site_code(hub, 1)
    decide(hub_url=hub.url, site_code=code["code"], hub_key="0" * 64)
    with pytest.raises(OtherHub):
        join_site(Home(tmp_path / "a"), "Room 12")
    assert taken(hub, code) == 0


def test_without_a_decision_there_is_nothing_to_join_with(decide: Callable[..., None], tmp_path: Path) -> None:
    decide()
    with pytest.raises(NoSiteCode):
        join_site(Home(tmp_path / "a"), "Room 12")
    assert ShelfProgram(tmp_path / "a").run("enrol", expect=2)["error"]["code"] == "usage"


def test_a_lost_answer_takes_no_second_place(hub: HubProgram, decide: Callable[..., None], tmp_path: Path) -> None:
    code = site_code(hub, 5)
    with bad_link(hub.port) as link:
        decide(hub_url=f"http://127.0.0.1:{link.port}", site_code=code["code"])
        home = Home(tmp_path / "a")
        for at in (0, 1, 40, 200):
            link.next_faults = [Fault("cut", at=at)]
            with pytest.raises(SyncError):
                join_site(home, "Room 12")
        assert join_site(home, "Room 12") is not None
        assert join_site(home, "Room 12") is None
    assert taken(hub, code) == 1


def test_a_pc_that_nobody_sits_at_joins_by_itself(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path, qtbot: Any
) -> None:
    decide(hub_url=hub.url, site_code=site_code(hub, 1)["code"])
    done: list[SyncFinished] = []
    engine = BackgroundSync(
        tmp_path / "a", lambda event: done.append(event) if isinstance(event, SyncFinished) else None
    )
    engine.start()
    try:
        qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    finally:
        engine.stop()
    assert done[0].report.up_to_date
    with Home(tmp_path / "a").own() as own:
        assert is_unknown(own)


def test_a_person_says_who_they_are_and_reads(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path, qapp: QApplication, qtbot: Any
) -> None:
    code = site_code(hub)
    decide(
        hub_url=hub.url, site_code=code["code"], daily_limit_kb=50_000, lan_sharing=False, interface_language="en"
    )
    home = tmp_path / "shelf"
    home.mkdir()
    application = Application(qapp, home, background_engine(home), Preferences())
    application.start()
    person = Person(application, qtbot)
    try:
        person.waits_for(lambda: isinstance(person.page, FirstRunPage))
        first = person.page
        assert isinstance(first, FirstRunPage)
        person.waits_for(first.who.name.isVisible)  # its language is decided: nothing to ask
        person.waits_for(lambda: Home(home).hub_url == hub.url)
        with Library(home / "library.db") as library:
            assert not library.counts(), "no content before the person has chosen"
        person.clicks("Go on")
        person.waits_for(first.who.note.isVisible)
        person.types(first.who.name, "Joseph Otieno")
        person.types(first.who.email, "joseph@ministry.example")
        person.clicks("Go on")
        person.clicks("Start reading")
        person.waits_for(lambda: "In step" in application.window.pill.text())
        person.clicks("Library")
        person.waits_for(lambda: "r-1" in {row.id for row in person.rows()})
        application.window.pill.click()
        person.waits_for(lambda: isinstance(person.page, SyncPage))
        sync = person.page
        assert isinstance(sync, SyncPage)
        person.waits_for(lambda: not sync._limit.isEnabled())
        assert sync._managed[sync._limit].isVisible()
        assert sync._hours.isEnabled()
        person.waits_for(lambda: not sync.in_the_office.share.isEnabled())
        person.waits_for(lambda: "Joseph Otieno" in {one["name"] for one in hub.do("joining")})
        assert taken(hub, code) == 1
    finally:
        application.stop()
        application.window.close()
        application.window.deleteLater()
        use_language("en")
