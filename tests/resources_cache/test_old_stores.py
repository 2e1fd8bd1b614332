"""Every schema that a shelf may have had: real stores, written by the code of their time, opened by today's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from backports import zstd

from resources_cache import library_schema, own_schema
from resources_cache.library import Library
from resources_cache.own import Own
from tests.programs import ROOT
from tests.resources_cache.stores.fill import fill
from tests.resources_cache.test_store_migrations import version_of

STORES = Path(__file__).with_name("stores")
OWN, LIBRARY = (sorted(STORES.glob(f"{name}-*.db.zst")) for name in ("own", "library"))


def unpack(packed: Path, folder: Path) -> Path:
    target = folder / f"{packed.name.partition('-')[0]}.db"
    target.write_bytes(zstd.decompress(packed.read_bytes()))
    assert version_of(target) == int(packed.name.partition("-")[2][:2])
    return target


def require_own(path: Path) -> None:
    with Own(path) as own:
        assert own.setting("languages") == ["fr", "en"]
        assert own.setting("hub_url") == "https://hub.example.org"
        assert own.draft("ask") == {"title": "Half a question"}
        assert [(one.id, one.title) for one in own.bookmarks()] == [("r1", "Écoles connectées")]
        assert own.notes() == {"r1": "Read the second chapter again."}
        assert own.reading_place("r1") == 0.5
        assert own.pins() == {"ab" * 32}
        assert own.spent("2026-01-03") == 1000
        waiting = own.outbox.items(["waiting"])
        assert {(one.kind, one.title, one.body["body"]) for one in waiting} == {
            ("ask", "How many tablets?", "One for each child?"),
            ("reply", "A reply", "We did it with radios."),
        }
        assert all(check.ok for check in own.check()), own.check()
        own.outbox.add("ask", "Another", {"kind": "question", "body": "?"})
    assert version_of(path) == len(own_schema.MIGRATIONS)


@pytest.mark.parametrize("packed", OWN, ids=lambda path: path.name[:6])
def test_own_work_of_every_schema_is_all_there(packed: Path, tmp_path: Path) -> None:
    require_own(unpack(packed, tmp_path))


@pytest.mark.parametrize("packed", LIBRARY, ids=lambda path: path.name[:10])
def test_a_library_of_every_schema_is_read_and_searched(packed: Path, tmp_path: Path) -> None:
    path = unpack(packed, tmp_path)
    with Library(path) as library:
        record = library.get("r1")
        assert record is not None
        assert (record["title"], [text["id"] for text in record["texts"]]) == ("Écoles connectées", ["x1"])
        assert [hit.id for hit in library.search("enseignants").results] == ["r1"]
        assert [hit.id for hit in library.search("radios rain").results] == ["t1"]
        assert [check for check in library.check() if not check.ok] == []
    assert version_of(path) == len(library_schema.MIGRATIONS)


@pytest.mark.parametrize(
    ("packed", "statement"), [(OWN[0], 1), (OWN[0], 9), (OWN[0], 25), (OWN[4], 25), (OWN[-1], 1), (OWN[-1], 9)]
)
def test_killed_while_it_is_brought_up_to_date_nothing_is_lost(
    packed: Path, statement: int, tmp_path: Path
) -> None:
    path = unpack(packed, tmp_path)
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from resources_cache.own import Own\n"
        "left = [int(sys.argv[2])]\n"
        "def watch(_sql):\n"
        "    left[0] -= 1\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Own(Path(sys.argv[1]), on_statement=watch)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(path), str(statement)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    require_own(path)


def test_the_schema_before_this_one_has_a_store_here(tmp_path: Path) -> None:
    fill(tmp_path)
    now = {"own": version_of(tmp_path / "own.db"), "library": version_of(tmp_path / "library.db")}
    for name, kept in (("own", OWN), ("library", LIBRARY)):
        newest = int(kept[-1].name.partition("-")[2][:2])
        assert newest >= now[name] - 1, f"Add the store of {name} that stores/fill.py made before."
