"""What strangers may do to a pack, at random from a seed: noise, cuts, swaps, links, broken lists of a ZIP; and a
hub that signs whatever it likes."""

from __future__ import annotations

import json
import os
import shutil
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sync.protocol import documents, limits, packs
from sync.protocol.head import ObjectRef
from sync.protocol.signing import SigningKey, sign_document, split_document
from sync.protocol.wire_json import dump, sha256

NUMBERS = (0, 1, -1, 2**31, 2**53, 2**63, 2**64, 10**30, 1.5, True, None)
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    "",
    "..",
    "/etc/passwd",
    "\x1b[2J",
    "<b>x</b>",
    "é" * 300,
    [],
    {},
    [[]],
    "0" * 64,
)
NAMES = (
    "../../escaped",
    "objects/../../escaped",
    "/tmp/escaped",
    "HEAD",
    "head\x00",
    "objects\\x",
    "con",
    "a" * 300,
)


_LARGE = 2**19
"""Bytes of a file that is left as it is: those that were blown up already."""


def files(pack: Path) -> list[Path]:
    found = (path for path in pack.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if path.stat().st_size <= _LARGE)


def noisy(random: Random, data: bytes) -> bytes:
    """Some bytes changed, put in, taken out, or cut off."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        place, kind = random.randrange(len(found) + 1), random.randrange(6)
        if kind == 0 and place < len(found):
            found[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            found[place : place + 8] = random.randbytes(random.randrange(1, 16))
        elif kind == 2:
            found[place:place] = random.randbytes(random.randrange(1, 64))
        elif kind == 3:
            del found[place : place + random.randrange(1, 64)]
        elif kind == 4:
            del found[place:]
        else:
            found[place : place + 4] = random.choice((b"\xff" * 4, bytes(4), b"PK\x05\x06", b"\x80\0\0\0"))
    return bytes(found)


def _noise(random: Random, pack: Path) -> None:
    path = random.choice(files(pack))
    path.write_bytes(noisy(random, path.read_bytes()))


def _swap(random: Random, pack: Path) -> None:
    one, other = random.choice(files(pack)), random.choice(files(pack))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _strange(random: Random, pack: Path) -> None:
    """Something that is no plain file, or gigabytes of nothing."""
    path = random.choice(files(pack))
    kind = random.randrange(5)
    if kind == 4:
        os.truncate(path, random.choice((2**20, 2**32, 2**36)))
        return
    path.unlink()
    if kind == 0:
        path.symlink_to(random.choice(("/etc/passwd", "/dev/zero", ".", "../../..", str(path))))
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.mkdir()


def _folder_away(random: Random, pack: Path) -> None:
    folders = [path for path in pack.iterdir() if path.is_dir() and not path.is_symlink()]
    if folders:
        one = random.choice(folders)
        shutil.rmtree(one)
        if random.random() < 0.5:
            one.symlink_to(random.choice(("/etc", "/proc/self", "..", str(pack))))


def _letters(random: Random, pack: Path) -> None:
    tag = random.randbytes(16)
    tags = [path.name for path in (pack / packs.RETURNS).glob("*")] if random.random() < 0.8 else []
    whose = random.choice([*tags, tag.hex()])
    for folder, begin, length in (
        ("outbox", b"HSB\x01", 64),
        ("answers", b"HSA\x01", 32),
        ("parcels", b"HSP\x01", 64),
        (f"returns/{whose}", b"HSR\x01" + (bytes.fromhex(whose) if len(whose) == 32 else tag), 64),
    ):
        try:
            (pack / folder).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue  # something strange is there by now
        if not (pack / folder).is_dir() or any((pack / one).is_symlink() for one in (folder, packs.RETURNS)):
            continue
        for _ in range(random.randrange(12)):
            data = begin + random.randbytes(random.choice((0, 3, 60, 400, 5000, 70_000)))
            name = sha256(data) if random.random() < 0.7 else random.choice(("..x", "f" * length, "A" * length))
            (pack / folder / name[:length]).write_bytes(data)


def _twins(random: Random, pack: Path) -> None:
    """Names that differ in upper and lower case alone, as some sticks cannot tell them."""
    path = random.choice(files(pack))
    with_case = path.with_name(path.name.upper())
    with_case.write_bytes(noisy(random, path.read_bytes()))


def _contents(random: Random, pack: Path) -> None:
    said = random.choice(
        (
            "[" * 100_000,
            '{"a":' * 50_000,
            "{" + '"x":1,' * 200_000,
            '{"bytes": 1e999}',
            '{"streams": [1, null, {}]}',
        )
    )
    path = pack / packs.CONTENTS
    if not path.is_dir():
        path.unlink(missing_ok=True)  # it may be a pipe by now, on which writing would wait
        path.write_text(said)


CHANGES: tuple[Callable[[Random, Path], None], ...] = (
    _noise, _noise, _noise, _swap, _strange, _strange, _folder_away, _letters, _twins, _contents,
)  # fmt: skip


def change_folder(random: Random, pack: Path) -> None:
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        if files(pack):
            random.choice(CHANGES)(random, pack)


def as_file(random: Random, pack: Path, target: Path) -> None:
    """Write the pack as a ZIP that something is wrong with."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in files(pack):
            name, how = str(path.relative_to(pack)), zipfile.ZIP_STORED
            if random.random() < 0.03:
                how = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            if random.random() < 0.03:
                name = random.choice(NAMES)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of two entries with one name
                archive.writestr(name.replace("\x00", ""), path.read_bytes(), how)
    data = bytearray(target.read_bytes())
    for _ in range(random.choice((0, 1, 1, 3))):
        places = _listed(data)
        if not places:
            break
        place, kind = random.choice(places), random.randrange(4)
        if kind == 0:  # where it lies: over another, outside, or in the list itself
            struct.pack_into(
                "<L", data, place + 42, random.choice((0, 2**32 - 1, place, random.randrange(len(data))))
            )
        elif kind == 1:  # how long it is
            size = random.choice((0, 1, 2**31, 2**32 - 1, len(data)))
            struct.pack_into("<LL", data, place + 20, size, size if random.random() < 0.7 else 7)
        elif kind == 2:  # flags and how it was packed
            struct.pack_into("<HH", data, place + 8, random.randrange(2**16), random.choice((0, 0, 8, 12, 99)))
        else:  # lengths of its name, what comes after, and a comment
            struct.pack_into("<H", data, place + random.choice((28, 30, 32)), random.randrange(2**16))
    target.write_bytes(noisy(random, bytes(data)) if random.random() < 0.5 else bytes(data))


