"""The personal plane without a link: a member's operations sealed to the hub, and the hub's answers sealed to a
device.

An **envelope** goes to the hub: `HSB\\x01`, an ephemeral X25519 key (32 bytes), and ChaCha20-Poly1305 of what is
inside, under a key that HKDF makes of both. Whoever carries it learns neither what is in it nor whose it is.
Inside: a MAC under the device's secret, and the packed letter. An **answer**: `HSA\\x01`, the device's tag (16
bytes), a number (8 bytes, big endian), a nonce (12), ChaCha20-Poly1305 under a key that only that device and the
hub have, and the hub's signature, so that a carrier knows a real one. docs/protocol-packs.md, "Messages by hand".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.protocol import envelope, limits, packs
from sync.protocol.errors import BadMac, Malformed, TooLarge
from sync.protocol.messages import EnrolResponse, SyncRequest, SyncResponse, read_pair
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey, verifies
from sync.protocol.wire_json import dump, is_digest, load_object, text

KEY = 32
"""Bytes of the hub's sealing key, secret or public."""
FILES = 200
"""Files that a letter or an answer speaks of in one list (count)."""
ANSWER_MOST = packs.ANSWER
LETTER_MOST = limits.SYNC_REQUEST - 4096
"""Bytes of a letter as JSON, so that its envelope is none that a hub does not take."""

_BOX, _ANSWER = b"HSB\x01", b"HSA\x01"
_TAG, _NUMBER, _NONCE, _MAC, _SIGNATURE = 16, 8, 12, 32, 64
_ANSWER_HEAD = len(_ANSWER) + _TAG + _NUMBER
_ANSWER_LEAST = _ANSWER_HEAD + _NONCE + 16 + _SIGNATURE
_ROLE = "answer"


@dataclass(frozen=True)
class Joining:
    """A code that becomes a device by hand, as in an enrolment; the token itself stays where it was made."""

    code: str
    device: str
    device_name: str
    token_hash: str

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "device": self.device,
            "device_name": self.device_name,
            "token_hash": self.token_hash,
        }

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> Joining:
        found = cls(
            text(source, "code", "enrolment")[:200],
            text(source, "device", "enrolment"),
            text(source, "device_name", "enrolment", default="")[:200],
            text(source, "token_hash", "enrolment"),
        )
        if not 1 <= len(found.device) <= 64 or not is_digest(found.token_hash):
            raise Malformed("An enrolment names its device and the hash of a token.")
        return found


@dataclass(frozen=True)
class Files:
    """What a device says of files, by SHA-256: those that it sends in parcels and has no word of (`sent`), and
    those of answers that it lacks (`wants`); at most `FILES` of each."""

    sent: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        said = {"sent": list(self.sent[:FILES]), "wants": list(self.wants[:FILES])}
        return {key: value for key, value in said.items() if value}

    @classmethod
    def from_json(cls, source: object) -> Files:
        """Read it; nothing where it is absent. Raises Malformed."""
        if source is None:
            return cls()
        if not isinstance(source, dict):
            raise Malformed("What a letter says of files cannot be read.")
        return cls(_hashes(source.get("sent")), _hashes(source.get("wants")))


@dataclass(frozen=True)
class Letter:
    """What a device sends by hand. `tag`: whose it is; `order`: (device epoch, number of the writing), which only
    rises; `made`: UTC, for people; `request`: as of a sync; `joining`: a code that this device is to be made
    of; `files`: what it says of files that go by hand."""

    tag: str
    order: tuple[int, int]
    made: str
    request: SyncRequest
    joining: Joining | None = None
    files: Files = Files()

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {
            "device": self.tag,
            "order": list(self.order),
            "made": self.made,
            "request": json.loads(self.request.to_bytes()),
        }
        if self.joining is not None:
            body["enrol"] = self.joining.to_json()
        if files := self.files.to_json():
            body["files"] = files
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Letter:
        body = load_object(data, limits.SYNC_REQUEST, "letter")
        request, joining = body.get("request"), body.get("enrol")
        if not isinstance(request, dict) or not (joining is None or isinstance(joining, dict)):
            raise Malformed("A letter has no request.")
        return cls(
            text(body, "device", "letter"),
            read_pair(body, "order"),
            text(body, "made", "letter", default="")[:40],
            SyncRequest.from_bytes(dump(request)),
            None if joining is None else Joining.from_json(joining),
            Files.from_json(body.get("files")),
        )


