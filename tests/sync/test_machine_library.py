"""Many people on one PC: what one account fetched, all others read, and nobody can use it against another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sync.errors import OtherHub
from sync.files import fetch_file
from sync.machine import place as places
from sync.machine.keeping import KeepersHome, Kept, NoMachineLibrary, keep, take_in
from sync.machine.taking import hand_in, handed_name
from sync.machine_files import VARIABLE
from sync.policies import policies
from sync.protocol.wire_json import sha256
from tests.programs import HubProgram, command, write_records
from tests.sync.test_members_reading import Shelf

PDF = b"%PDF-1.4\n" + b"A handbook on rain and roofs. " * 20_000
KEPT_BACK = b"%PDF-1.4\n" + b"For those alone who asked for it. " * 2_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("machine")
    (folder / "files").mkdir()
    (folder / "files" / "handbook.pdf").write_bytes(PDF)
    (folder / "files" / "kept.pdf").write_bytes(KEPT_BACK)
    with HubProgram(folder / "hub").init() as made:
        cards = [
            {
                "id": f"r{n}",
                "type": "resource",
                "title": f"Guide {n} to rain",
                "abstract": f"{sha256(str(n).encode())} " * 4,
                "lang": "en",
            }
            for n in range(300)
        ]
        free = {"license": "CC-BY-4.0", "redistributable": True}
        cards += [
            {"id": "book", "type": "resource", "title": "Handbook", "lang": "en", **free,
             "files": [{"path": "handbook.pdf", "media": "application/pdf"}]},
        ]  # fmt: skip
        made.do("import", file=str(write_records(folder / "files" / "cards.jsonl", cards)))
        made.do("discuss", id="t1", title="Inside", visibility="members", messages=["A cadmium heron."])
        made.do("publish")
        made.start()
        yield made


@pytest.fixture
def machine(tmp_path: Path, hub: HubProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "machine"
    for name, mode in (("", 0o755), ("library", 0o755), ("handed-in", 0o1733)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(mode)
    monkeypatch.setenv(VARIABLE, str(folder))
    decide(folder, machine_library_mb=50, hub_url=hub.url)
    return folder


def decide(folder: Path, **keys: object) -> None:
    (folder / "policies.json").write_text(json.dumps(keys))
    (folder / "policies.json").chmod(0o644)


def brought() -> Kept:
    kept = keep(policies())
    assert kept.report is not None
    assert kept.report.up_to_date
    return kept


def spent(shelf: Shelf) -> int:
    report = shelf.sync()
    assert report.up_to_date
    return report.bytes_up + report.bytes_down


def test_ten_people_cost_about_as_much_as_one(
    hub: HubProgram, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.delenv(VARIABLE)
        alone = spent(Shelf(tmp_path / "alone", hub).guest())
    report = brought().report
    assert report is not None
    first = report.bytes_up + report.bytes_down
    all_ten = 0
    for number in range(10):
        shelf = Shelf(tmp_path / f"home{number}", hub).guest()
        all_ten += spent(shelf)
        assert shelf.text("r7") == "Guide 7 to rain"
        with shelf.home.own() as own:
            assert [one.report.get("kind") for one in own.syncs(5)] == [None, "machine"]
    assert first <= alone * 1.1
    assert all_ten < alone * 0.25, (alone, first, all_ten)


def test_a_member_takes_from_it_what_is_public_and_from_the_hub_the_rest(
    hub: HubProgram, machine: Path, tmp_path: Path
) -> None:
    brought()
    shelf = Shelf(tmp_path / "home", hub).enrol("many@ministry.example")
    report = shelf.sync()
    assert report.up_to_date
    assert report.records >= 301
    assert report.bytes_down < 8_000
    assert shelf.text("t1-0") == "A cadmium heron."
    everything = b"".join(path.read_bytes() for path in (machine / "library").rglob("*") if path.is_file())
    assert b"cadmium" not in everything
    assert not (machine / "shelf").stat().st_mode & 0o077


def test_what_is_new_is_taken_and_what_is_old_costs_nothing(
    hub: HubProgram, machine: Path, tmp_path: Path
) -> None:
    brought()
    shelf = Shelf(tmp_path / "home", hub).guest()
    spent(shelf)
    quiet = spent(shelf)
    news = [{"id": f"n{n}", "type": "resource", "title": f"New {n} {sha256(b'%d' % n)}"} for n in range(60)]
    hub.do("import", file=str(write_records(tmp_path / "news.jsonl", news)))
    hub.do("publish")
    brought()
    assert spent(shelf) <= quiet + 200
    assert shelf.text("n5").startswith("New 5")


@pytest.mark.parametrize("what", ["empty", "wrong", "cut", "endless", "link", "other-head"])
def test_what_is_wrong_in_it_stops_nobody(hub: HubProgram, machine: Path, tmp_path: Path, what: str) -> None:
    brought()
    of = places.place(policies())
    assert of is not None
    for path in [*of.library.glob("objects/??/*")]:
        if what == "empty":
            path.write_bytes(b"")
        elif what == "wrong":
            path.write_bytes(b"x" * path.stat().st_size)
        elif what == "cut":
            path.write_bytes(path.read_bytes()[:-1])
        elif what == "endless":
            path.unlink()
            os.mkfifo(path)
        elif what == "link":
            path.unlink()
            path.symlink_to("/dev/zero")
    if what == "other-head":
        of.head.write_bytes(of.head.read_bytes().replace(b"a", b"b"))
    shelf = Shelf(tmp_path / "home", hub).guest()
    spent(shelf)
    assert shelf.text("r7") == "Guide 7 to rain"


def wanted(shelf: Shelf) -> tuple[str, int]:
    with shelf.home.library() as library:
        (one,) = (library.get("book") or {})["files"]
    return one["hash"], one["size"]


def test_a_file_that_one_fetched_is_there_for_all(hub: HubProgram, machine: Path, tmp_path: Path) -> None:
    brought()
    first, second = (Shelf(tmp_path / name, hub).guest() for name in ("first", "second"))
    spent(first), spent(second)
    digest, size = wanted(first)
    path = fetch_file(first.home, digest, size)
    assert hand_in(first.home, digest, "book", path)
    assert not hand_in(first.home, digest, "r7", path), "r7 names no such file"
    # Who keeps it has not looked yet: the second pays; after that nobody does.
    assert brought().taken == 1
    assert list((machine / "handed-in").iterdir()) == []
    assert not hand_in(first.home, digest, "book", path), "it is there already"
    hub.stop()
    try:
        assert fetch_file(second.home, digest, size).read_bytes() == PDF
    finally:
        hub.start()
    with second.home.own() as own:
        assert all(one.report.get("kind") != "file" for one in own.syncs(9))


def test_only_what_everybody_may_have_is_taken_in(hub: HubProgram, machine: Path, tmp_path: Path) -> None:
    brought()
    of = places.place(policies())
    assert of is not None
    shelf = Shelf(tmp_path / "home", hub).guest()
    spent(shelf)
    digest, _size = wanted(shelf)
    box = machine / "handed-in"
    (box / handed_name(sha256(KEPT_BACK), "book")).write_bytes(KEPT_BACK)  # no file of that record
    (box / handed_name(digest, "book")).write_bytes(PDF[:-1] + b"!")  # not what its name says
    (box / handed_name(digest, "r8")).symlink_to("/etc/shadow")
    (box / f"{digest}-zz").write_bytes(PDF)
    (box / handed_name(sha256(PDF), "")).write_bytes(PDF)  # no version of the program
    (box / "some-name").write_bytes(b"x")
    (box / "folder").mkdir()
    os.mkfifo(box / handed_name(digest, "r9"))
    assert take_in(KeepersHome(of, policies())) == (0, 8)
    assert list(box.iterdir()) == []
    assert list(of.library.glob("files/??/*")) == []


def test_it_keeps_its_size(hub: HubProgram, machine: Path, tmp_path: Path) -> None:
    brought()
    full = sum(path.stat().st_size for path in (machine / "library").glob("*/??/*"))
    of = places.place(policies())
    assert of is not None
    home = KeepersHome(places.Place(of.folder, full), policies())
    digest, size = sha256(PDF), len(PDF)
    (machine / "handed-in" / handed_name(digest, "book")).write_bytes(PDF)
    assert size > 1_000
    assert take_in(home)[0] == 0, "content comes first: there is no room for files"


def test_nothing_is_kept_where_nobody_decided_so_nor_outside_the_hours(hub: HubProgram, machine: Path) -> None:
    (machine / "policies.json").unlink()
    with pytest.raises(NoMachineLibrary):
        keep(policies())
    decide(machine, machine_library_mb=50)
    with pytest.raises(NoMachineLibrary, match="of which hub"):
        keep(policies())
    decide(machine, machine_library_mb=50, hub_url=hub.url, allowed_hours=["20:00-21:00"])
    assert keep(policies(), now=datetime(2026, 1, 1, 12)).report is None


def test_the_hub_is_the_one_that_was_decided(hub: HubProgram, machine: Path) -> None:
    decide(machine, machine_library_mb=50, hub_url=hub.url, hub_key="0" * 64)
    with pytest.raises(OtherHub, match="not the one that was decided"):
        keep(policies())
    assert not (machine / "library" / "head").exists()


def test_the_command_keeps_it_and_says_how_it_stands(hub: HubProgram, machine: Path, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody"
    said = command("hubshelf", "machine", "keep", home=nobody)
    assert said["report"]["up_to_date"] is True
    shown = command("hubshelf", "machine", "show", home=nobody)
    assert shown["checked"]
    assert shown["bytes"] > 5_000
    assert not nobody.exists(), "no shelf is made for the account that keeps it"
    Shelf(tmp_path / "home", hub).guest()
    checks = command("hubshelf", "doctor", home=tmp_path / "home")["checks"]
    assert [one["ok"] for one in checks if one["name"] == "library of this PC"] == [True]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs accounts")
def test_accounts_read_it_add_to_it_and_change_nothing(hub: HubProgram, machine: Path, tmp_path: Path) -> None:
    """Three real accounts: who keeps it, and two people, who cannot read each other's shelves either."""
    keeper, amina, juma = 61001, 61002, 61003
    for folder in (machine, *machine.iterdir()):
        if folder.is_dir() and folder != machine:
            os.chown(folder, keeper, keeper)
    (machine / "shelf").mkdir(mode=0o700)
    os.chown(machine / "shelf", keeper, keeper)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o011 != 0o011 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)

    def by(account: int, code: str, *arguments: str) -> str:
        """Run Python as another account. Where the interpreter lies, that one may not read: all modules are loaded
        before, by a sync of a shelf that nobody needs."""
        start = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from sync.home import Home\n"
            "from sync.machine.keeping import keep\n"
            "from sync.policies import policies\n"
            "from sync.engine import connect_guest, sync_once\n"
            "spare = Home(Path(sys.argv[2]))\n"
            "connect_guest(spare, sys.argv[3])\n"
            "with spare.connect(sys.argv[3]) as link: sync_once(spare, link)\n"
            "uid = int(sys.argv[1])\n"
            "if uid: os.setgroups([]); os.setgid(uid); os.setuid(uid)\n"
        )
        spare = tmp_path / f"spare{len(list(tmp_path.iterdir()))}"
        done = subprocess.run(
            [sys.executable, "-c", start + code, str(account), str(spare), hub.url, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "HUBSHELF_KEYRING": "off"},
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    # Policies are root's; whoever keeps it begins as root and is the keeper then.
    by(0, "keep(policies()); assert os.getuid() == 61001")
    assert {path.stat().st_uid for path in (machine / "library").rglob("*")} == {keeper}
    for person in (amina, juma):
        (tmp_path / str(person)).mkdir(mode=0o700)
        os.chown(tmp_path / str(person), person, person)
    tries = (
        "machine, other = Path(sys.argv[4]), Path(sys.argv[5])\n"
        "files = [one for one in (machine / 'library').rglob('*') if one.is_file()]\n"
        "assert files and all(one.read_bytes() or one.name == 'checked' for one in files)\n"
        "attempts = [lambda: files[0].write_bytes(b'x'), files[0].unlink, (machine / 'x').mkdir]\n"
        "closed = (machine / 'handed-in', machine / 'shelf', other)\n"
        "attempts += [lambda at=at: list(at.iterdir()) for at in closed]\n"
        "refused = 0\n"
        "for attempt in attempts:\n"
        "    try: attempt()\n"
        "    except PermissionError: refused += 1\n"
        "(machine / 'handed-in' / 'coming-1').write_bytes(b'mine')\n"
        "print(refused)\n"
    )
    assert by(amina, tries, str(machine), str(tmp_path / str(juma))) == "6"
    takes = "(Path(sys.argv[4]) / 'handed-in' / 'coming-1').unlink()"
    with pytest.raises(AssertionError, match="Permission"):
        by(juma, takes, str(machine))
