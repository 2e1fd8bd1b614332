"""Sealed messages of the personal plane: packed, under a MAC of the device, with things inlined behind an answer.

Request: byte 2, token (32 bytes), nonce (12), MAC (16), packed message. Answer: size of the packed message
(LEB128), MAC (16), packed message, inlined things. Packed: number of a dictionary, raw size (LEB128), payload; the
payload is PPMd of order 6 with 2**22 bytes, trained with the dictionary, or the raw bytes where the number is 255.

An inlined thing: kind (`d` a document's frame, `p` a document's patch behind the hash of its base, `o` an object),
SHA-256 (32 bytes), size of all its bytes (LEB128), where those sent begin (LEB128), the bytes from there to its
end. Things stand outside of the MAC: their hashes verify them, so that each is used however short the answer was
cut.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync.protocol import limits, ppmd
from sync.protocol.dictionaries import NUMBERS, dictionary, number_of
from sync.protocol.errors import BadMac, Malformed, TooLarge
from sync.protocol.messages import Operation, SyncRequest, SyncResponse
from sync.protocol.numbers import read_number, try_number, write_number
from sync.protocol.wire_json import is_digest

DOCUMENT, PATCH, OBJECT = b"d", b"p", b"o"
"""Kinds of inlined things."""
NONCE = 12
"""Bytes of a nonce."""

_VERSION = b"\x02"
_TOKEN, _MAC, _HASH = 32, 16, 32
_ASK_HEAD = 1 + _TOKEN + NONCE + _MAC
_ORDER, _MEMORY_LOG = 6, 22
_PLAIN = 255
_LIMITS = {DOCUMENT: limits.DOCUMENT, PATCH: limits.DOCUMENT, OBJECT: limits.SEGMENT}
_LANGUAGES_TRIED = 2
_WORTH_PACKING = 128
"""Bytes of a message: shorter ones, which is most of them, go as they are. That costs some 40 bytes and saves the
hub a model for each (pyppmd 1.3.1 leaks 7 KB with every encoder)."""
_WORTH_A_LANGUAGE, _WORTH_GUESSING = 200, 64 * 1024
"""Bytes of a message: shorter ones have no words, longer ones teach the model by themselves."""


def pack(raw: bytes, lang: str = "") -> bytes:
    """Return `raw` coded against the skeleton or the dictionary of `lang`, or plain: whichever is smallest."""
    return _pack(raw, [lang])


def unpack(data: bytes, limit: int) -> bytes:
    """Return the message of at most `limit` bytes that `pack` packed; raises Malformed, TooLarge."""
    if not data:
        raise Malformed("A message is empty.")
    size, place = read_number(data, 1)
    if size > limit:
        raise TooLarge(f"A message announces {size} bytes; at most {limit} are read.")
    number, payload = data[0], data[place:]
    if number == _PLAIN:
        if len(payload) != size:
            raise Malformed("A message does not have the size that it announces.")
        return payload
    if number not in NUMBERS.values():
        raise Malformed(f"A message is coded against dictionary {number}, which this version does not have.")
    return ppmd.expand(payload, size, _ORDER, _MEMORY_LOG, dictionary(number))


def ask(token: str, nonce: bytes, request: SyncRequest) -> bytes:
    """Return the body of a request by the device that holds `token` (64 hexadecimal characters).

    `nonce`: 12 bytes, fresh each time. Raises ValueError for another token or nonce.
    """
    secret = _token_bytes(token)
    if len(nonce) != NONCE:
        raise ValueError(f"a nonce has {NONCE} bytes")
    languages = [*_languages(request.operations, ()), *(request.streams.languages or ())]
    packed = _pack(request.to_bytes(), languages if request.operations else [])
    return _VERSION + secret + nonce + _mac(token, b"ask\n", nonce, packed) + packed


def ask_token(body: bytes) -> str:
    """Return the token that a request claims, unverified: whose it is decides whether to read on. Malformed."""
    if len(body) < _ASK_HEAD or body[:1] != _VERSION:
        raise Malformed("The request is not one that this hub reads.")
    return body[1 : 1 + _TOKEN].hex()


def read_ask(body: bytes) -> tuple[str, bytes, SyncRequest]:
    """Return (token, nonce, request) of a request's body.

    The token is the caller's claim; the MAC only shows that whoever holds it made this request whole. Raises
    BadMac, Malformed, TooLarge.
    """
    if len(body) > limits.SYNC_REQUEST:
        raise TooLarge(f"The request is {len(body)} bytes long; at most {limits.SYNC_REQUEST} are read.")
    token = ask_token(body)
    nonce, given = body[1 + _TOKEN : 1 + _TOKEN + NONCE], body[_ASK_HEAD - _MAC : _ASK_HEAD]
    packed = body[_ASK_HEAD:]
    if not hmac.compare_digest(_mac(token, b"ask\n", nonce, packed), given):
        raise BadMac("The request was changed on its way to the hub.")
    return token, nonce, SyncRequest.from_bytes(unpack(packed, limits.SYNC_REQUEST))


def answer(token: str, nonce: bytes, response: SyncResponse, operations: Sequence[Operation] = ()) -> bytes:
    """Return the answer to the request with `nonce` and `operations`, up to where inlined things begin."""
    packed = _pack(response.to_bytes(operations), _languages(operations, response.items))
    return write_number(len(packed)) + _mac(token, b"answer\n", nonce, packed) + packed


def inline(kind: bytes, hash_hex: str, data: bytes, offset: int = 0) -> bytes:
    """Return one inlined thing: the bytes of `data` from `offset` on, for behind an answer.

    Raises ValueError for what no reader takes.
    """
    if kind not in _LIMITS or len(data) > _LIMITS[kind] or not 0 <= offset <= len(data):
        raise ValueError(f"{len(data)} bytes of kind {kind!r} from {offset} on cannot be inlined")
    if not is_digest(hash_hex):
        raise ValueError("a thing is named by its SHA-256")
    return kind + bytes.fromhex(hash_hex) + write_number(len(data)) + write_number(offset) + data[offset:]


@dataclass(frozen=True)
class Message:
    """The answer itself, its MAC verified."""

    response: SyncResponse


@dataclass(frozen=True)
class Begun:
    """An inlined thing begins: `size` bytes in all, of which those from `offset` on follow."""

    kind: bytes
    hash: str
    size: int
    offset: int


@dataclass(frozen=True)
class Piece:
    """The next bytes of the thing that has begun; nothing about them is verified yet."""

    data: bytes


@dataclass(frozen=True)
class Ended:
    """The thing that has begun is there to its end; its hash is still to be verified."""


Event = Message | Begun | Piece | Ended


class AnswerReader:
    """Reads an answer as it arrives, in pieces of any size, and keeps no more of it than one message."""

    def __init__(
        self,
        token: str,
        nonce: bytes,
        limit: int = limits.SYNC_RESPONSE,
        operations: Sequence[Operation] = (),
    ) -> None:
        """`limit`: bytes of the message, packed and raw. `operations`: those of the request, in its order."""
        self._token, self._nonce, self._limit, self._operations = token, nonce, limit, operations
        self._buffer = bytearray()
        self._answered = False
        self._left: int | None = None

    @property
    def finished(self) -> bool:
        """Whether the answer may end here: the message is there, and no thing is cut."""
        return self._answered and self._left is None and not self._buffer

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Return what `piece` brings, to be consumed before the next call.

        Raises (after the events before) BadMac, Malformed, TooLarge; the reader is of no use after that.
        """
        self._buffer += piece
        return self._events()

    def _events(self) -> Iterator[Event]:
        if not self._answered:
            message = self._message()
            if message is None:
                return
            self._answered = True
            yield message
        while True:
            if self._left is None:
                begun = self._begun()
                if begun is None:
                    return
                self._left = begun.size - begun.offset
                yield begun
            if self._left and not self._buffer:
                return
            if self._left:
                data = self._take(min(self._left, len(self._buffer)))
                self._left -= len(data)
                yield Piece(data)
            if not self._left:
                self._left = None
                yield Ended()

    def _message(self) -> Message | None:
        found = try_number(self._buffer, 0)
        if found is None:
            return None
        size, place = found
        if size > self._limit:
            raise TooLarge(f"The answer announces {size} bytes; at most {self._limit} are read.")
        if len(self._buffer) < place + _MAC + size:
            return None
        head = self._take(place + _MAC)
        packed = self._take(size)
        if not hmac.compare_digest(_mac(self._token, b"answer\n", self._nonce, packed), head[place:]):
            raise BadMac("The answer was not made by the hub that this device is enrolled with.")
        return Message(SyncResponse.from_bytes(unpack(packed, self._limit), self._operations))

    def _begun(self) -> Begun | None:
        if not self._buffer:
            return None
        kind = bytes(self._buffer[:1])
        if kind not in _LIMITS:
            raise Malformed("Something stands behind the answer that this version cannot read.")
        total = try_number(self._buffer, 1 + _HASH)
        offset = try_number(self._buffer, total[1]) if total is not None else None
        if total is None or offset is None:
            return None
        if total[0] > _LIMITS[kind]:
            raise TooLarge(f"An inlined thing announces {total[0]} bytes; at most {_LIMITS[kind]} are read.")
        if offset[0] > total[0]:
            raise Malformed("An inlined thing begins behind its end.")
        head = self._take(offset[1])
        return Begun(kind, head[1 : 1 + _HASH].hex(), total[0], offset[0])

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _pack(raw: bytes, languages: Iterable[str]) -> bytes:
    """As `pack`, with several languages to choose from; the smallest result, the skeleton's on a tie."""
    if len(raw) <= _WORTH_PACKING:
        return bytes((_PLAIN,)) + write_number(len(raw)) + raw
    numbers = [0]
    if len(raw) > _WORTH_A_LANGUAGE:
        for number in map(number_of, languages):
            if number not in numbers and len(numbers) <= _LANGUAGES_TRIED:
                numbers.append(number)
    if len(raw) > _WORTH_GUESSING:
        numbers = numbers[-1:]
    coded = [(bytes((number,)), ppmd.compress(raw, _ORDER, _MEMORY_LOG, dictionary(number))) for number in numbers]
    coded.append((bytes((_PLAIN,)), raw))
    chosen, payload = min(coded, key=lambda one: len(one[1]))
    return chosen + write_number(len(raw)) + payload


def _languages(operations: Sequence[Operation], items: Iterable[object]) -> list[str]:
    bodies: list[object] = [operation.body for operation in operations]
    found = [body.get("lang") for body in [*bodies, *items] if isinstance(body, dict)]
    return [lang for lang in found if isinstance(lang, str)]


def _token_bytes(token: str) -> bytes:
    if not is_digest(token):
        raise ValueError("a token has 64 lower-case hexadecimal characters")
    return bytes.fromhex(token)


def _mac(token: str, purpose: bytes, nonce: bytes, packed: bytes) -> bytes:
    key = hashlib.sha256(b"hubshelf/mac/2\n" + token.encode()).digest()
    return hmac.new(key, purpose + nonce + packed, hashlib.sha256).digest()[:_MAC]
