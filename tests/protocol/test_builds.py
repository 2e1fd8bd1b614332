"""Builds and the steps between them: what comes out is what went in, and nothing else ever does."""

from __future__ import annotations

import io
import json
import os
import random
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol.build_folders import BUILD, Installed, describe, installed
from sync.protocol.build_staging import PART, stage, verify
from sync.protocol.build_steps import MAGIC, write_step
from sync.protocol.builds import (
    Build,
    BuildDamaged,
    Builds,
    Item,
    Listing,
    NotABuild,
    Way,
    checked_path,
    listing,
    verify_builds,
)
from sync.protocol.errors import BadSignature, Malformed, ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root, pin
from sync.protocol.wire_json import sha256

LIBRARY = random.Random(1).randbytes(400_000)


def tree(folder: Path, version: str, **files: bytes) -> Installed:
    """A build in `folder`; `lib/x` is written as `lib__x`."""
    found = {"hubshelf": b"#!/bin/sh\necho " + version.encode(), "lib/library.so": LIBRARY}
    found.update({name.replace("__", "/"): data for name, data in files.items()})
    for name, data in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "hubshelf").chmod(0o755)
    return describe(folder, version, "hubshelf")


def build_of(made: Installed) -> Build:
    return Build(made.platform, made.version, made.listing.name, made.listing.size, made.program)


def step(made: Installed, old: Installed | None = None) -> bytes:
    target = io.BytesIO()
    write_step(target, made.folder, made.listing, old.folder if old else None, old.listing if old else None)
    return target.getvalue()


def contents(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if (path.is_file() or path.is_symlink()) and path.name != BUILD
    }


def test_a_step_makes_the_new_build_from_the_old_one(tmp_path: Path) -> None:
    old = tree(tmp_path / "old", "1.0", gone=b"this goes", lib__same=b"stays")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "again").symlink_to("lib/library.so")
    changed = LIBRARY[:200_000] + b"two lines" + LIBRARY[200_000:]
    new = tree(tmp_path / "new", "1.1", lib__library__so=b"", lib__same=b"stays", deep__er__file=b"new")
    (tmp_path / "new" / "lib" / "library.so").write_bytes(changed)
    new = describe(tmp_path / "new", "1.1", "hubshelf")
    data = step(new, old)
    assert len(data) < 2_000, "what both have does not travel"
    (tmp_path / "step").write_bytes(data)
    made = stage(tmp_path / "step", build_of(new), old, tmp_path / "builds")
    assert contents(made.folder) == contents(new.folder)
    assert installed(made.folder) == made
    assert os.access(made.folder / "hubshelf", os.X_OK)
    assert not os.access(made.folder / "lib" / "same", os.X_OK)
    assert verify(made.folder, made.listing) == []
    (tmp_path / "whole").write_bytes(step(new))
    assert contents(stage(tmp_path / "whole", build_of(new), None, tmp_path / "other").folder) == contents(
        new.folder
    )


