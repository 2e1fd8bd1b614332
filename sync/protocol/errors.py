"""Every way in which something received can be wrong, drawn once.

ProtocolError
├── Malformed        not the document that was expected: a captive portal, a proxy's page, a broken hub
├── TooLarge         over a bound of `limits`
├── WrongHash        bytes that do not match their name
├── BadSignature     signed by nobody we trust
├── BadMac           an answer that does not come from the hub that knows this device
├── RolledBack       an older head than one already seen
├── UnknownCodec     a segment coded in a way that this client does not know
└── ClientTooOld     the hub serves newer clients only
"""

from __future__ import annotations


class ProtocolError(Exception):
    """Something received cannot be used; nothing of it was kept.

    `str(error)` says what happened and what it means; `advice` what to do next; `code` is stable.
    """

    code = "protocol"
    advice = "Try again later. If it happens again, send the report to the people who run the hub."


class Malformed(ProtocolError):
    code = "malformed"
    advice = "Check the network: a log-in page of the network may be answering instead of the hub."


class TooLarge(ProtocolError):
    code = "too-large"


class WrongHash(ProtocolError):
    code = "wrong-hash"
    advice = "Nothing was kept. The next sync fetches it again."


class BadSignature(ProtocolError):
    code = "bad-signature"
    advice = "Nothing was stored. Tell the people who run the hub if another network gives the same answer."


class BadMac(ProtocolError):
    code = "bad-mac"
    advice = "Nothing was stored. Something between this computer and the hub changed the answer."


class RolledBack(ProtocolError):
    code = "rolled-back"
    advice = "Nothing was changed. The hub's team can publish again, or start a new epoch after a restore."


class UnknownCodec(ProtocolError):
    code = "unknown-codec"
    advice = "Install the current version of Hubshelf."


class ClientTooOld(ProtocolError):
    code = "client-too-old"
    advice = "Install the current version of Hubshelf. Everything on the shelf stays readable."
