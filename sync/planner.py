"""What a sync does next. No input, no output, no clock: it is given what is known, asks for one action at a time
and is told how each went, so that every failure can be simulated.

`_sync` is the table of contents. Everything received is verified here before anything else is asked about it.
An exception leaves the planner useless and nothing half done: the next sync begins with what was kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from resources_cache.cards import Cursor, StoredHead
from sync.actions import (
    Action,
    Answered,
    ApplySegment,
    Deliver,
    Done,
    DropStream,
    Failed,
    Fetched,
    FetchSegment,
    GetDocument,
    GetHead,
    GetRoot,
    KeepDocument,
    Operations,
    PostPersonal,
    Refused,
    RenewDevice,
    Result,
    SaveHead,
    SaveRoot,
    SetAside,
)
from sync.errors import AuthNeeded, HubProblem, SyncError, UpgradeNeeded
from sync.protocol import VERSION, limits
from sync.protocol.catalogue import Index, Manifest, StreamEntry
from sync.protocol.errors import Malformed, ProtocolError, RolledBack, TooLarge, WrongHash
from sync.protocol.head import Head, ObjectRef, root_version, verify_head
from sync.protocol.messages import Operation, SyncResponse
from sync.protocol.problems import Problem
from sync.protocol.signing import split_document
from sync.protocol.trust import Root, advance
from sync.protocol.wire_json import load_object, number, sha256
from sync.report import KnownError
from sync.routes import plan_route, steps
from sync.subscriptions import Subscription

_BATCH = 12 * 1024
"""Bytes of operations in one request: a request is not resumed, so it must pass a link that drops often."""

T = TypeVar("T")
_Steps = Generator[Action, Result, T]


@dataclass(frozen=True)
class Known:
    """What a shelf knows when a sync begins.

    `seen`: the newest (epoch, version) of a head ever verified. `personal`: (epoch, cursor) of the newest
    personal item stored. `hub_epoch`: the hub's epoch at the last delivery, None before the first. `member`
    is False for a guest and for a device without its secret; `trouble` then says what is wrong.
    """

    root: Root
    member: bool
    subscription: Subscription = field(default_factory=Subscription)
    stored: StoredHead | None = None
    seen: tuple[int, int] = (0, 0)
    personal: tuple[int, int] = (0, 0)
    hub_epoch: int | None = None
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    operations: Sequence[Operation] = ()
    trouble: KnownError | None = None


class Planner:
    """Plans one sync: `next()` gives an action, `feed()` takes how it went, until `next()` gives Done."""

    def __init__(self, known: Known) -> None:
        self.trouble: KnownError | None = known.trouble
        self.bytes_total = 0
        """Bytes of segments known to be needed, fetched ones included."""
        self.head: Head | None = None
        """The head in force, once it is verified."""
        self._known = known
        self._root = known.root
        self._stored = _verified(known)
        self._unsettled = False
        self._plan = self._sync()
        self._action: Action | None = None

    def next(self) -> Action:
        """Return what to do now."""
        if self._action is None:
            self._action = next(self._plan)
        return self._action

    def feed(self, result: Result) -> None:
        """Take the result of the action that `next()` gave.

        Raises ProtocolError and SyncError where what came cannot be used; the sync is then over.
        """
        assert self._action is not None, "a result without an action"
        assert not isinstance(self._action, Done), "a result after the end"
        self._action = self._plan.send(result)

    def _sync(self) -> _Steps[None]:
        document = yield from self._exchange()
        if document is None:
            yield Done(self.trouble is None and not self._unsettled, self.trouble)
            return
        head = yield from self._trust(document)
        index = yield from self._read_index(head)
        complete = yield from self._bring(index)
        if complete and not self._complete_already(head):
            yield SaveHead(head, document, complete=True)
        yield Done(complete and self.trouble is None and not self._unsettled, self.trouble)

    # 1. Deliver what waits, fetch what is new for this person, and the head

    def _exchange(self) -> _Steps[bytes | None]:
        """Return the newest head document, not verified yet; None where the hub has published nothing."""
        if not self._known.member:
            return (yield from self._head_alone())
        outgoing = yield from self._batches(self._known.operations)
        head = self._stored.order if self._stored else (0, 0)
        personal, epoch = self._known.personal, self._known.hub_epoch
        document: bytes | None = None
        wanted, renewed = True, False
        while wanted or outgoing:
            batch = outgoing.popleft() if outgoing else ()
            result = yield PostPersonal(head, personal, batch)
            if isinstance(result, Refused):
                if _copied(result.problem) and not renewed:
                    renewed = True
                    outgoing = yield from self._batches(_operations((yield RenewDevice())))
                elif result.problem.action == "drop" and batch:
                    yield from self._isolate(batch, result.problem, outgoing)
                else:
                    self._note(_meaning(result.problem))
                    return (yield from self._head_alone())
                continue
            assert isinstance(result, Answered), result
            answer = result.answer
            _check_answer(answer, personal, epoch)
            settled = {receipt.id for receipt in answer.receipts} & {operation.id for operation in batch}
            self._unsettled |= len(settled) < len(batch)
            again = epoch is not None and answer.epoch != epoch
            delivered = yield Deliver(answer, frozenset(settled), again, personal[0] != answer.epoch)
            if again:
                outgoing = yield from self._batches(_operations(delivered))
            epoch, personal = answer.epoch, (answer.epoch, answer.cursor)
            if answer.head is not None:
                document, head = answer.head, _claimed(answer.head)
            wanted = answer.more
        if document is None and self._stored is not None:
            document = self._stored.document
        return document

    def _head_alone(self) -> _Steps[bytes | None]:
        stored = self._stored.document if self._stored else None
        result = yield GetHead(stored)
        assert isinstance(result, Fetched), result
        return stored if result.body is None else result.body

    def _batches(self, operations: Sequence[Operation]) -> _Steps[deque[Sequence[Operation]]]:
        """Cut operations into requests, in order; one that can never be sent is set aside."""
        found: deque[Sequence[Operation]] = deque()
        batch: list[Operation] = []
        size = 0
        for operation in operations:
            if operation.size > limits.OPERATION:
                yield SetAside(operation.id, _too_long(operation))
                continue
            if batch and (size + operation.size > _BATCH or len(batch) >= limits.OPERATIONS):
                found.append(batch)
                batch, size = [], 0
            batch.append(operation)
            size += operation.size
        if batch:
            found.append(batch)
        return found

    def _isolate(
        self, batch: Sequence[Operation], problem: Problem, outgoing: deque[Sequence[Operation]]
    ) -> _Steps[None]:
        """Find the operation for which a whole request was refused by halving it; alone, it is set aside."""
        if len(batch) == 1:
            yield SetAside(batch[0].id, problem)
            return
        middle = len(batch) // 2
        outgoing.extendleft((batch[middle:], batch[:middle]))

    # 2. Trust

    def _trust(self, document: bytes) -> _Steps[Head]:
        """Return the verified head, following the chain of roots as far as it asks for; keep it if it is new."""
        while self._root.version < root_version(document):
            fetched = yield GetRoot(self._root.version + 1)
            self._root = advance(self._root, _body(fetched))
            yield SaveRoot(self._root)
        head = verify_head(document, self._root, self._known.seen, VERSION)
        self.head = head
        if self._stored is None or document != self._stored.document:
            yield SaveHead(head, document, complete=self._complete_already(head))
        return head

    def _complete_already(self, head: Head) -> bool:
        """Whether all that this head names was applied before, if perhaps under an earlier signature."""
        return self._stored is not None and self._stored.complete and self._stored.index == head.index

    # 3. What there is

    def _read_index(self, head: Head) -> _Steps[Index]:
        result = yield GetDocument(head.index, "index")
        if isinstance(result, Failed):
            raise result.error
        index = yield from self._read(head.index, result, Index.from_bytes)
        if index.epoch != head.epoch:
            raise _broken(f"Its index is of epoch {index.epoch}, its head of epoch {head.epoch}.")
        return index

    def _read(self, ref: ObjectRef, result: Result, parse: Callable[[bytes], T]) -> _Steps[T]:
        """Verify a document against its name, keep it, and return what it says."""
        body = _body(result)
        if len(body) != ref.size or sha256(body) != ref.hash:
            raise WrongHash("A document does not match its name, so it was not used.")
        try:
            found = parse(body)
        except (Malformed, TooLarge) as error:
            raise _broken(str(error)) from error
        assert isinstance(result, Fetched)
        if not result.kept:
            yield KeepDocument(ref.hash, body)
        return found

    # 4. Content, the most useful first

    def _bring(self, index: Index) -> _Steps[bool]:
        """Bring every subscribed stream to its newest state; return whether that worked for all."""
        wanted = self._known.subscription.choose(index.streams)
        kept, offered = {entry.name for entry in wanted}, {entry.name for entry in index.streams}
        gone = [name for name in self._known.cursors if name not in kept]
        for name in gone:
            if name in offered:  # the person's own choice; it frees room at once
                yield DropStream(name)
        late = [entry for entry in wanted if not self._in_step(entry, index.epoch)]
        # A new reader's price is in the index; for others, the manifest says what is missing.
        guesses = {entry.name: entry.size for entry in late if entry.name not in self._known.cursors}
        self.bytes_total += sum(guesses.values())
        complete = True
        for entry in late:
            complete &= yield from self._bring_stream(entry, index.epoch, guesses.get(entry.name, 0))
        for name in gone:
            # What the hub took away stays readable until all that is new is here: it may only have moved.
            if complete and name not in offered:
                yield DropStream(name)
        return complete

    def _in_step(self, entry: StreamEntry, epoch: int) -> bool:
        cursor = self._known.cursors.get(entry.name)
        return cursor is not None and (cursor.epoch, cursor.seq, cursor.generation) == (epoch, entry.seq, "")

    def _bring_stream(self, entry: StreamEntry, epoch: int, guess: int) -> _Steps[bool]:
        result = yield GetDocument(entry.manifest, "manifest")
        if isinstance(result, Failed):
            return self._note(result.error)
        manifest = yield from self._read(entry.manifest, result, Manifest.from_bytes)
        if (manifest.stream, manifest.epoch, manifest.seq) != (entry.name, epoch, entry.seq):
            raise _broken(f"The manifest of {entry.name} is that of something else.")
        cursor = self._known.cursors.get(entry.name)
        try:
            legs = plan_route(manifest, cursor)
        except Malformed as error:
            return self._note(_broken(str(error)))
        self.bytes_total += sum(leg.size for leg in legs) - guess
        for step in steps(manifest, cursor, legs):
            if step.segment is not None:
                fetched = yield FetchSegment(entry.name, step.segment)
                if isinstance(fetched, Failed):
                    return self._note(fetched.error)
            applied = yield ApplySegment(entry.name, step)
            if isinstance(applied, Failed):
                return self._note(applied.error)
        return True

    def _note(self, error: KnownError) -> bool:
        """Remember the first trouble; the rest of the sync goes on."""
        self.trouble = self.trouble or error
        return False


@dataclass(frozen=True)
class _Stored:
    document: bytes
    order: tuple[int, int]
    index: ObjectRef
    complete: bool


def _verified(known: Known) -> _Stored | None:
    """Return the stored head if it still verifies: under a newer root it may not, and is then fetched anew."""
    if known.stored is None:
        return None
    try:
        head = verify_head(known.stored.body, known.root, (0, 0), VERSION)
    except ProtocolError:
        return None
    return _Stored(known.stored.body, head.order, head.index, known.stored.complete)


def _check_answer(answer: SyncResponse, personal: tuple[int, int], epoch: int | None) -> None:
    if answer.epoch < max(epoch or 0, personal[0]):
        raise RolledBack(
            f"The hub answered from epoch {answer.epoch}; this shelf already knows epoch {epoch or personal[0]}."
        )
    if answer.more and (answer.epoch, answer.cursor) == personal:
        raise Malformed("The hub says that there is more and sends nothing of it.")


def _claimed(document: bytes) -> tuple[int, int]:
    """Return the version that a head claims, so that further rounds do not fetch it again."""
    payload, _ = split_document(document, limits.HEAD, "head")
    body = load_object(payload, limits.HEAD, "head")
    return number(body, "epoch", "head"), number(body, "version", "head")


def _body(result: Result) -> bytes:
    assert isinstance(result, Fetched), result
    assert result.body is not None, "a document was asked for"
    return result.body


def _operations(result: Result) -> Sequence[Operation]:
    assert isinstance(result, Operations), result
    return result.operations


def _copied(problem: Problem) -> bool:
    return problem.code == "counter-reused" and problem.action == "resync"


def _meaning(problem: Problem) -> SyncError:
    if problem.action == "auth":
        return AuthNeeded(f"{problem.title} {problem.detail}".strip())
    if problem.action == "upgrade":
        return UpgradeNeeded(f"{problem.title} {problem.detail}".strip())
    return HubProblem(problem)


def _broken(what: str) -> HubProblem:
    return HubProblem(Problem("broken-catalogue", "The hub has published something unusable.", "wait", 0, what))


def _too_long(operation: Operation) -> Problem:
    return Problem(
        "too-large",
        "This is too long to be sent.",
        "drop",
        413,
        f"It needs {operation.size:,} bytes; {limits.OPERATION:,} can be sent.",
    )