def test_a_spoiled_step_or_another_build_below_makes_nothing(tmp_path: Path) -> None:
    old, new = tree(tmp_path / "old", "1.0"), tree(tmp_path / "new", "1.1", more=b"x" * 5_000)
    data = bytearray(step(new, old))
    (tmp_path / "step").write_bytes(data)
    (tmp_path / "old" / "hubshelf").write_bytes(b"changed by hand")
    with pytest.raises(BuildDamaged):
        stage(tmp_path / "step", build_of(new), old, tmp_path / "builds")
    with pytest.raises(BuildDamaged, match="another build"):
        stage(tmp_path / "step", build_of(new), new, tmp_path / "builds")
    fresh = tree(tmp_path / "fresh", "1.0")
    with pytest.raises(BuildDamaged, match="signed"):
        stage(tmp_path / "step", replace(build_of(new), tree="0" * 64), fresh, tmp_path / "builds")
    assert list((tmp_path / "builds").iterdir()) == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_step_nothing_else_comes_out(
    steps: tuple[Path, Installed, bytes], data: st.DataObject
) -> None:
    folder, new, whole = steps
    spoiled = bytearray(whole)
    at = data.draw(st.integers(0, len(spoiled) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "more"]))
    if kind == "flip":
        spoiled[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del spoiled[at:]
    else:
        spoiled[at:at] = data.draw(st.binary(min_size=1, max_size=50))
    (folder / "spoiled").write_bytes(spoiled)
    try:
        made = stage(folder / "spoiled", build_of(new), None, folder / "out")
    except BuildDamaged:
        assert not any((folder / "out").glob(f"*{PART}"))
    else:
        assert contents(made.folder) == contents(new.folder)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Installed, bytes]:
    folder = tmp_path_factory.mktemp("steps")
    made = tree(folder / "new", "1.1", lib__library__so=b"small", doc=b"words " * 500)
    (folder / "new" / "lib" / "library.so").write_bytes(b"small")
    made = describe(folder / "new", "1.1", "hubshelf")
    return folder, made, step(made)


def handmade(put: list[dict[str, Any]], data: bytes = b"", **more: Any) -> bytes:
    header = {"from": "", "to": name_of(put), "removed": [], "put": put, "bases": [], **more}
    packed = zstd.compress(json.dumps(header).encode())
    options = {zstd.CompressionParameter.checksum_flag: 1}
    return MAGIC + struct.pack(">I", len(packed)) + packed + zstd.compress(data, options=options)


def name_of(put: list[dict[str, Any]]) -> str:
    """The name of the tree that these make, were they taken for good."""
    return Listing(
        {
            one["path"]: Item(one["path"], one.get("size", 0), one.get("hash", ""), link=one.get("link", ""))
            for one in put
        }
    ).name


def entry(path: str, data: bytes = b"") -> dict[str, Any]:
    return {"path": path, "size": len(data), "hash": sha256(data)}


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "up": (lambda: handmade([entry("../outside")]), "no system takes"),
    "absolute": (lambda: handmade([entry("/tmp/outside")]), "no system takes"),
    "backslash": (lambda: handmade([entry("a\\..\\outside")]), "no system takes"),
    "drive": (lambda: handmade([entry("C:outside")]), "no system takes"),
    "device": (lambda: handmade([entry("lib/NUL.txt")]), "no system takes"),
    "twice": (lambda: handmade([entry("a"), entry("A")]), "two files"),
    "below a file": (lambda: handmade([entry("a"), entry("a/b")]), "below a file"),
    "link out": (lambda: handmade([{"path": "a", "link": "../../outside"}]), "leads out"),
    "link to root": (lambda: handmade([{"path": "a", "link": "/etc/passwd"}]), "leads out"),
    "link up behind": (lambda: handmade([{"path": "x/a", "link": "b/../../.."}]), "leads out"),
    "below a link": (lambda: handmade([{"path": "a", "link": "b"}, entry("a/c")]), "below a file"),
    "huge": (lambda: handmade([{"path": "a", "size": 2**40, "hash": "0" * 64}]), "larger than any"),
    "more than said": (lambda: handmade([entry("hubshelf", b"x")], b"xy"), "more than it says"),
    "other bytes": (lambda: handmade([entry("hubshelf", b"abc")], b"abd"), "not what the hub signed"),
    "less than said": (lambda: handmade([entry("hubshelf", b"xyz")], b"x"), "too early"),
    "base of nothing": (lambda: handmade([entry("hubshelf")], bases=["../../etc/passwd"]), "no system takes"),
    "long header": (lambda: MAGIC + struct.pack(">I", 2**31) + b"x", "longer header"),
    "bomb": (
        lambda: MAGIC + (bomb := zstd.compress(b"[" * 100_000_000)).__len__().to_bytes(4, "big") + bomb,
        "longer header",
    ),
    "nothing": (lambda: b"", "no step"),
    "no build": (lambda: b"PK\x03\x04" + b"\x00" * 100, "no step"),
}


