"""What the planner asks for, and what it is told: the whole interface between deciding and doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sync.protocol.feeds import SegmentRef
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import Operation, SyncResponse
from sync.protocol.problems import Problem
from sync.protocol.routes import Place, Step
from sync.protocol.trust import Root
from sync.report import KnownError

# Asked for


@dataclass(frozen=True)
class PostPersonal:
    """Send operations and fetch what is new for this member. Answer: Answered or Refused.

    `at`: the version at which this shelf is complete, 0 where it is not; the hub may put what is new since
    then into its answer, which then is found here when it is asked for.
    """

    head: tuple[int, int]
    personal: tuple[int, int]
    operations: Sequence[Operation]
    at: int = 0


@dataclass(frozen=True)
class Deliver:
    """Keep a verified answer: receipts in the outbox, then items and cursor in one transaction.

    `settled`: the receipts' ids that were really sent. `renewed`: the hub began a new epoch, so all that it had
    acknowledged is offered again; `reset`: what was personal is replaced. Answer: Operations (still to send).
    """

    answer: SyncResponse
    settled: frozenset[str]
    renewed: bool
    reset: bool


@dataclass(frozen=True)
class SetAside:
    """An operation that the hub will never accept goes to the person's attention. Answer: Kept."""

    operation: str
    problem: Problem


@dataclass(frozen=True)
class RenewDevice:
    """Begin a new epoch of this device, whose numbers were used twice. Answer: Operations."""


@dataclass(frozen=True)
class GetHead:
    """Fetch the head, unless it is still `known` (its bytes, or None). Answer: Fetched; None for unchanged."""

    known: bytes | None


@dataclass(frozen=True)
class GetRoot:
    """Fetch one root document. Answer: Fetched."""

    version: int


@dataclass(frozen=True)
class SaveRoot:
    """Keep a root document that follows the known one. Answer: Kept."""

    root: Root


@dataclass(frozen=True)
class SaveHead:
    """Keep a verified head. Answer: Kept.

    `complete`: all that it names is applied; of the documents that were kept, the next sync reads `keep` only.
    """

    head: Head
    document: bytes
    complete: bool
    keep: Sequence[str] = ()


@dataclass(frozen=True)
class NoteComplete:
    """All that is wanted on this link is here, as of a head's (epoch, version). Answer: Kept."""

    order: tuple[int, int]


@dataclass(frozen=True)
class GetDocument:
    """Fetch a document by the hash of its JSON, or take the one that is here. Answer: Fetched or Failed.

    `sealed`: it is for members, named by its sealed bytes, and these are the answer. `at_hand`: it is not worth a
    request; where it is not here, Fetched holds None.
    """

    ref: ObjectRef
    purpose: Literal["index", "history", "parts", "snapshot"]
    sealed: bool = False
    at_hand: bool = False


@dataclass(frozen=True)
class KeepDocument:
    """Keep a document that was verified, so that it is fetched once. Answer: Kept."""

    digest: str
    body: bytes


@dataclass(frozen=True)
class FetchTogether:
    """Ask the hub for what is new once more where much of it did not fit behind its last answer.

    `head`, `personal` and `at` as in PostPersonal; `segments` and `documents` are what is known to be wanted. What
    does not come this way is fetched alone. Answer: Came.
    """

    head: tuple[int, int]
    personal: tuple[int, int]
    at: int
    segments: Sequence[SegmentRef]
    documents: Sequence[ObjectRef]


@dataclass(frozen=True)
class FetchSegment:
    """Bring the bytes of a step's segment here. Answer: Kept or Failed."""

    feed: str
    step: Step


@dataclass(frozen=True)
class ApplySegment:
    """Verify, decode and apply what FetchSegment brought, in one transaction. Answer: Kept or Failed.

    `streams`: all that the feed brings together; their places are saved beside the feed's own. `coming`: what will
    be fetched next, so that it can be made ready meanwhile if it is here already.
    """

    feed: str
    streams: Sequence[str]
    step: Step
    coming: FetchSegment | None = None


@dataclass(frozen=True)
class SavePlace:
    """Note that the single streams which are here make up a whole feed at `place`. Answer: Kept."""

    feed: str
    place: Place


@dataclass(frozen=True)
class SendAttachments:
    """Send the files that belong to operations which the hub has received. Answer: Kept or Failed."""


@dataclass(frozen=True)
class DropStream:
    """Remove a stream that is not kept any more, by the person's choice or, `taken`, since the hub has it no more.
    Answer: Kept or, where that would be a mass deletion, Failed."""

    stream: str
    taken: bool = False


@dataclass(frozen=True)
class Done:
    """Nothing is left to do. `complete`: shelf and hub agree; `trouble`: what stood in the way of something."""

    complete: bool
    trouble: KnownError | None


Action = (
    PostPersonal
    | Deliver
    | SetAside
    | RenewDevice
    | GetHead
    | GetRoot
    | SaveRoot
    | SaveHead
    | NoteComplete
    | GetDocument
    | KeepDocument
    | FetchTogether
    | FetchSegment
    | ApplySegment
    | SavePlace
    | SendAttachments
    | DropStream
    | Done
)

# Told


@dataclass(frozen=True)
class Answered:
    """An answer whose MAC was verified."""

    answer: SyncResponse


@dataclass(frozen=True)
class Refused:
    """The hub refused the whole request with a problem document."""

    problem: Problem


@dataclass(frozen=True)
class Operations:
    """What is to be sent now, in order."""

    operations: Sequence[Operation]


@dataclass(frozen=True)
class Fetched:
    """Bytes that are not verified yet; `kept`: they come from this computer.

    None where nothing changed, or what was wanted at hand is not.
    """

    body: bytes | None
    kept: bool = False


@dataclass(frozen=True)
class Came:
    """Whether some of what was wanted came together."""

    some: bool


@dataclass(frozen=True)
class Kept:
    """It was done."""


@dataclass(frozen=True)
class Failed:
    """This one thing cannot be had; everything else can go on."""

    error: KnownError


Result = Answered | Refused | Operations | Fetched | Came | Kept | Failed
