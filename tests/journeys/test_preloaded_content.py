"""A computer that content came with is read at once, with no network; what strangers put there is not believed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Application, background_engine
from desktop.pages.first_run import FirstRunPage
from desktop.preferences import Preferences
from desktop.words import use_language
from resources_cache.library import Library
from sync.home import Home
from sync.joining import join_site
from sync.machine_files import VARIABLE
from sync.packs.importing import import_pack
from sync.packs.preloaded import NAME, find, new, problems, take_in
from sync.protocol.packs import ENDING, FOLDER, HEAD, OtherHubsPack, root_name
from tests.journeys.test_main_job import RECORDS
from tests.journeys.test_window import Person
from tests.programs import HubProgram, command, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("preload")
    with HubProgram(folder / "hub").init() as hub:
        hub.do("import", file=str(write_records(folder / "records.jsonl", RECORDS)))
        hub.do("publish")
        hub.do("export-pack", target=str(folder / f"first{ENDING}"))
        hub.do("export-pack", target=str(folder / "stick"))
        newer = write_records(folder / "newer.jsonl", [{**RECORDS[0], "id": "r-new", "title": "Just published"}])
        hub.do("import", file=str(newer))
        hub.do("publish")
        hub.do("export-pack", target=str(folder / f"second{ENDING}"))
        yield hub


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "machine"
    (folder / NAME).mkdir(mode=0o755, parents=True)
    folder.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def bring(hub: HubProgram, machine: Path) -> Callable[[str], Path]:
    """Puts a pack where an installer would."""

    def put(name: str) -> Path:
        source, target = hub.home.parent / name, machine / NAME / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        for one in (target, *target.rglob("*")):
            one.chmod(0o755 if one.is_dir() else 0o644)
        return target

    return put


def decide(machine: Path, **keys: object) -> None:
    (machine / "policies.json").write_text(json.dumps(keys))
    (machine / "policies.json").chmod(0o644)


def titles(home: Path) -> set[str]:
    with Library(home / "library.db") as library:
        return {str(one["title"]) for one in library.newest(list(library.cursors())) if one["type"] == "resource"}


def test_what_came_is_taken_in_once_and_brought_forward(bring: Callable[[str], Path], tmp_path: Path) -> None:
    home = tmp_path / "shelf"
    bring(f"first{ENDING}")
    answer = command("hubshelf", "pack", "import", "--preload", home=home)
    assert [(one["hub"], one["error"]) for one in answer["packs"]] == [("Hubshelf", None)]
    before = titles(home)
    assert RECORDS[0]["title"] in before
    assert "Just published" not in before
    assert new(Home(home)) == []
    bring(f"second{ENDING}")  # the next image
    assert [one.path.name for one in new(Home(home))] == [f"second{ENDING}"]
    take_in(Home(home))
    assert "Just published" in titles(home)
    assert new(Home(home)) == [], "neither again, nor the older one"
    with Home(home).own() as own:
        assert own.setting("guest") is True
        assert own.setting("hub_url") is None


def test_a_folder_form_is_taken_in_too(bring: Callable[[str], Path], tmp_path: Path) -> None:
    assert (bring("stick") / FOLDER).is_dir()
    ((one, brought, error),) = take_in(Home(tmp_path / "shelf"))
    assert (error, one.why) == (None, "")
    assert brought is not None
    assert len(titles(tmp_path / "shelf")) > 0


def test_what_others_could_have_put_there_is_not_believed(bring: Callable[[str], Path], tmp_path: Path) -> None:
    home = Home(tmp_path / "shelf")
    path = bring("stick")
    for victim in (path, path / FOLDER, path / FOLDER / HEAD, path / FOLDER / root_name(1)):
        before = victim.stat().st_mode
        victim.chmod(before | 0o002)
        assert new(home) == [], victim
        assert "written by others" in problems(home)[0]
        assert take_in(home) == []
        victim.chmod(before)
    assert len(new(home)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_is_not_believed(bring: Callable[[str], Path], tmp_path: Path) -> None:
    path = bring(f"first{ENDING}")
    os.chown(path, 65534, 65534)
    answer = command("hubshelf", "pack", "import", "--preload", home=tmp_path / "shelf", expect=1)
    assert "does not belong to root" in answer["unused"][0]["why"]
    assert answer["packs"] == []


def test_the_key_that_was_decided_is_what_counts(
    bring: Callable[[str], Path], machine: Path, tmp_path: Path
) -> None:
    path = bring(f"first{ENDING}")
    (found,) = find(Home(tmp_path / "a"))
    decide(machine, hub_key="0" * 64)
    assert new(Home(tmp_path / "a")) == []
    assert "not by the key" in problems(Home(tmp_path / "a"))[0]
    with pytest.raises(OtherHubsPack):  # nor is a stick of another hub, whatever a person says
        import_pack(Home(tmp_path / "a"), path, accept=True)
    path.chmod(0o666)
    decide(machine, hub_key=found.fingerprint)
    assert len(new(Home(tmp_path / "a"))) == 1, "its signature proves it wherever it lies"


def test_a_broken_pack_stops_nobody(bring: Callable[[str], Path], machine: Path, tmp_path: Path) -> None:
    bring(f"first{ENDING}")
    (machine / NAME / f"broken{ENDING}").write_bytes(b"PK\x05\x06" + b"\x00" * 18)
    (machine / NAME / "readme.txt").write_text("not a pack")
    (machine / NAME / "empty").mkdir()
    home = Home(tmp_path / "shelf")
    assert len(take_in(home)) == 1
    assert len(problems(home)) == 2


def test_who_joins_afterwards_keeps_what_came(
    hub: HubProgram, bring: Callable[[str], Path], machine: Path, tmp_path: Path
) -> None:
    bring(f"first{ENDING}")
    home = Home(tmp_path / "shelf")
    take_in(home)
    hub.start()
    decide(machine, hub_url=hub.url, site_code=hub.do("site-code", uses=1)["code"])
    assert join_site(Home(tmp_path / "shelf"), "Room 12") is not None
    assert titles(tmp_path / "shelf")


def test_the_first_run_reads_at_once(
    bring: Callable[[str], Path], tmp_path: Path, qapp: QApplication, qtbot: Any
) -> None:
    bring(f"first{ENDING}")
    home = tmp_path / "shelf"
    home.mkdir()
    use_language("en")
    application = Application(qapp, home, background_engine(home), Preferences())
    application.start()
    person = Person(application, qtbot)
    try:
        person.waits_for(lambda: isinstance(person.page, FirstRunPage))
        first = person.page
        assert isinstance(first, FirstRunPage)
        person.clicks("English")
        person.waits_for(lambda: not isinstance(person.page, FirstRunPage))
        assert application.context.preferences.introduced
        person.clicks("Library")
        person.waits_for(lambda: "r-1" in {row.id for row in person.rows()})
        with Home(home).own() as own:
            assert own.setting("languages") == ["en"]
    finally:
        application.stop()
        application.window.close()
        application.window.deleteLater()
