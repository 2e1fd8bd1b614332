"""Documents come back whole, patches need their base, and nothing hostile costs more than it announces."""

from __future__ import annotations

import contextlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import documents, limits
from sync.protocol.errors import Malformed, ProtocolError, TooLarge, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import dump, sha256

LIMIT = limits.DOCUMENT


def ref(raw: bytes) -> ObjectRef:
    return ObjectRef(sha256(raw), len(raw))


def index(version: int, feeds: int = 200) -> bytes:
    return dump(
        {
            "version": version,
            "feeds": [{"name": f"f{n}", "hash": sha256(str(n).encode())} for n in range(feeds)],
        }
    )


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_what_is_packed_or_patched_comes_back(raw: bytes, base: bytes) -> None:
    assert documents.unpack(documents.pack(raw), ref(raw), LIMIT) == raw
    assert documents.unpatch(documents.patch(raw, base), base, ref(raw), LIMIT) == raw


def test_a_patch_is_small_however_large_the_document() -> None:
    old, new = index(1, 5000), index(2, 5000).replace(b'"f77"', b'"g77"')
    patch = documents.patch(new, old)
    assert len(patch) < 0.001 * len(new)
    assert documents.unpatch(patch, old, ref(new), LIMIT) == new


def test_another_base_or_another_name_is_refused() -> None:
    old, new = index(1), index(2)
    patch = documents.patch(new, old)
    for base in (b"", old[:-1], index(3, 100), b"x" * len(old)):
        with pytest.raises((Malformed, WrongHash)):
            documents.unpatch(patch, base, ref(new), LIMIT)
    with pytest.raises(WrongHash):
        documents.unpatch(patch, old, ObjectRef(sha256(old), len(new)), LIMIT)
    with pytest.raises(WrongHash):
        documents.unpack(documents.pack(new), ObjectRef(sha256(old), len(new)), LIMIT)


def test_every_damage_and_every_cut_is_refused() -> None:
    raw = index(1, 5)
    data = documents.pack(raw)
    for place in range(len(data)):
        with pytest.raises(Malformed):
            documents.unpack(data[:place], ref(raw), LIMIT)
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        with contextlib.suppress(ProtocolError):
            assert documents.unpack(damaged, ref(raw), LIMIT) == raw


def test_what_is_behind_the_end_or_of_another_size_is_refused() -> None:
    raw = index(1)
    for data, size in [
        (documents.pack(raw) + b"x", len(raw)),
        (documents.pack(raw), len(raw) + 1),
        (documents.pack(raw), len(raw) - 1),
        (b"", len(raw)),
        (zstd.compress(bytes(200_000_000)), 1000),
    ]:
        with pytest.raises(Malformed):
            documents.unpack(data, ObjectRef(sha256(raw), size), LIMIT)


def test_bounds_are_looked_at_first() -> None:
    raw = index(1)
    with pytest.raises(TooLarge):
        documents.unpack(documents.pack(raw), ref(raw), len(raw) - 1)
    with pytest.raises(TooLarge):
        documents.unpack(bytes(5000), ref(b""), 1000)