def _listed(data: bytearray) -> list[int]:
    found, place = [], data.find(b"PK\x01\x02")
    while 0 <= place <= len(data) - 46:
        found.append(place)
        place = data.find(b"PK\x01\x02", place + 46)
    return found


@dataclass(frozen=True)
class Signer:
    """The key for heads of a hub that means harm."""

    key: SigningKey

    def resign(self, random: Random, pack: Path) -> None:
        """Change the index, a document below it, or the head; everything bears its right hash and signature."""
        head = json.loads(split_document((pack / packs.HEAD).read_bytes(), limits.HEAD, "head")[0])
        ref = ObjectRef(head["index"]["hash"], head["index"]["size"])
        raw = documents.unpack((pack / packs.document_name(ref.hash)).read_bytes(), ref, limits.DOCUMENT)
        index = json.loads(raw)
        below = [one for one in _refs(index) if (pack / packs.document_name(one["hash"])).is_file()]
        if below and random.random() < 0.5:
            one = random.choice(below)
            old = ObjectRef(one["hash"], one["size"])
            deeper = json.loads(
                documents.unpack((pack / packs.document_name(old.hash)).read_bytes(), old, limits.DOCUMENT)
            )
            one.update(_put(pack, _twisted(random, deeper)))
        elif random.random() < 0.8:
            index = _twisted(random, index)
        head["index"] = _put(pack, index)
        if random.random() < 0.3:
            head = _twisted(random, head)
        (pack / packs.HEAD).write_bytes(sign_document("head", dump(head), [self.key]))


def _put(pack: Path, value: Any) -> dict[str, Any]:
    raw = dump(value)
    path = pack / packs.document_name(sha256(raw))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(documents.pack(raw))
    return {"hash": sha256(raw), "size": len(raw)}


def _refs(value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if isinstance(value, dict):
        if isinstance(value.get("hash"), str) and len(value["hash"]) == 64:
            found.append(value)
        for one in value.values():
            found += _refs(one)
    elif isinstance(value, list):
        for one in value:
            found += _refs(one)
    return found


def _twisted(random: Random, value: Any) -> Any:
    """The same JSON with a few of its parts replaced, repeated or taken away."""
    places: list[tuple[Any, Any]] = []

    def walk(one: Any) -> None:
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            places.append((one, key))
            walk(one[key])

    walk(value)
    for _ in range(random.choice((1, 1, 2, 4))):
        if not places:
            return random.choice(VALUES)
        holder, key = random.choice(places)
        kind = random.randrange(4)
        try:
            if kind == 0:
                holder[key] = random.choice(VALUES)
            elif kind == 1:
                del holder[key]
            elif kind == 2 and isinstance(holder[key], list):
                holder[key] = holder[key] * random.choice((2, 50, 1000))
            elif isinstance(holder[key], int):
                holder[key] += random.choice((-1, 1, 1000, 2**31))
            else:
                holder[key] = random.choice(VALUES)
        except (KeyError, IndexError):
            continue
    return value
