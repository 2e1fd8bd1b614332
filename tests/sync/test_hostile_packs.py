"""Packs that mean harm: cut, poisoned, overlapping, huge, signed by somebody else, and with names that move a
cursor. What is tried at random is in pack_fuzz.py; more of the list is in test_packs.py."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from resources_cache.errors import CacheError
from sync.errors import SyncError
from sync.home import Home
from sync.packs.importing import import_pack, show_pack
from sync.protocol import documents, limits, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.signing import SigningKey, sign_document, split_document
from sync.protocol.wire_json import dump, sha256
from tests.programs import ROOT
from tests.sync.pack_fuzz import Bases, bases_in, content, make
from tests.sync.pack_mutations import Signer, as_file, files

KNOWN = (SyncError, CacheError, ProtocolError)
QUIET = {"HUBSHELF_KEYRING": "off", "PYTHONPATH": str(ROOT)}
STRANGER = SigningKey(bytes([5]) * 32)
UGLY = "\x1b[2J\x1b]0;owned\x07\u202eHub <img src=x onerror=alert(1)>" + "x" * 500


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    folder = tmp_path_factory.mktemp("bases")
    make(folder, mail=True)
    return bases_in(folder)


@pytest.fixture
def stick(bases: Bases, tmp_path: Path) -> Path:
    """The newer pack, to be harmed."""
    shutil.copytree(bases.folder / "new", tmp_path / "stick")
    return tmp_path / "stick" / packs.FOLDER


@pytest.fixture
def home(bases: Bases, tmp_path: Path) -> Home:
    """A shelf that took the older pack."""
    shutil.copytree(bases.folder / "filled", tmp_path / "shelf")
    return Home(tmp_path / "shelf")


def code(home: Home, source: Path, **how: Any) -> str:
    """The code of the error that taking in a pack ends with, "" for none."""
    try:
        error: Any = import_pack(home, source, accept=True, **how).error
    except KNOWN as raised:
        error = raised
    return "" if error is None else str(error.code)


def signed(pack: Path, key: SigningKey, **changed: Any) -> None:
    """Sign the head of a pack again, with some of it changed."""
    body = json.loads(split_document((pack / packs.HEAD).read_bytes(), limits.HEAD, "head")[0])
    (pack / packs.HEAD).write_bytes(sign_document("head", dump(body | changed), [key]))


def with_index(pack: Path, signer: Signer, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the index of a pack, as the hub itself might."""
    head = json.loads(split_document((pack / packs.HEAD).read_bytes(), limits.HEAD, "head")[0])
    ref = ObjectRef(**head["index"])
    raw = documents.unpack((pack / packs.document_name(ref.hash)).read_bytes(), ref, limits.DOCUMENT)
    index = json.loads(raw)
    change(index)
    raw = dump(index)
    path = pack / packs.document_name(sha256(raw))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(documents.pack(raw))
    signed(pack, signer.key, index={"hash": sha256(raw), "size": len(raw)})


def zipped(pack: Path, target: Path) -> bytearray:
    with zipfile.ZipFile(target, "w") as archive:
        for path in files(pack):
            archive.writestr(str(path.relative_to(pack)), path.read_bytes())
    return bytearray(target.read_bytes())


def listed(data: bytes) -> dict[str, int]:
    """Where each name stands in the list of a ZIP."""
    found, place = {}, data.find(b"PK\x01\x02")
    while place >= 0:
        length = struct.unpack_from("<H", data, place + 28)[0]
        found[data[place + 46 : place + 46 + length].decode()] = place
        place = data.find(b"PK\x01\x02", place + 46)
    return found


def test_half_an_object_that_a_bad_stick_left_does_not_spoil_the_next_one(
    bases: Bases, home: Home, stick: Path
) -> None:
    for path in files(stick / packs.OBJECTS):
        data = bytearray(path.read_bytes()[:-7])
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert code(home, stick) == "pack-damaged"
    assert code(home, bases.folder / "new") == ""
    assert content(home.path) == bases.new


