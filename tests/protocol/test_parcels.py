"""Files by hand: only who they are for opens them, no byte of them can be changed, and nothing is unbounded."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.sealed_pieces import PIECE, TAG, Opener, PiecesDamaged, seal, sealed_size
from sync.protocol import by_hand, parcels, uploads
from sync.protocol.errors import BadMac, Malformed, ProtocolError
from sync.protocol.messages import token_hash
from sync.protocol.packs import PackDamaged
from sync.protocol.signing import SigningKey

TOKEN, STRANGER = "a" * 64, "b" * 64
HASHED, OTHER = token_hash(TOKEN), token_hash(STRANGER)
SECRET = bytes([9]) * 32
HUB = by_hand.public_key(SECRET)
KEY = SigningKey(bytes([7]) * 32)
KEYS = {KEY.key_id: KEY.public}
TAG_OF = by_hand.tag_of(HASHED)
FILE = random.Random(7).randbytes(3 * PIECE + 500)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parcel(data: bytes = FILE, token: str = TOKEN, hub: bytes = HUB) -> bytes:
    return b"".join(parcels.to_hub(token, hub, digest(data), len(data)).pieces([data]))


def returned(data: bytes = FILE, hashed: str = HASHED, key: SigningKey = KEY) -> bytes:
    return b"".join(parcels.to_device(hashed, digest(data), len(data), [data], key).pieces([data]))


def at_hub(data: bytes, secret: bytes = SECRET, hashed: str = HASHED) -> bytes:
    found = parcels.open_parcel(io.BytesIO(data), len(data), secret)
    found.require_from(hashed)
    return b"".join(found.blocks())


def at_device(data: bytes, hashed: str = HASHED) -> bytes:
    return b"".join(parcels.open_return(io.BytesIO(data), len(data), hashed).blocks())


def carried(data: bytes, tag: str = TAG_OF) -> bytes:
    return b"".join(parcels.return_pieces(io.BytesIO(data), tag, KEYS))


@pytest.mark.parametrize("size", [1, PIECE - 88, PIECE - 87, PIECE, 2 * PIECE, 2 * PIECE - 40])
def test_what_was_sealed_is_opened_where_it_should_be(size: int) -> None:
    data = FILE[:size]
    for sealed, opened in ((parcel(data), at_hub), (returned(data), at_device)):
        assert opened(sealed) == data
        assert data[:100] not in sealed or size < 20
    plan = parcels.to_hub(TOKEN, HUB, digest(data), size)
    assert (plan.length, plan.digest([data])) == (len(parcel(data)), digest(parcel(data)))
    given_back = parcels.to_device(HASHED, digest(data), size, [data], KEY)
    assert (given_back.length, given_back.digest([data])) == (len(returned(data)), digest(returned(data)))


def test_the_same_file_is_the_same_bytes_and_another_ones_are_others() -> None:
    assert parcel() == parcel()
    assert returned() == returned()
    keys = {parcel(FILE, token, hub)[4:36] for token in (TOKEN, STRANGER) for hub in (HUB, KEY_OF_ANOTHER)}
    assert len(keys | {parcel(FILE[1:])[4:36]}) == 5
    assert returned(FILE[1:])[20:36] != returned()[20:36] != returned(FILE, OTHER)[20:36]
    # Nothing tells a carrier whose parcel it is, nor lets them confirm a guess of the file.
    for told in (TAG_OF, digest(FILE), HASHED):
        assert bytes.fromhex(told) not in parcel()
    assert bytes.fromhex(digest(FILE)) not in returned()


KEY_OF_ANOTHER = by_hand.public_key(bytes([8]) * 32)


def test_only_who_it_is_for_opens_it_and_only_its_sender_made_it() -> None:
    with pytest.raises(Malformed):
        at_hub(parcel(), bytes([8]) * 32)
    with pytest.raises(Malformed):
        at_device(returned(), OTHER)
    with pytest.raises(BadMac):
        at_hub(parcel(FILE, STRANGER))
    # What the sender said is bound to the key of its parcel.
    mac = parcels.open_parcel(io.BytesIO(parcel()), len(parcel()), SECRET)._mac
    assert parcels.open_parcel(io.BytesIO(parcel(FILE[1:])), len(parcel(FILE[1:])), SECRET)._mac != mac
    assert parcels.is_return(io.BytesIO(returned()), TAG_OF, KEYS)
    assert carried(returned()) == returned()
    for wrong in (
        returned(FILE, HASHED, SigningKey(bytes([6]) * 32)),
        returned(FILE, OTHER),
        returned()[:130],
        b"",
    ):
        assert not parcels.is_return(io.BytesIO(wrong), TAG_OF, KEYS)
        with pytest.raises(PackDamaged):
            carried(wrong)
    with pytest.raises(PackDamaged, match="not the one"):  # a real beginning, and anything behind it
        carried(returned()[:-1] + b"x")
    assert parcels.is_parcel(io.BytesIO(parcel()), len(parcel()))
    assert not parcels.is_parcel(io.BytesIO(returned()), len(returned()))


def pieces_of(data: bytes, head: int) -> list[bytes]:
    body = data[head:]
    return [data[:head], *(body[at : at + PIECE + TAG] for at in range(0, len(body), PIECE + TAG))]


CHANGES: list[Callable[[list[bytes]], list[bytes]]] = [
    lambda found: found[:-1],
    lambda found: [*found[:-1], found[-1][:-1]],
    lambda found: [*found, b"x"],
    lambda found: [*found, found[-1]],
    lambda found: [found[0], found[2], found[1], *found[3:]],
    lambda found: [*found[:2], *found[3:]],
    lambda found: [*found[:3], found[2], *found[3:]],
    lambda found: [*found[:3], bytes([found[3][0] ^ 1]) + found[3][1:], *found[4:]],
]


@pytest.mark.parametrize("change", CHANGES)
def test_cut_moved_repeated_and_continued_ones_are_refused(change: Callable[[list[bytes]], list[bytes]]) -> None:
    for data, head, opened in ((parcel(), 36, at_hub), (returned(), 132, at_device)):
        wrong = b"".join(change(pieces_of(data, head)))
        with pytest.raises((PackDamaged, Malformed)):
            opened(wrong)
        assert wrong != data


def test_a_stream_by_itself_says_where_it_ends() -> None:
    key = bytes(32)

    def opened(data: bytes, bound: bytes = b"head") -> bytes:
        opener = Opener(key, bound, io.BytesIO(data).read)
        return b"".join(iter(opener.next, b""))

    for size in (0, 1, PIECE, PIECE + 1, 2 * PIECE):
        sealed = list(seal(key, b"head", [FILE[:size]]))
        assert opened(b"".join(sealed)) == FILE[:size]
        assert len(b"".join(sealed)) == sealed_size(size)
        for wrong in (b"".join(sealed[:-1]), b"".join(sealed) + sealed[-1], b"".join(sealed)[1:], b""):
            with pytest.raises(PiecesDamaged):
                opened(wrong)
        with pytest.raises(PiecesDamaged):
            opened(b"".join(sealed), b"other")


class Endless(io.RawIOBase):
    """A file that never ends, as a device under a pack's name would be; it counts what is read of it."""

    def __init__(self, begin: bytes) -> None:
        self.left, self.count = begin, 0

    def read(self, size: int = -1) -> bytes:
        data, self.left = self.left[:size], self.left[size:]
        self.count += size
        return data or bytes(size)


