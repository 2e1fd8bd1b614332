"""Everything a sync can meet that is not a fault of the program, drawn once.

SyncError
├── Offline              no answer came through; what had arrived is kept
│   ├── Unreachable      no connection to the hub
│   ├── TimedOut         connected, but nothing came for too long
│   ├── CutOff           the link went away in the middle
│   └── MirrorFailed     the link to a mirror did; the next attempt goes elsewhere
├── CaptivePortal        something else than the hub answered
├── ProxyWantsLogin      the proxy of this network wants a name and a password
├── NotTrusted           what arrived cannot be proved to be the hub's
│   ├── BadSignature     signed, or authenticated, by nobody we trust
│   ├── RolledBack       older than what this shelf has already seen
│   ├── WrongHash        bytes that do not match their name
│   ├── OtherContent     made for other content than is on this shelf
│   └── BadCertificate   the computer does not trust the server's certificate
├── AuthNeeded           the hub does not know this device (any more)
│   ├── DeviceRevoked    its access was taken back
│   ├── DeviceLost       it was reported lost: what was its person's was removed
│   └── DeviceMoved      another device took its place
├── ShelfMoved           the shelf was moved to another PC, which sends from now on
├── HubProblem           the hub said what is wrong (`problem`)
├── UpgradeNeeded        the hub needs a newer client
├── HubRelocated         the hub has another address now, which the next sync uses
│   └── RelocationLocked an administrator decided for the old one
├── HubTooOld            the hub speaks an older wire than this client
├── BudgetReached        the bytes allowed for this sync are spent
├── Cancelled            somebody asked to stop
├── InsecureAddress      an address that is no hub's, or not protected
├── OtherHub             the shelf belongs to another hub
├── NotEnrolled          no hub yet
├── SecretsUnusable      the device's secret cannot be kept or read
└── SyncBusy             another sync works on the same shelf
"""

from __future__ import annotations

from sync.protocol import errors as wire
from sync.protocol.problems import Problem


class SyncError(Exception):
    """A sync stopped or was refused. Whatever was stored before is whole, and the next sync goes on from there.

    `str(error)` says what happened and what it means, `advice` what to do next; `code` is stable.
    """

    code = "sync"
    advice = "Try again later."


class Offline(SyncError):
    code = "offline"
    advice = "Nothing is lost. The next sync goes on where this one stopped."


class Unreachable(Offline):
    code = "unreachable"


class NameNotFound(Unreachable):
    code = "name-not-found"
    advice = (
        "Check the connection. Where other pages open, tell your IT team that the hub's name is not known there."
    )


class TimedOut(Offline):
    code = "timed-out"


class CutOff(Offline):
    code = "cut-off"


class MirrorFailed(Offline):
    """Says nothing about the link to the hub: whoever asked asks again at once."""


class CaptivePortal(SyncError):
    code = "captive-portal"
    advice = "Open a web browser, sign in to the network, then try again. Nothing was stored."

    def __init__(self, message: str, status: int = 0) -> None:
        """`status`: that of the HTTP answer, 0 where there was none."""
        super().__init__(message)
        self.status = status


class HubRelocated(SyncError):
    """The shelf belongs to the new `address` already."""

    code = "hub-moved"
    advice = "Nothing is lost. The next sync goes there."

    def __init__(self, address: str) -> None:
        super().__init__(f"Your hub has a new address: {address}.")
        self.address = address


class RelocationLocked(HubRelocated):
    """An administrator decided for the old address, so this shelf did not follow."""

    code = "hub-moved-locked"
    advice = "Your administrator decided for the old one: ask the IT team to change hub_url."


class ProxyWantsLogin(SyncError):
    """`refused`: a login was told, and it was not the right one."""

    code = "proxy-login"
    advice = "Give the name and password that your office uses: in the window, or with hubshelf proxy-login"

    def __init__(self, *, refused: bool = False) -> None:
        said = "refused the name or the password" if refused else "wants a name and a password"
        super().__init__(f"The proxy of this network {said}.")
        self.refused = refused


class NotTrusted(SyncError):
    code = "not-trusted"
    advice = "Nothing was stored. Try another network; if it goes on, tell the people who run the hub."


class BadSignature(NotTrusted):
    code = "bad-signature"


