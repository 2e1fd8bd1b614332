"""Every way in which something received can be wrong, drawn once.

ProtocolError
├── Malformed        not the document that was expected: a captive portal, a proxy's page, a broken hub
├── TooLarge         over a bound of `limits`
├── WrongHash        bytes that do not match their name
├── WrongPrefix      a segment coded against content that this shelf does not have
├── WrongBase        a patch of a record that this shelf has otherwise
├── NoKey            sealed for members with a key that this shelf does not have
├── BadSignature     signed by nobody we trust
├── BadMac           an answer that does not come from the hub that knows this device
├── RolledBack       an older head than one already seen
├── UnknownCodec     a segment coded in a way that this client does not know
├── ClientTooOld     the hub serves newer clients only
└── HubTooOld        the hub speaks an older wire than this client
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


class WrongPrefix(ProtocolError):
    code = "wrong-prefix"
    advice = "Nothing was changed. The content is fetched whole instead."


class WrongBase(ProtocolError):
    code = "wrong-base"
    advice = "Nothing was changed. The content is fetched whole instead."


class NoKey(ProtocolError):
    code = "no-key"
    advice = "Sync again: the hub gives the key to the devices of its members. Everything else goes on."


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


class HubTooOld(ProtocolError):
    code = "hub-too-old"
    advice = "Everything on the shelf stays readable. Ask the people who run the hub to bring it up to date."