def test_what_claims_too_much_costs_little() -> None:
    for size in (0, uploads.FILE + 1, 2**63):
        plan = parcels.to_hub(TOKEN, HUB, digest(FILE), size)
        data = b"".join(plan.pieces([FILE]))
        with pytest.raises(Malformed, match="as long as it says"):
            parcels.open_parcel(io.BytesIO(data), len(data), SECRET)
    with pytest.raises(Malformed):
        parcels.open_parcel(io.BytesIO(parcel()), 2**40, SECRET)
    endless = Endless(parcel())
    with pytest.raises(PackDamaged):
        b"".join(parcels.open_parcel(endless, len(parcel()), SECRET).blocks())  # type: ignore[arg-type]
    assert endless.count < len(parcel()) + 4 * PIECE
    endless = Endless(returned())
    with pytest.raises(PackDamaged):
        for _block in parcels.return_pieces(endless, TAG_OF, KEYS):  # type: ignore[arg-type]
            pass
    assert endless.count < parcels.LONGEST + 2**20


def test_it_is_sealed_as_it_is_read() -> None:
    """However large a file is, only some pieces of it are held."""
    given_out = 0

    def blocks() -> Iterator[bytes]:
        nonlocal given_out
        for _ in range(64):
            given_out += PIECE
            yield bytes(PIECE)

    taken = 0
    for piece in parcels.to_hub(TOKEN, HUB, digest(b""), 64 * PIECE).pieces(blocks()):
        taken += len(piece)
        assert given_out - taken < 3 * PIECE


def test_what_is_here_already_is_left_out() -> None:
    for skip in (0, 1, PIECE - 88, PIECE, len(FILE) - 1, len(FILE)):
        found = parcels.open_parcel(io.BytesIO(parcel()), len(parcel()), SECRET)
        assert b"".join(found.blocks(skip)) == FILE[skip:]


@given(st.binary(max_size=400), st.integers(0, 800), st.integers(1, 255))
def test_damaged_and_invented_ones_are_known_errors(noise: bytes, place: int, value: int) -> None:
    for data, opened in ((bytearray(parcel(FILE[:300])), at_hub), (bytearray(returned(FILE[:300])), at_device)):
        place %= len(data)
        short, magic = bytes(data[:place]), bytes(data[:4])
        data[place] ^= value
        for wrong in (bytes(data), short, noise, magic + noise):
            if opened is at_device and 36 <= place < 132 and wrong == bytes(data):
                continue  # the signature is for carriers; the device has its own proof
            with pytest.raises(ProtocolError):
                opened(wrong)
    with pytest.raises(PackDamaged):
        carried(bytes(data))
