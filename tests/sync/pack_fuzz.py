"""Hostile packs at random, for as long as one likes: `python -m tests.sync.pack_fuzz --bases DIR --seconds 600`.

A hub makes packs, seeds change them, and shelves of their own take them in, in a process whose memory is bounded.
Each case must end in words or in order; nothing that the hub did not sign may be seen; nothing outside the shelf
may appear; and now and then the right pack is taken in after all and everything must be there. A seed says the
case again, with the same `--bases`: a hub's keys and hashes differ each time. What is printed is JSON: cases,
outcomes, seconds and memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from resources_cache.errors import CacheError
from resources_cache.library import Library
from sync.errors import SyncError
from sync.home import Home
from sync.packs.by_hand import join
from sync.packs.exporting import export_pack
from sync.packs.importing import import_pack, show_pack
from sync.protocol import packs
from sync.protocol.errors import ProtocolError
from sync.protocol.signing import SigningKey
from sync.protocol.wire_json import sha256
from sync.uploads import attached
from tests.programs import HubProgram, write_records
from tests.protocol.hostile import peak
from tests.sync.pack_mutations import Signer, as_file, change_folder

KNOWN = (SyncError, CacheError, ProtocolError)
ROOM = 1 << 30
"""Bytes of address space for all of it, Python and its modules included."""
LONGEST = 20.0
"""Seconds of processor time for one pack of some 100 KB, at most."""
QUESTION = b"Forty pupils, twenty tablets. " * 6000
ANSWER = b"One for two, says the evidence. " * 5000
EACH_RIGHT = 10
"""After so many cases the right pack is taken in by the same shelf."""


@dataclass(frozen=True)
class Bases:
    """Packs to start from, two shelves to copy, and what the hub said: title by id, of the old and the new."""

    folder: Path
    old: dict[str, str]
    new: dict[str, str]
    signer: Signer


def records(count: int, word: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"en{n}",
            "type": "resource",
            "title": f"{word} {n}",
            "text": f"What rain does to {n * 104_729} roofs. " * 40,
            "lang": "en",
        }
        for n in range(count)
    ]


def make(folder: Path, *, mail: bool = False) -> None:
    """Make the packs with a real hub, and the shelves. `mail`: one of these has asked by hand, and the packs have
    the answer with a file, and the file of its question."""
    folder.mkdir(parents=True, exist_ok=True)
    with HubProgram(folder / "hub").init() as hub:
        hub.do("import", file=str(write_records(folder / "a.jsonl", records(40, "Guide"))))
        hub.do("publish")
        hub.run("pack", "export", folder / "old")
        hub.do("import", file=str(write_records(folder / "b.jsonl", records(60, "New guide"))))
        hub.do("publish")
        hub.run("pack", "export", folder / "new")
        for name, packs_in in (("empty", ()), ("filled", ("old",))):
            home = Home(folder / name)
            home.path.mkdir(parents=True, exist_ok=True)
            for one in packs_in:
                assert import_pack(home, folder / one, accept=True, keep=True).error is None
        if mail:
            _ask_and_answer(folder, hub, home)


def _ask_and_answer(folder: Path, hub: HubProgram, home: Home) -> None:
    join(home, hub.do("invite", email="officer@ministry.example"), "Room 12")
    (folder / "plan.pdf").write_bytes(QUESTION)
    with home.own() as own:
        body = {
            "kind": "question",
            "body": "?",
            "attachments": attached(home.path, own, [folder / "plan.pdf"]),
        }
        asked = own.outbox.add("ask", "How many tablets?", body).id
    export_pack(home, folder / "out", content=False)
    hub.run("pack", "import", folder / "out")
    hub.do("reply", id=asked, body="One for two.", files={"evidence.pdf": ANSWER.decode()})
    hub.run("pack", "export", folder / "letters")
    for one in ("old", "new"):
        for source, part in (("out", packs.PARCELS), ("letters", packs.ANSWERS), ("letters", packs.RETURNS)):
            shutil.copytree(folder / source / packs.FOLDER / part, folder / one / packs.FOLDER / part)


def bases_in(folder: Path) -> Bases:
    key = SigningKey(bytes.fromhex((folder / "hub" / "keys" / "head.key").read_text().strip()))
    old, new = (
        {f"en{n}": f"{word} {n}" for n in range(count)} for word, count in (("Guide", 40), ("New guide", 60))
    )
    return Bases(folder, old, new, Signer(key))


def content(home: Path) -> dict[str, str]:
    with Library(home / "library.db") as library:
        found = list(library.newest(list(library.cursors())))
    return {str(one["id"]): str(one["title"]) for one in found if one["type"] == "resource"}


def one_case(bases: Bases, seed: int, arena: Path) -> str:
    """Run the case of a seed in an empty folder; return its outcome in a word. Raises AssertionError."""
    random = Random(seed)
    stick, home = arena / "stick" / packs.FOLDER, Home(arena / "shelf")
    shutil.copytree(bases.folder / random.choice(("old", "new", "new")) / packs.FOLDER, stick)
    shutil.copytree(bases.folder / random.choice(("empty", "filled", "filled")), home.path, dirs_exist_ok=True)
    source, resigned = stick.parent, random.random() < 0.25
    if resigned:
        bases.signer.resign(random, stick)
    elif random.random() < 0.6:
        change_folder(random, stick)
    else:
        source = arena / "stick" / "one.hubshelf-pack"
        as_file(random, stick, source)
        shutil.rmtree(stick)
    around = outside(arena)
    before = content(home.path)
    outcome = "taken"
    for act in (lambda: show_pack(source), lambda: import_pack(home, source, accept=True, keep=True, files=True)):
        try:
            done = act()
        except KNOWN as error:
            outcome = error.code if str(error) else "an error without words"
        else:
            if not isinstance(done, dict) and done.error is not None:
                outcome = done.error.code
    assert outcome != "an error without words"
    assert outside(arena) == around, "something appeared outside the shelf"
    for path in (*(arena / "shelf" / "files").glob("??/*"), *(arena / "shelf" / "carry").glob("parcels/*")):
        assert sha256(path.read_bytes()) == path.name, "a file is not what its name says"
    got = home.files().hashes()
    assert got in ([], [sha256(ANSWER)]), "a file that nobody sent"
    after = content(home.path)
    for key, title in after.items():
        assert title in (bases.old.get(key), bases.new.get(key)), f"nobody signed “{title}”"
    if not resigned:
        assert after.keys() >= before.keys(), "something was lost"
        if seed % EACH_RIGHT == 0:
            error = import_pack(home, bases.folder / "new", accept=True).error
            assert error is None, f"after {outcome}, the right pack: {error!r}"
            assert content(home.path) == bases.new
            if home.member is not None:
                assert home.files().hashes() == [sha256(ANSWER)], f"after {outcome}, the file of the answer"
    return f"signed by the hub: {outcome}" if resigned else outcome


def outside(arena: Path) -> list[str]:
    """Everything beside the shelf, and whether the stick was written to."""
    found = [str(path) for path in arena.rglob("*") if not path.is_relative_to(arena / "shelf")]
    return sorted([*found, *(str(one) for one in Path(tempfile.gettempdir()).glob("escaped*"))])


def run(bases: Bases, first: int, seconds: float, count: int) -> dict[str, Any]:
    """Run cases from seed `first` until `seconds` or `count` are over; raises AssertionError naming the seed."""
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    outcomes: Counter[str] = Counter()
    begun, slowest, seed = time.monotonic(), (0.0, 0), first
    while time.monotonic() - begun < seconds and seed < first + count:
        arena = Path(tempfile.mkdtemp(prefix="case-", dir=bases.folder))
        cpu = time.process_time()
        try:
            outcomes[one_case(bases, seed, arena)] += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, (time.process_time() - cpu, seed))
        if slowest[0] > LONGEST:
            raise AssertionError(f"seed {seed} took {slowest[0]:.1f} s of processor time")
        shutil.rmtree(arena)
        seed += 1
    return {
        "first": first,
        "cases": seed - first,
        "seconds": round(time.monotonic() - begun, 1),
        "slowest": {"seconds": round(slowest[0], 2), "seed": slowest[1]},
        "peak_mib": round(peak()),
        "outcomes": dict(outcomes.most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bases", type=Path, required=True, help="where packs to start from are, or are made")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=10**9)
    asked = parser.parse_args()
    if not (asked.bases / "filled").exists():
        make(asked.bases, mail=True)
    found = run(bases_in(asked.bases), asked.first, asked.seconds, asked.count)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
