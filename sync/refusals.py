"""What a refusal of the hub, or something unusable that it published, means for a sync."""

from __future__ import annotations

from sync.errors import AuthNeeded, DeviceLost, DeviceMoved, DeviceRevoked, HubProblem, SyncError, UpgradeNeeded
from sync.protocol import limits
from sync.protocol.messages import Operation
from sync.protocol.problems import Problem


def copied(problem: Problem) -> bool:
    return problem.code == "counter-reused" and problem.action == "resync"


def meaning(problem: Problem) -> SyncError:
    if problem.action == "auth":
        kinds = {"device-revoked": DeviceRevoked, "device-lost": DeviceLost, "device-moved": DeviceMoved}
        kind = kinds.get(problem.code, AuthNeeded)
        return kind(f"{problem.title} {problem.detail}".strip())
    if problem.action == "upgrade":
        return UpgradeNeeded(f"{problem.title} {problem.detail}".strip())
    return HubProblem(problem)


def locked() -> HubProblem:
    """What is for members cannot be opened; the hub gives its members' devices the key with its next answer."""
    return HubProblem(
        Problem("no-key", "The discussions for members could not be opened: their key is not here.", "retry", 0)
    )


def broken(what: str) -> HubProblem:
    return HubProblem(Problem("broken-catalogue", "The hub has published something unusable.", "wait", 0, what))


def too_long(operation: Operation) -> Problem:
    return Problem(
        "too-large",
        "This is too long to be sent.",
        "drop",
        413,
        f"It needs {operation.size:,} bytes; {limits.OPERATION:,} can be sent.",
    )
