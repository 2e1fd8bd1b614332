"""What is sealed for members: only the right key opens it, no byte of it can be changed, nothing unbounded."""

from __future__ import annotations

import base64
import random

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import limits, sealed, segments
from sync.protocol.errors import Malformed, NoKey, TooLarge
from sync.protocol.head import Head, ObjectRef, verify_head
from sync.protocol.messages import EnrolResponse, SyncRequest, SyncResponse
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root, pin

KEY, OTHER = bytes(range(32)), bytes(32)
RING = {sealed.key_id(KEY): KEY}
SEALED = bytes.fromhex(
    "48535801630dcd2966c433660000000000000000000000007ed73011c083cbb376132f9b7d3d644409248b9df8f29b61dec3f7"
)
"""`for members` under KEY with a nonce of zero bytes, as any implementation of RFC 8439 seals it."""


def test_the_form_is_the_one_on_the_page() -> None:
    assert sealed.unseal(SEALED, RING) == b"for members"


@given(st.binary(max_size=300))
def test_what_is_sealed_comes_back_and_is_never_sealed_twice_the_same(data: bytes) -> None:
    one, two = sealed.seal(data, KEY), sealed.seal(data, KEY)
    assert sealed.unseal(one, RING) == sealed.unseal(two, RING) == data
    assert one != two
    assert len(one) == len(data) + sealed.OVERHEAD
    assert len(data) < 8 or data not in one


@given(st.data())
def test_any_changed_or_missing_byte_is_noticed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SEALED) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(SEALED)
    changed[place] ^= bit
    with pytest.raises(NoKey if 4 <= place < 12 else Malformed):
        sealed.unseal(bytes(changed), RING)
    with pytest.raises((Malformed, NoKey)):
        sealed.unseal(SEALED[:place], RING)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(NoKey):
        sealed.unseal(SEALED, {sealed.key_id(OTHER): OTHER})
    with pytest.raises(NoKey):
        sealed.unseal(SEALED, {})
    with pytest.raises(Malformed):  # a key that goes by the right name and is not it
        sealed.unseal(SEALED, {sealed.key_id(KEY): OTHER})


def test_a_document_is_bounded_before_it_is_decoded() -> None:
    raw = b'{"feeds":[]}'
    assert sealed.unseal_document(sealed.seal_document(raw, KEY), RING, 12) == raw
    bomb = sealed.seal(zstd.compress(bytes(50_000_000)), KEY)
    with pytest.raises(TooLarge):
        sealed.unseal_document(bomb, RING, limits.DOCUMENT)
    with pytest.raises(TooLarge):
        sealed.unseal_document(bytes(limits.DOCUMENT + 2000), RING, limits.DOCUMENT)
    for junk in (b"", b"not a frame", zstd.compress(raw)[:-3]):
        with pytest.raises(Malformed):
            sealed.unseal_document(sealed.seal(junk, KEY), RING, 100)


def test_the_largest_segment_still_fits_when_it_is_sealed() -> None:
    noise = base64.b64encode(random.Random(3).randbytes(1_200_000))
    size, lines = 1_380_000, [b""]
    for _ in range(20):
        lines = [b"@members/talk/en", b'{"id":"a","body":"%s"}' % noise[:700_000]]
        lines.append(b'{"id":"b","body":"%s"}' % noise[700_000:size])
        missing = limits.SEGMENT - 20 - len(segments.encode(lines).data)
        if abs(missing) < 20:
            break
        size += missing * 5 // 4 + (1 if missing > 0 else -1)
    else:
        pytest.fail("no segment of just the size that is allowed was found")
    sizes = [len(sealed.seal(segment.data, KEY)) for segment in segments.split(lines)]
    assert max(sizes) <= limits.SEGMENT


def test_messages_carry_keys() -> None:
    ids, keys = (sealed.key_id(KEY),), (KEY.hex(),)
    assert SyncRequest.from_bytes(SyncRequest(keys=ids).to_bytes()).keys == ids
    assert SyncResponse.from_bytes(SyncResponse(1, 2, keys=keys).to_bytes()).keys == keys
    assert EnrolResponse.from_bytes(EnrolResponse("h", "m", "e", b"{}", keys).to_bytes()).keys == keys
    assert sealed.keyring(keys) == RING
    assert b"keys" not in SyncRequest().to_bytes() + SyncResponse(1, 2).to_bytes()
    for wrong in (["x" * 16], [1], "0" * 16, [KEY.hex()], ["0" * 16] * 9):
        with pytest.raises((Malformed, TooLarge)):
            SyncRequest.from_bytes(b'{"keys":%s}' % repr(wrong).replace("'", '"').encode())
    with pytest.raises(Malformed):
        SyncResponse.from_bytes(b'{"epoch":1,"cursor":0,"keys":["%s"]}' % (b"G" * 64))


def test_a_head_names_the_members_index() -> None:
    key = SigningKey(bytes([7]) * 32)
    root = pin(make_root(1, [key.public], [key.public], "2030-01-01T00:00:00Z", [key]))
    index, hidden = ObjectRef("a" * 64, 10), ObjectRef("b" * 64, 20)
    plain = Head(1, 1, 1, 2, index, "hub", "", "")
    assert verify_head(plain.sign(key), root, (0, 0), 2).members is None
    assert b"members" not in plain.sign(key)
    both = Head(1, 1, 1, 2, index, "hub", "", "", members=hidden)
    assert verify_head(both.sign(key), root, (0, 0), 2).members == hidden