@dataclass(frozen=True)
class Opened:
    """An envelope that was opened: the letter, believed only after `require_from`."""

    letter: Letter
    _packed: bytes
    _mac: bytes
    _bound: bytes

    def require_from(self, hashed_token: str) -> None:
        """Return if the device with this token hash wrote it. Raises BadMac."""
        if not hmac.compare_digest(_mac(hashed_token, self._bound, self._packed), self._mac):
            raise BadMac("The envelope was not sealed by the device that it names.")


@dataclass(frozen=True)
class Answer:
    """What the hub says to one device by hand: what is new after `since` (epoch, cursor), the newest writing of
    the device that is settled (`through`), what became of a code that it sent, and which files of its parcels are
    here and belong to what it sent (`arrived`, by SHA-256)."""

    since: tuple[int, int]
    through: tuple[int, int]
    response: SyncResponse
    enrolled: EnrolResponse | None = None
    problem: Problem | None = None
    arrived: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {
            "since": list(self.since),
            "through": list(self.through),
            "answer": json.loads(self.response.to_bytes()),
        }
        if self.enrolled is not None:
            body["enrolled"] = json.loads(self.enrolled.to_bytes())
        if self.problem is not None:
            body["problem"] = self.problem.to_json()
        if self.arrived:
            body["arrived"] = list(self.arrived[:FILES])
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Answer:
        body = load_object(data, limits.SYNC_RESPONSE, "answer")
        answer, enrolled, problem = body.get("answer"), body.get("enrolled"), body.get("problem")
        if not isinstance(answer, dict):
            raise Malformed("An answer by hand says nothing.")
        return cls(
            read_pair(body, "since"),
            read_pair(body, "through"),
            SyncResponse.from_bytes(dump(answer)),
            EnrolResponse.from_bytes(dump(enrolled)) if isinstance(enrolled, dict) else None,
            Problem.from_json(problem) if isinstance(problem, dict) else None,
            _hashes(body.get("arrived")),
        )


def new_key() -> bytes:
    """Return a fresh secret key of a hub."""
    return secrets.token_bytes(KEY)


def public_key(secret: bytes) -> bytes:
    """Return the public part of a hub's secret key."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def tag_of(hashed_token: str) -> str:
    """Return by which 32 hexadecimal characters a device is named where anybody may look."""
    return hashlib.sha256(b"hubshelf/by-hand/tag/1\n" + hashed_token.encode()).hexdigest()[: 2 * _TAG]


def agreed_key(secret: X25519PrivateKey, other: bytes, ephemeral: bytes, hub: bytes, purpose: bytes) -> bytes:
    """Return the key that a secret key and another's public one agree on, for one purpose.

    `ephemeral` and `hub`: both public keys. Raises Malformed for a public key that is none.
    """
    try:
        agreed = secret.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:
        raise Malformed("The key of what was sealed is none.") from None
    return HKDF(SHA256(), 32, ephemeral + hub, b"hubshelf/by-hand/" + purpose + b"/1").derive(agreed)


def derived_key(hashed_token: str, purpose: bytes) -> bytes:
    """A key that the device and its hub have: both know the hash of the token, and nobody else does."""
    return HKDF(SHA256(), 32, None, b"hubshelf/by-hand/" + purpose + b"/1").derive(bytes.fromhex(hashed_token))


def seal_letter(letter: Letter, hashed_token: str, hub: bytes, ephemeral: bytes = b"") -> bytes:
    """Return the envelope of a letter by the device with this token hash, for the hub with this public key.

    `ephemeral`: 32 secret bytes, random where none are given. Raises TooLarge, Malformed for a key that is none.
    """
    raw = letter.to_bytes()
    if len(raw) > LETTER_MOST:
        raise TooLarge(f"A letter is {len(raw)} bytes long; {LETTER_MOST} can be sent.")
    secret = X25519PrivateKey.from_private_bytes(ephemeral or secrets.token_bytes(KEY))
    mine = secret.public_key().public_bytes_raw()
    key = agreed_key(secret, hub, mine, hub, b"box")
    packed = envelope.pack(raw)
    inside = _mac(hashed_token, mine + hub, packed) + packed
    # A key seals once, so that its nonce may be zero.
    sealed = ChaCha20Poly1305(key).encrypt(bytes(_NONCE), inside, _BOX + mine)
    return _BOX + mine + sealed


def is_envelope(data: bytes) -> bool:
    """Whether bytes look like an envelope to whoever cannot open it."""
    return data[: len(_BOX)] == _BOX and len(data) > len(_BOX) + KEY + _MAC + 16


def open_envelope(data: bytes, secret: bytes) -> Opened:
    """Open an envelope with the hub's secret key. Raises Malformed (also of one for another hub), TooLarge."""
    if not is_envelope(data) or len(data) > limits.SYNC_REQUEST:
        raise Malformed("This is no envelope that this version knows.")
    theirs, hub = data[len(_BOX) : len(_BOX) + KEY], public_key(secret)
    key = agreed_key(X25519PrivateKey.from_private_bytes(secret), theirs, theirs, hub, b"box")
    try:
        inside = ChaCha20Poly1305(key).decrypt(bytes(_NONCE), data[len(_BOX) + KEY :], _BOX + theirs)
    except InvalidTag:
        raise Malformed("The envelope is for another hub, or damaged.") from None
    mac, packed = inside[:_MAC], inside[_MAC:]
    letter = Letter.from_bytes(envelope.unpack(packed, limits.SYNC_REQUEST))
    return Opened(letter, packed, mac, theirs + hub)