class RolledBack(NotTrusted):
    code = "rolled-back"
    advice = "Nothing was changed. The hub's team can publish again, or start a new epoch after a restore."


class WrongHash(NotTrusted):
    code = "wrong-hash"
    advice = "Nothing of it was kept. The next sync fetches it again."


class OtherContent(NotTrusted):
    code = "other-content"
    advice = "Nothing was changed. The content is fetched whole instead."


class BadCertificate(NotTrusted):
    """`signer_matters`: nobody knows who signed it, so its name is worth asking for."""

    signer_matters = False
    code = "bad-certificate"
    advice = (
        "Check the date of this computer. Where your office inspects its traffic, ask the IT team to add its "
        "certificate authority to the computer's own store."
    )


class AuthNeeded(SyncError):
    code = "auth-needed"
    advice = "Ask the hub for a new code and enrol again. Reading goes on, and what you wrote waits here."


class DeviceRevoked(AuthNeeded):
    code = "device-revoked"


class DeviceLost(AuthNeeded):
    code = "device-lost"
    advice = "If it was found again, ask the hub for a new code."


class DeviceMoved(AuthNeeded):
    code = "device-moved"
    advice = "Go on where the shelf was moved to. To use this computer too, ask the hub for a new code."


class ShelfMoved(SyncError):
    code = "shelf-moved"
    advice = "Go on at the new PC, or take this one into use again: hubshelf use-again"


class HubProblem(SyncError):
    """The hub answered with a problem document, kept as `problem`; `retry_after`: seconds, if it said so."""

    code = "hub-problem"

    def __init__(self, problem: Problem, retry_after: float = 0.0) -> None:
        super().__init__(f"{problem.title} {problem.detail}".strip())
        self.problem = problem
        self.retry_after = retry_after
        self.advice = _ADVICE.get(problem.action, SyncError.advice)


_ADVICE = {
    "retry": "Nothing is lost. Hubshelf tries again by itself.",
    "wait": "Nothing is lost. Ask the people who run the hub if it goes on.",
    "resync": "Sync again: it starts from the newest state of the hub.",
    "drop": "Change what you wrote and send it again.",
}


class UpgradeNeeded(SyncError):
    code = "upgrade-needed"
    advice = "Install the current version of Hubshelf. Everything on the shelf stays readable."


class HubTooOld(SyncError):
    code = "hub-too-old"
    advice = "The shelf stays readable, and questions still go. Ask the hub's team to bring it up to date."


class BudgetReached(SyncError):
    code = "budget-reached"
    advice = "What arrived is kept. The next sync goes on from there."


class Cancelled(SyncError):
    code = "cancelled"
    advice = "What arrived is kept. Sync again when you like."


class InsecureAddress(SyncError):
    code = "insecure-address"
    advice = "Ask the hub's team for the address, which begins with https://"


class OtherHub(SyncError):
    code = "other-hub"
    advice = "Use another folder (--home) for another hub, so that the two never mix."


class NotEnrolled(SyncError):
    code = "not-enrolled"
    advice = "Run `hubshelf enrol URL CODE` with the address and the code from your invitation."


class SecretsUnusable(SyncError):
    code = "secrets-unusable"
    advice = "Check that the folder of the shelf is yours and writable, or enrol again with a new code."


class SyncBusy(SyncError):
    code = "sync-busy"
    advice = "Wait until the other one has finished; the window and the command line share one shelf."


_WIRE: tuple[tuple[type[wire.ProtocolError], type[SyncError]], ...] = (
    (wire.Malformed, CaptivePortal),
    (wire.WrongHash, WrongHash),
    (wire.WrongPrefix, OtherContent),
    (wire.WrongBase, OtherContent),
    (wire.BadSignature, BadSignature),
    (wire.BadMac, BadSignature),
    (wire.RolledBack, RolledBack),
    (wire.UnknownCodec, UpgradeNeeded),
    (wire.ClientTooOld, UpgradeNeeded),
    (wire.HubTooOld, HubTooOld),
)


def from_wire(error: wire.ProtocolError) -> SyncError:
    """Return what a protocol error means to a sync, with the same words."""
    for kind, meaning in _WIRE:
        if isinstance(error, kind):
            return meaning(str(error))
    return NotTrusted(str(error))