def test_a_file_cut_at_each_twentieth(bases: Bases, home: Home, stick: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.hubshelf-pack"
    data = bytes(zipped(stick, one))
    for part in range(20):
        one.write_bytes(data[: len(data) * part // 20])
        assert code(home, one) in ("not-a-pack", "pack-damaged")
    assert content(home.path) == bases.old
    one.write_bytes(data)
    assert code(home, one) == ""
    assert content(home.path) == bases.new


def test_lists_of_names_that_lie(bases: Bases, home: Home, stick: Path, tmp_path: Path) -> None:
    good, one = zipped(stick, tmp_path / "one.hubshelf-pack"), tmp_path / "one.hubshelf-pack"
    places = listed(good)
    first = places[packs.HEAD]
    overlapping, endless, outside = bytearray(good), bytearray(good), bytearray(good)
    for place in places.values():
        struct.pack_into("<L", overlapping, place + 42, struct.unpack_from("<L", good, first + 42)[0])
        struct.pack_into("<LL", endless, place + 20, 0xFFFFFFF0, 0xFFFFFFF0)
        struct.pack_into("<L", outside, place + 42, len(good) + 10**6)
    for bad in (overlapping, endless, outside):
        one.write_bytes(bad)
        assert code(home, one).startswith(("pack-", "not-"))
    # Names that differ in case alone, or twice the same; links; and names that lead out: nobody asks for them.
    harmless = {name.upper(): b"x" for name in places} | {"../../escaped": b"x", "objects/../../../escaped": b"x"}
    one.write_bytes(good)
    with zipfile.ZipFile(one, "a") as archive:
        for name, data in harmless.items():
            archive.writestr(name, data)
        link = zipfile.ZipInfo("objects/ff/" + "f" * 64)
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert code(home, one) == ""
    assert content(home.path) == bases.new
    assert not [*tmp_path.rglob("escaped"), *tmp_path.parent.glob("escaped")]


def test_heads_of_others_and_of_before(bases: Bases, home: Home, stick: Path) -> None:
    own = bases.signer.key
    signed(stick, STRANGER, version=10**6)
    assert code(home, stick) == "pack-damaged"
    signed(stick, own, epoch=0)
    assert code(home, stick).startswith("pack-")
    signed(stick, own, version=1)
    assert code(home, stick) == "pack-older"
    signed(stick, own, root=7)
    assert code(home, stick) == "pack-damaged"
    signed(stick, own, root=10**9)
    assert code(home, stick) == "pack-damaged"
    assert content(home.path) == bases.old
    # The hub was restored: its new epoch is taken, and what was before is older from then on.
    signed(stick, own, root=1, epoch=9, version=1)
    with_index(stick, bases.signer, lambda index: index.update(epoch=9, version=1))
    assert code(home, stick) == ""
    assert content(home.path) == bases.new
    assert code(home, bases.folder / "new") == "pack-older"


def test_a_feed_of_a_name_from_the_future_is_no_crash(bases: Bases, home: Home, stick: Path) -> None:
    def rename(index: dict[str, Any]) -> None:
        for feed in index["feeds"]:
            feed["name"] = "public/of-the-future"

    with_index(stick, bases.signer, rename)
    assert code(home, stick) in ("", "pack-damaged", "not-in-pack", "malformed")


def test_names_move_no_cursor_and_turn_no_line_round(bases: Bases, stick: Path, tmp_path: Path) -> None:
    signed(stick, bases.signer.key, hub=UGLY, published="\x1b[31m2026")
    said = {"streams": [{"name": UGLY, "records": UGLY}], "left_out": [{"name": UGLY}], "made": UGLY}
    (stick / packs.CONTENTS).write_text(json.dumps(said))
    with pytest.raises(packs.PackNotConfirmed) as asked:
        import_pack(Home(tmp_path / "fresh"), stick)
    assert str(asked.value).isprintable()
    assert len(str(asked.value)) < 600
    for words, status in ((("show", stick), 0), (("import", stick), 1), (("import", stick, "--yes"), 0)):
        done = subprocess.run(
            [sys.executable, "-m", "desktop", "--home", tmp_path / "new", "pack", *words],
            cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        for line in (done.stdout + done.stderr).splitlines():
            assert line.isprintable(), ascii(line)


def eaten(home: Home, source: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sync.pack_eater", str(home.path), str(source)],
        cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["megabytes"] < 400, told
    assert told["seconds"] < 60, told
    return told


def _sparse(folder: Path, names: list[str], size: int) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        with (folder / name).open("wb") as file:
            file.truncate(size)


@pytest.mark.slow
def test_gigabytes_of_letters_cost_little(bases: Bases, home: Home, stick: Path) -> None:
    _sparse(stick, [packs.CONTENTS], 2**34)
    _sparse(stick / "outbox", [f"{n:064x}" for n in range(4000)], 2**20)
    _sparse(stick / "answers", [f"{n:032x}" for n in range(1000)], 2**21)
    os.mkfifo(stick / "outbox" / ("e" * 64))
    os.mkfifo(stick / "answers" / ("e" * 32))
    assert eaten(home, stick)["code"] == "", "four gigabytes of letters, of which a bounded part is read"
    assert content(home.path) == bases.new


def test_huge_things_cost_little(bases: Bases, home: Home, stick: Path, tmp_path: Path) -> None:
    def many(index: dict[str, Any]) -> None:
        index["feeds"] = [{**index["feeds"][0], "name": f"public/cards/x{n}"} for n in range(4000)]

    with_index(stick, bases.signer, many)
    (stick / packs.CONTENTS).write_text("[" * 3_000_000)
    assert eaten(home, stick)["code"] != "a traceback"
    one = tmp_path / "one.hubshelf-pack"
    with zipfile.ZipFile(one, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(stick):
            archive.writestr(str(path.relative_to(stick)), bytes(64 * 1024**2) if path.name == "head" else b"x")
    assert eaten(home, one)["code"] == "not-a-pack", "what is packed in it is never unpacked"


def fuzzed(bases: Bases, first: int, count: int) -> dict[str, Any]:
    words = ["--bases", bases.folder, "--first", first, "--count", count, "--seconds", 3600]
    done = subprocess.run(
        [sys.executable, "-m", "tests.sync.pack_fuzz", *map(str, words)],
        cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_few_packs_at_random(bases: Bases) -> None:
    told = fuzzed(bases, 1, 20)
    assert told["cases"] == 20
    assert told["peak_mib"] < 400


@pytest.mark.slow
def test_many_packs_at_random(bases: Bases) -> None:
    told = fuzzed(bases, 1000, 5000)
    assert told["cases"] == 5000
    assert len(told["outcomes"]) > 6
    assert told["peak_mib"] < 400


def test_the_same_seed_is_the_same_pack(stick: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "1.zip", tmp_path / "2.zip"
    as_file(Random(7), stick, one)
    as_file(Random(7), stick, other)
    assert len(one.read_bytes()) == len(other.read_bytes())
    assert show_pack(stick)["verified"]