def numbered(epoch: int, count: int) -> int:
    """Return the number of an answer: a hub that was restored, and counts from before, has a higher epoch.

    Both below 2^32.
    """
    return (epoch << 32) + count


def seal_answer(answer: Answer, hashed_token: str, counted: int, signer: SigningKey, nonce: bytes = b"") -> bytes:
    """Return an answer sealed to the device with this token hash; `counted`: higher than in any answer before, see
    `numbered`; `signer`: what signs the hub's heads.

    `nonce`: 12 bytes, random where none are given. Raises TooLarge.
    """
    nonce = nonce or secrets.token_bytes(_NONCE)
    head = _ANSWER + bytes.fromhex(tag_of(hashed_token)) + counted.to_bytes(_NUMBER, "big")
    sealed = ChaCha20Poly1305(derived_key(hashed_token, b"answer")).encrypt(
        nonce, envelope.pack(answer.to_bytes()), head
    )
    signed = head + nonce + sealed
    if len(signed) + _SIGNATURE > ANSWER_MOST:
        raise TooLarge("An answer by hand is longer than a shelf reads.")
    return signed + signer.sign(_ROLE, signed)


def open_answer(data: bytes, hashed_token: str) -> Answer:
    """Open an answer with the device's token hash, which says more than its signature. Raises Malformed, TooLarge,
    BadMac."""
    if not _ANSWER_LEAST <= len(data) <= ANSWER_MOST or data[: len(_ANSWER)] != _ANSWER:
        raise Malformed("This is no answer that this version knows.")
    head, nonce = data[:_ANSWER_HEAD], data[_ANSWER_HEAD : _ANSWER_HEAD + _NONCE]
    try:
        packed = ChaCha20Poly1305(derived_key(hashed_token, b"answer")).decrypt(
            nonce, data[_ANSWER_HEAD + _NONCE : -_SIGNATURE], head
        )
    except InvalidTag:
        raise BadMac("The answer was not sealed by the hub for this device.") from None
    return Answer.from_bytes(envelope.unpack(packed, limits.SYNC_RESPONSE))


def newer_answer(data: bytes, before: bytes | None, tag: str, hub: Mapping[str, bytes]) -> bool:
    """Whether `data` is an answer to the device with this tag, signed with one of the head keys of a hub (id →
    public), and a later one than `before`, which counts for nothing where it is not signed so.

    So nobody but the hub displaces an answer, whatever number they write on theirs.
    """
    number = _number(data, tag, hub)
    return number >= 0 and (before is None or number > _number(before, tag, hub))


def _number(data: bytes, tag: str, hub: Mapping[str, bytes]) -> int:
    """The number of an answer; -1 for one that the hub did not sign for this tag."""
    if not _ANSWER_LEAST <= len(data) <= ANSWER_MOST or data[: len(_ANSWER) + _TAG] != _ANSWER + bytes.fromhex(
        tag
    ):
        return -1
    signed, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
    if not any(verifies(public, _ROLE, signed, signature) for public in hub.values()):
        return -1
    return int.from_bytes(data[_ANSWER_HEAD - _NUMBER : _ANSWER_HEAD], "big")


def _mac(hashed_token: str, bound: bytes, packed: bytes) -> bytes:
    return hmac.new(derived_key(hashed_token, b"letter"), bound + packed, hashlib.sha256).digest()


def _hashes(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if (
        not isinstance(value, list)
        or len(value) > FILES
        or not all(isinstance(one, str) and is_digest(one) for one in value)
    ):
        raise Malformed("A list of files is too long, or not one of files.")
    return tuple(value)