def header_of(data: bytes) -> bytes:
    try:
        return zstd.ZstdDecompressor().decompress(data[len(MAGIC) + 4 :], max_length=100_000)
    except zstd.ZstdError:
        return b""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_step_is_refused_and_nothing_is_outside(tmp_path: Path, name: str) -> None:
    data = HOSTILE[name][0]()
    (tmp_path / "step").write_bytes(data)
    place = tmp_path / "a" / "builds"
    signed = re.search(rb'"to": "([0-9a-f]{64})"', header_of(data))
    build = Build("linux-x86_64", "1.0", signed[1].decode() if signed else "0" * 64, 1, "hubshelf")
    with pytest.raises(BuildDamaged, match=HOSTILE[name][1]):
        stage(tmp_path / "step", build, None, place)
    assert list(place.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "step"]


@pytest.mark.parametrize("path", ["", "a//b", "a/./b", "a/", "a b ", "nul", "x" * 300, "a:b", None, 3, "a\nb"])
def test_a_path_that_no_system_takes_is_refused(path: Any) -> None:
    with pytest.raises(Malformed):
        checked_path(path)


def test_only_the_root_keys_sign_what_runs_on_every_desk() -> None:
    root_key, head_key = SigningKey.generate(), SigningKey.generate()
    root = pin(make_root(1, [root_key.public], [head_key.public], "2030-01-01T00:00:00Z", [root_key]))
    build = Build("linux-x86_64", "1.2", "a" * 64, 10, "hubshelf", (Way(ObjectRef("b" * 64, 5)),), {"en": "More."})
    listed = Builds(3, (build,))
    assert verify_builds(listed.sign([root_key]), root) == listed
    with pytest.raises(BadSignature):
        verify_builds(listed.sign([head_key]), root)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda x: (
            st.lists(x, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "number",
                        "builds",
                        "platform",
                        "version",
                        "tree",
                        "size",
                        "ways",
                        "hash",
                        "from",
                        "program",
                        "notes",
                    ]
                ),
                x,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_was_signed_is_read_or_refused(body: Any) -> None:
    from sync.protocol.signing import sign_document
    from sync.protocol.wire_json import dump

    root_key = SigningKey(b"r" * 32)
    root = pin(make_root(1, [root_key.public], [root_key.public], "2030-01-01T00:00:00Z", [root_key]))
    if isinstance(body, dict):
        with suppress(ProtocolError):
            verify_builds(sign_document("builds", dump(body), [root_key]), root)


def test_versions_are_compared_by_their_numbers() -> None:
    made = [Build("linux-x86_64", version, "a" * 64, 1, "x") for version in ("0.9", "0.10", "0.10.1", "1.0")]
    assert sorted(made, key=lambda one: one.order) == made


def test_the_cheapest_way_is_taken() -> None:
    ways = (
        Way(ObjectRef("a" * 64, 500)),
        Way(ObjectRef("b" * 64, 20), "c" * 64),
        Way(ObjectRef("d" * 64, 5), "e" * 64),
    )
    build = Build("linux-x86_64", "1.0", "f" * 64, 1, "x", ways)
    assert build.way("c" * 64) == ways[1]
    assert build.way("0" * 64) == ways[0]


def test_a_folder_that_is_no_build_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotABuild):
        installed(tmp_path)
    for said in ("", "[]", "{}", '{"platform": 3}', '{"files": [{"path": "../x"}]}', "{" * 5000):
        (tmp_path / BUILD).write_text(said)
        with pytest.raises(NotABuild):
            installed(tmp_path)


def test_a_listing_has_bounds() -> None:
    with pytest.raises(Malformed):
        listing(Item(f"f{n}") for n in range(20_001))
    with pytest.raises(Malformed):
        listing(Item(f"f{n}", 2**30, "0" * 64) for n in range(3))
