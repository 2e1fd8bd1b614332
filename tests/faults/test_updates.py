"""A program brings itself up to date: over links that are cut, through power cuts, and back again.

The builds are real trees with a real program in them, the one of this checkout, started by its own path; only
Python itself is not in them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sync.errors import Offline
from sync.home import Home
from sync.protocol.build_folders import installed
from sync.protocol.build_staging import verify
from sync.updates import starting
from sync.updates.starting import STATE, Standing, Used
from sync.updates.updating import Updates
from tests.faults.bad_link import Fault, bad_link
from tests.faults.program_trees import LIBRARY, make_build
from tests.programs import HubProgram, ShelfProgram


@dataclass
class Desk:
    """A computer with version 0.1 installed, whose shelf belongs to the hub."""

    installed: Path
    shelf: Path

    def start(self, *arguments: str, expect: int = 0, **environment: str) -> dict[str, Any]:
        done = subprocess.run(
            [self.installed / "hubshelf", *arguments, "--json"],
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment | environment,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if key != starting.STARTED},
            "HUBSHELF_HOME": str(self.shelf),
            "HUBSHELF_KEYRING": "off",
            "QT_QPA_PLATFORM": "offscreen",
            "MARK": str(self.shelf.parent / "mark"),
        }

    @property
    def ran(self) -> list[str]:
        """The versions that ran, one after another; those that only chose another one are among them."""
        return (self.shelf.parent / "mark").read_text().split()

    @property
    def builds(self) -> list[str]:
        place = self.shelf / "builds"
        return sorted(one.name for one in place.iterdir() if one.is_dir() and one.name != "fetched")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProgram, Path, Path]]:
    """A hub that gives version 0.2, the folder with builds, and a shelf that is in step with it."""
    folder = tmp_path_factory.mktemp("updates")
    make_build(folder / "0.1", "0.1")
    make_build(folder / "0.2", "0.2")
    with HubProgram(folder / "hub").init() as hub:
        hub.run("build", "add", folder / "0.1")
        added = hub.run("build", "add", folder / "0.2", "--notes", "Two lines are new.")
        assert added["steps"]["0.1"] < 20_000
        assert added["steps"][""] > 3_000_000
        hub.run("publish")
        hub.start()
        shelf = ShelfProgram(folder / "shelf").enrol(hub, "amina@ministry.example")
        shelf.run("sync")
        yield hub, folder, shelf.home


@pytest.fixture
def desk(made: tuple[HubProgram, Path, Path], tmp_path: Path) -> Desk:
    _hub, folder, shelf = made
    shutil.copytree(shelf, tmp_path / "shelf")
    shutil.copytree(folder / "0.1", tmp_path / "program")
    return Desk(tmp_path / "program", tmp_path / "shelf")


def point(desk: Desk, url: str) -> None:
    with Home(desk.shelf).own() as own:
        own.set_setting("hub_url", url)


def test_an_update_is_small_and_runs_from_the_next_start_on(desk: Desk) -> None:
    assert desk.start("update", "show")["next"] == "0.1"
    found = desk.start("update", "look")
    assert found["version"] == "0.2"
    assert found["bytes"] < 20_000, "two lines of three megabytes"
    assert found["notes"] == {"en": "Two lines are new."}
    assert desk.start("update", "get")["version"] == "0.2"
    assert set(desk.ran) == {"0.1"}
    shown = desk.start("update", "show")
    assert (shown["installed"], shown["next"]) == ("0.1", "0.2")
    assert desk.ran[-1] == "0.2"
    assert desk.start("update", "get", expect=1)["error"]["code"] == "no-update"
    assert desk.start("status")["hub_name"] == "Hubshelf", "the person's shelf is as it was"
    assert list((desk.shelf / "backups").glob("*"))
    # Back again, and the version that was left is not taken a second time.
    assert desk.start("update", "back")["version"] == "0.1"
    desk.start("update", "show")
    assert desk.ran[-1] == "0.1"
    assert desk.start("update", "look", expect=1)["error"]["code"] == "no-update"
    assert desk.start("update", "back", expect=1)["error"]["code"] == "nothing-before"


def test_where_the_administrator_says_so_a_mirror_is_asked_first(
    made: tuple[HubProgram, Path, Path], desk: Desk, tmp_path: Path
) -> None:
    made[0].run("mirror", tmp_path / "mirror")
    machine = tmp_path / "machine"
    machine.mkdir()
    point(desk, "http://127.0.0.1:9")  # the hub itself gives nothing
    with served(tmp_path / "mirror") as mirror:
        decided = {"HUBSHELF_MACHINE": str(machine)}
        assert desk.start("update", "get", expect=1, **decided)["error"]["code"] == "unreachable"
        (machine / "policies.json").write_text(json.dumps({"update_source": mirror}))
        assert desk.start("update", "get", **decided)["version"] == "0.2"
    desk.start("update", "show", **decided)
    assert desk.ran[-1] == "0.2"


def test_on_a_pc_with_a_library_for_all_one_person_fetches_it_for_everybody(
    made: tuple[HubProgram, Path, Path], desk: Desk, tmp_path: Path
) -> None:
    for name in ("library", "handed-in"):
        (tmp_path / "machine" / name).mkdir(mode=0o755, parents=True)
    policies = {"machine_library_mb": 50, "hub_url": made[0].url}
    (tmp_path / "machine" / "policies.json").write_text(json.dumps(policies))
    decided = {"HUBSHELF_MACHINE": str(tmp_path / "machine")}
    shutil.copytree(desk.shelf, tmp_path / "other" / "shelf")
    other = Desk(desk.installed, tmp_path / "other" / "shelf")
    assert desk.start("update", "get", **decided)["version"] == "0.2"
    kept = desk.start("machine", "keep", **decided)
    assert (kept["taken"], kept["refused"]) == (2, 0), "the list, and the step from 0.1"
    (tmp_path / "machine" / "policies.json").write_text(json.dumps({"machine_library_mb": 50}))
    point(other, "http://127.0.0.1:9")  # the hub is away
    assert other.start("update", "get", **decided)["version"] == "0.2"
    assert other.start("update", "show", **decided)["next"] == "0.2"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server of the office that knows nothing of Hubshelf."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


def test_cut_at_any_byte_it_goes_on_and_pays_little_twice(made: tuple[HubProgram, Path, Path], desk: Desk) -> None:
    hub = made[0]
    place = desk.shelf / "builds"
    updates = Updates(Home(desk.shelf), installed(desk.installed), place)
    update = updates.look()
    size = update.way.ref.size
    with bad_link(hub.port) as link:
        point(desk, link.url)
        for at in range(0, size + 400, 29):
            shutil.rmtree(place)
            link.next_faults = [Fault("cut", at)] * 3
            before = link.bytes_down
            for _attempt in range(8):
                with suppress(Offline):
                    updates.get(updates.look())
                    break
            assert updates.here.version == "0.2"
            assert verify(updates.here.folder, updates.here.listing) == []
            assert link.bytes_down - before < size + 6_000
        assert link.faults > 3 * size / 29


def test_killed_at_any_moment_something_whole_starts(desk: Desk) -> None:
    began = time.monotonic()
    desk.start("update", "get")
    whole = time.monotonic() - began
    for part in range(7):
        shutil.rmtree(desk.shelf / "builds")
        process = subprocess.Popen(
            [desk.installed / "hubshelf", "update", "get", "--json"],
            env=desk.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(whole * (0.5 + 0.08 * part))
        process.kill()
        process.wait(20)
        runs = desk.start("update", "show")["next"]
        assert desk.ran[-1] == runs
        if runs == "0.1":
            assert desk.start("update", "get")["version"] == "0.2"
        desk.start("update", "show")
        assert desk.ran[-1] == "0.2"
        assert len(desk.builds) == 1, "what was begun is gone"


def test_where_the_installed_files_are_not_what_they_were_the_whole_comes(desk: Desk) -> None:
    (desk.installed / "lib" / "module3.py").write_bytes(b"changed by somebody")
    got = desk.start("update", "get")
    assert got["version"] == "0.2"
    made = installed(desk.shelf / "builds" / desk.builds[0])
    assert (made.folder / "lib" / "module3.py").read_bytes() == LIBRARY[27_000:36_000]


def test_a_build_that_does_not_come_up_is_left_after_three_tries(
    made: tuple[HubProgram, Path, Path], desk: Desk
) -> None:
    desk.start("update", "get")
    place = desk.shelf / "builds"
    used = starting.read(place).current
    assert used is not None
    broken = used.folder + "-broken"
    shutil.copytree(place / used.folder, place / broken)
    (place / broken / "hubshelf").write_text("#!/bin/sh\nexit 1\n")
    starting.write(place, Standing(replace(used, folder=broken), used))
    codes = []
    for _ in range(3):
        done = subprocess.run([desk.installed / "hubshelf"], env=desk.environment, check=False, timeout=60)
        codes.append(done.returncode)
    assert codes == [1, 1, 1]
    assert desk.start("update", "show")["next"] == "0.2"  # a command, too, leaves it by then
    assert starting.read(place).bad == [broken]
    assert desk.ran[-1] == "0.2"


def test_an_older_list_is_never_taken_for_a_newer_one(desk: Desk) -> None:
    with Home(desk.shelf).own() as own:
        own.set_setting("builds_seen", 99)
    assert desk.start("update", "look", expect=1)["error"]["code"] == "rolled-back"


def test_a_share_of_the_desktops_is_first(made: tuple[HubProgram, Path, Path], desk: Desk) -> None:
    hub = made[0]
    hub.run("build", "share", "0.2", "0")
    hub.run("publish")
    try:
        ShelfProgram(desk.shelf).run("sync")
        assert desk.start("update", "look", expect=1)["error"]["code"] == "no-update"
    finally:
        hub.run("build", "share", "0.2", "100")
        hub.run("publish")
    ShelfProgram(desk.shelf).run("sync")
    assert desk.start("update", "look")["version"] == "0.2"


def test_a_group_is_first(made: tuple[HubProgram, Path, Path], desk: Desk) -> None:
    hub = made[0]
    (device,) = (one["id"] for one in hub.run("devices")["devices"])
    hub.run("build", "share", "0.2", "0", "--group", "pilot", "--group", "IT")
    assert hub.run("build", "list")["builds"][0]["groups"] == ["IT", "pilot"]
    hub.run("publish")
    try:
        ShelfProgram(desk.shelf).run("sync")
        assert desk.start("update", "look", expect=1)["error"]["code"] == "no-update"
        hub.run("group", "pilot", device)
        ShelfProgram(desk.shelf).run("sync")
        assert desk.start("update", "look")["version"] == "0.2"
        hub.run("group", "others", device)
        ShelfProgram(desk.shelf).run("sync")
        assert desk.start("update", "look", expect=1)["error"]["code"] == "no-update"
    finally:
        hub.run("group", "", device)
        hub.run("build", "share", "0.2", "100")
        hub.run("publish")


def test_a_stick_brings_the_new_version_where_no_link_comes(
    made: tuple[HubProgram, Path, Path], tmp_path: Path
) -> None:
    hub, folder, _shelf = made
    hub.run("pack", "export", tmp_path / "small")
    hub.run("pack", "export", tmp_path / "whole", "--updates")
    assert size_of(tmp_path / "whole") - size_of(tmp_path / "small") > 3_000_000
    shutil.copytree(folder / "0.1", tmp_path / "program")
    island = Desk(tmp_path / "program", tmp_path / "island")
    came = island.start("pack", "import", str(tmp_path / "small"), "--yes", "--keep")
    assert came["program"] == "0.2"
    assert island.start("update", "look")["bytes"] == 0
    assert island.start("update", "get")["version"] == "0.2"
    island.start("update", "show")
    assert island.ran[-1] == "0.2"
    # From hand to hand, to a computer whose program no small step fits.
    (tmp_path / "b").mkdir()
    make_build(tmp_path / "b" / "program", "0.0.9")
    island.start("pack", "export", str(tmp_path / "on"))
    far = Desk(tmp_path / "b" / "program", tmp_path / "b" / "far")
    assert far.start("pack", "import", str(tmp_path / "on"), "--yes")["program"] == ""
    assert far.start("pack", "import", str(tmp_path / "whole"))["program"] == "0.2"
    assert far.start("update", "get")["version"] == "0.2"
    # A list that somebody changed is nobody's, and the library comes all the same.
    changed = 0
    for path in (tmp_path / "small").rglob("objects/*/*"):
        if path.is_file() and b'"builds"' in path.read_bytes()[:200]:
            path.write_bytes(path.read_bytes().replace(b"0.2", b"0.9"))
            changed += 1
    assert changed == 1
    (tmp_path / "c").mkdir()
    other = Desk(tmp_path / "program", tmp_path / "c" / "other")
    came = other.start("pack", "import", str(tmp_path / "small"), "--yes")
    assert (came["program"], came["complete"]) == ("", True)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_newer_installed_one_goes_first(tmp_path: Path) -> None:
    starting.write(tmp_path, Standing(Used("0.2-x", "0.2", "hubshelf")))
    (tmp_path / "0.2-x").mkdir()
    (tmp_path / "0.2-x" / "hubshelf").touch()
    assert starting.choose(tmp_path, "0.1", counts=False) == tmp_path / "0.2-x" / "hubshelf"
    assert starting.choose(tmp_path, "0.2", counts=False) is None
    assert starting.choose(tmp_path, "0.3", counts=False) is None


def test_only_starts_of_the_window_are_counted_until_it_came_up(tmp_path: Path) -> None:
    starting.write(tmp_path, Standing(Used("0.2-x", "0.2", "hubshelf")))
    (tmp_path / "0.2-x").mkdir()
    (tmp_path / "0.2-x" / "hubshelf").touch()
    for _ in range(10):
        assert starting.choose(tmp_path, "0.1", counts=False) is not None
    for _ in range(2):
        assert starting.choose(tmp_path, "0.1", counts=True) is not None
    starting.came_up(tmp_path)
    for _ in range(3):
        assert starting.choose(tmp_path, "0.1", counts=True) is not None
    assert starting.choose(tmp_path, "0.1", counts=True) is None
    assert starting.read(tmp_path) == Standing(bad=["0.2-x"])


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"current": 3}', '{"current": {"folder": "../x", "version": "9", "program": "p"}}']
)
def test_what_the_folder_says_is_read_or_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE).write_text(text)
    assert starting.choose(tmp_path, "0.1", counts=True) is None


def test_a_program_from_its_sources_says_so(tmp_path: Path) -> None:
    said = ShelfProgram(tmp_path / "shelf").run("update", "show", expect=1)
    assert said["error"]["code"] == "not-a-build"
