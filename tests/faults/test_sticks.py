"""Sticks that are pulled out, full, write-protected, of another hub, and programs that are killed at work on one.

Which kind of stick stands for what is said in tests/faults/sticks.py. A few places are tried in every run, each
twentieth of the bytes as `slow`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.home import Home
from sync.packs.importing import import_pack
from tests.faults.stick_hand import content, whole
from tests.faults.sticks import missing
from tests.mounts import ALONE, needs_mounts
from tests.programs import ROOT, HubProgram, write_records
from tests.sync.pack_fuzz import make, records

QUIET = {"HUBSHELF_KEYRING": "off", "PYTHONPATH": str(ROOT)}
EVERY = range(0, 101, 5)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases")
    make(folder)
    with HubProgram(folder / "hub2").init(own_keys=True) as other:
        other.do("import", file=str(write_records(folder / "c.jsonl", records(3, "Other"))))
        other.do("publish")
        other.run("pack", "export", folder / "other")
    return folder


def hand(action: str, kind: str, bases: Path, places: Any = ()) -> Any:
    """Run tests/faults/stick_hand.py where it may mount, and return what it says."""
    if tool := missing(kind):
        pytest.skip(f"{tool} is not here")
    alone = ALONE
    if kind == "exfat":
        # Its driver mounts a block device, which only the real administrator may do.
        if os.geteuid() != 0:
            pytest.skip("an exFAT image is mounted by the administrator alone")
        alone = ALONE[:2]
    words = [*alone, sys.executable, "-m", "tests.faults.stick_hand", action, kind, str(bases), *map(str, places)]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=600, check=False
    )
    if "cannot be mounted" in done.stderr:
        pytest.skip(f"this system mounts no {kind} image")
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    return json.loads(done.stdout)


@needs_mounts
@pytest.mark.parametrize("action", ["export", "export-between", "export-file", "import"])
def test_pulled_out_in_the_middle_both_sides_are_whole_and_it_goes_on(bases: Path, action: str) -> None:
    told = hand(action, "unmounted", bases, (10, 60, 90))
    assert "whole" not in told


@pytest.mark.slow
@needs_mounts
@pytest.mark.parametrize("kind", ["unmounted", "fat", "exfat"])
@pytest.mark.parametrize("action", ["export", "export-between", "export-file", "import"])
def test_pulled_out_at_every_twentieth(bases: Path, action: str, kind: str) -> None:
    if (action, kind) == ("export-file", "fat"):
        pytest.skip("fusefat answers EPERM where a file is opened to be read and written")
    told = hand(action, kind, bases, EVERY)
    assert sum(one != "whole" for one in told) >= 18, told


@needs_mounts
def test_full_read_only_and_others_sticks_end_in_words_and_change_nothing(bases: Path) -> None:
    assert hand("bad", "unmounted", bases) == {
        "full at once": "pack-no-room",
        "full on the way": "pack-no-room",
        "read-only, written": "pack-unwritable",
        "read-only, as a file": "pack-unwritable",
        "read-only, read": "",
        "another hub's": "other-hubs-pack",
    }


def dying(instant: int, counted: Path, program: str, *arguments: object) -> int:
    """Run a program that is killed before an instant; return how many it had, or 0 where it was killed."""
    words = [sys.executable, "-m", "tests.faults.dying_pack", str(instant), str(counted), program]
    done = subprocess.run(
        [*words, *map(str, arguments), "--json"], cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode == -signal.SIGKILL:
        return 0
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)
    return int(done.stderr.rsplit("instants ", 1)[1])


def killed_hub_export(bases: Path, folder: Path, parts: tuple[int, ...]) -> None:
    old, new = whole(bases / "old"), whole(bases / "new")
    stick, heads = folder / "stick", set()
    shutil.copytree(bases / "old", stick)
    total = dying(0, stick, "hubshelf-hub", "--home", bases / "hub", "pack", "export", stick)
    for part in parts:
        shutil.rmtree(stick)
        shutil.copytree(bases / "old", stick)
        instant = max(1, total * part // 100)
        assert dying(instant, stick, "hubshelf-hub", "--home", bases / "hub", "pack", "export", stick) == 0
        heads.add(found := whole(stick))
        assert found in (old, new)
        dying(0, stick, "hubshelf-hub", "--home", bases / "hub", "pack", "export", stick)
        assert whole(stick) == new
        assert not list(stick.rglob(".part-*"))
    assert old in heads


def killed_shelf_export(bases: Path, folder: Path, parts: tuple[int, ...]) -> None:
    home, stick = folder / "shelf", folder / "stick"
    shutil.copytree(bases / "filled", home)
    assert import_pack(Home(home), bases / "new", keep=True).error is None
    with Home(home).own() as own:
        asked = own.outbox.add("ask", "One", {"kind": "question", "title": "One", "body": "How?"}).id
    shutil.copytree(bases / "old", stick)
    total = dying(0, stick, "hubshelf", "--home", home, "pack", "export", stick)
    for part in parts:
        shutil.rmtree(stick)
        shutil.copytree(bases / "old", stick)
        assert dying(max(1, total * part // 100), stick, "hubshelf", "--home", home, "pack", "export", stick) == 0
        assert whole(stick) in (whole(bases / "old"), whole(bases / "new"))
        dying(0, stick, "hubshelf", "--home", home, "pack", "export", stick)
        assert whole(stick) == whole(bases / "new")
        with Home(home).own() as own:
            assert own.outbox.item(asked).state == "waiting"


def killed_import(bases: Path, folder: Path, parts: tuple[int, ...]) -> None:
    expected, home = folder / "expected", folder / "shelf"
    shutil.copytree(bases / "filled", expected)
    words = ("pack", "import", bases / "new", "--keep")
    total = dying(0, expected, "hubshelf", "--home", expected, *words)
    for part in parts:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(bases / "filled", home)
        before = content(Home(home))
        assert dying(max(1, total * part // 100), home, "hubshelf", "--home", home, *words) == 0
        assert content(Home(home)).keys() >= before.keys()
        dying(0, home, "hubshelf", "--home", home, *words)
        assert content(Home(home)) == content(Home(expected))
        assert whole(home / "carry") == whole(bases / "new")


PROGRAMS = [killed_hub_export, killed_shelf_export, killed_import]


@pytest.mark.parametrize("killed", PROGRAMS)
def test_killed_in_the_middle_the_same_command_goes_on(bases: Path, tmp_path: Path, killed: Any) -> None:
    killed(bases, tmp_path, (50,))


@pytest.mark.slow
@pytest.mark.parametrize("killed", PROGRAMS)
def test_killed_at_many_instants(bases: Path, tmp_path: Path, killed: Any) -> None:
    killed(bases, tmp_path, tuple(range(2, 100, 7)))
