"""What a sync does next. No input, no output, no clock: it is given what is known, asks for one action at a time
and is told how each went, so that every failure can be simulated.

`_sync` is the table of contents. Everything received is verified here before anything else is asked about it.
An exception leaves the planner useless and nothing half done: the next sync begins with what was kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from resources_cache.cards import StoredHead
from sync.actions import (
    Action,
    Answered,
    ApplySegment,
    Came,
    Deliver,
    Done,
    DropStream,
    Failed,
    Fetched,
    FetchSegment,
    FetchTogether,
    GetDocument,
    GetHead,
    GetRoot,
    KeepDocument,
    NoteComplete,
    Operations,
    PostPersonal,
    Refused,
    RenewDevice,
    Result,
    SaveHead,
    SavePlace,
    SaveRoot,
    SendAttachments,
    SetAside,
)
from sync.errors import HubProblem, OtherContent, from_wire
from sync.protocol import VERSION, limits
from sync.protocol.errors import Malformed, NoKey, ProtocolError, RolledBack, TooLarge, WrongHash
from sync.protocol.feeds import Feed, History, Index, Parts, SegmentRef, Snapshot
from sync.protocol.head import Head, ObjectRef, root_version, verify_head
from sync.protocol.messages import Operation, SyncResponse
from sync.protocol.problems import Problem
from sync.protocol.routes import Leg, Place, Step, plan, steps
from sync.protocol.sealed import for_members, keyring, unseal_document
from sync.protocol.signing import split_document
from sync.protocol.subscriptions import Subscription, tier
from sync.protocol.trust import Root, advance
from sync.protocol.wire_json import load_object, number, sha256
from sync.refusals import broken, copied, locked, meaning, too_long
from sync.report import KnownError
from sync.ways import Way, looking_ahead

_BATCH = 12 * 1024
"""Bytes of operations in one request: a request is not resumed, so it must pass a link that drops often."""

T = TypeVar("T")
_Steps = Generator[Action, Result, T]


@dataclass(frozen=True)
class Known:
    """What a shelf knows when a sync begins.

    `seen`: the newest (epoch, version) of a head ever verified. `personal`: (epoch, cursor) of the newest
    personal item stored. `hub_epoch`: the hub's epoch at the last delivery, None before the first. `places`:
    how far each feed and each stream is applied, by name. `at`: (epoch, version) at which all of it was here
    the last time. `low_data`: texts wait for a better link. `price_only`: nothing
    is sent or applied; what is to come is only added up. `member`
    is False for a guest and for a device without its secret; `trouble` then says what is wrong. `keys`: those for
    what only members may read, by id. `carried`: what is new comes by hand, so nobody can be asked or told.
    `joining`: the hub's team has not approved the person yet, who has no keys until then.
    """

    root: Root
    member: bool
    subscription: Subscription = field(default_factory=Subscription)
    stored: StoredHead | None = None
    seen: tuple[int, int] = (0, 0)
    personal: tuple[int, int] = (0, 0)
    hub_epoch: int | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    at: tuple[int, int] = (0, 0)
    operations: Sequence[Operation] = ()
    low_data: bool = False
    price_only: bool = False
    trouble: KnownError | None = None
    keys: Mapping[str, bytes] = field(default_factory=dict)
    carried: bool = False
    joining: bool = False


class Planner:
    """Plans one sync: `next()` gives an action, `feed()` takes how it went, until `next()` gives Done."""

    def __init__(self, known: Known) -> None:
        self.trouble: KnownError | None = known.trouble
        self.bytes_total = 0
        """Bytes of segments known to be needed, fetched ones included."""
        self.to_come: list[SegmentRef] = []
        """The segments of the feeds whose route is known."""
        self.head: Head | None = None
        """The head in force, once it is verified."""
        self.postponed = 0
        """Bytes, about, of what waits for a better link."""
        self._known = known
        self._root = known.root
        self._stored = _verified(known)
        self._unsettled = False
        self._read_again: list[str] = []
        self._keys = dict(known.keys)
        self._personal = known.personal
        self._ways: dict[str, Way | None] = {}
        """By feed, in the order in which they are walked; None where it is not known yet."""
        self._not_here: list[ObjectRef] = []
        """Documents without which ways are not known."""
        self._welcome = known.member
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
        hidden = yield from self._read_members_index(head)
        complete = yield from self._bring(index, head, hidden)
        if self._known.price_only:
            yield Done(complete, self.trouble)
            return
        if self._known.member and not self._known.carried and self.trouble is None:
            sent = yield SendAttachments()
            if isinstance(sent, Failed):
                self._note(sent.error)
        if complete and self._known.at != head.order:
            yield NoteComplete(head.order)
        if complete and not self.postponed and not self._complete_already(head):
            yield SaveHead(head, document, True, tuple(self._read_again))
        yield Done(complete and self.trouble is None and not self._unsettled, self.trouble)

    # 1. Deliver what waits, fetch what is new for this person, and the head

    def _exchange(self) -> _Steps[bytes | None]:
        """Return the newest head document, not verified yet; None where the hub has published nothing."""
        if not self._known.member or self._known.carried:
            return (yield from self._head_alone())
        outgoing = yield from self._batches(self._known.operations)
        head = self._stored.order if self._stored else (0, 0)
        at = self._known.at[1] if self._known.at[0] == head[0] else 0
        personal, epoch = self._known.personal, self._known.hub_epoch
        document: bytes | None = None
        wanted, renewed = True, False
        while wanted or outgoing:
            batch = outgoing.popleft() if outgoing else ()
            result = yield PostPersonal(head, personal, batch, at)
            if isinstance(result, Refused):
                if copied(result.problem) and not renewed:
                    renewed = True
                    outgoing = yield from self._batches(_operations((yield RenewDevice())))
                elif result.problem.action == "drop" and batch:
                    yield from self._isolate(batch, result.problem, outgoing)
                else:
                    self._note(meaning(result.problem))
                    self._welcome = False
                    if result.problem.forget:
                        yield from self._forget_members()
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
            epoch = answer.epoch
            personal = self._personal = (answer.epoch, answer.cursor)
            self._keys |= keyring(answer.keys)
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

    def _forget_members(self) -> _Steps[None]:
        """Drop what only members may read: this device is none of theirs any more."""
        self._keys = {}
        for name in sorted(filter(for_members, self._known.places)):
            if not self._known.price_only:
                yield DropStream(name)

    def _batches(self, operations: Sequence[Operation]) -> _Steps[deque[Sequence[Operation]]]:
        """Cut operations into requests, in order; one that can never be sent is set aside."""
        found: deque[Sequence[Operation]] = deque()
        batch: list[Operation] = []
        size = 0
        for operation in operations:
            if operation.size > limits.OPERATION:
                yield SetAside(operation.id, too_long(operation))
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
        stored = self._stored
        return (
            stored is not None and stored.complete and (stored.index, stored.members) == (head.index, head.members)
        )

    # 3. What there is

    def _read_index(self, head: Head) -> _Steps[Index]:
        result = yield GetDocument(head.index, "index")
        if isinstance(result, Failed):
            raise result.error
        index = yield from self._read(head.index, result, Index.from_bytes)
        self._read_again = [head.index.hash]
        if index.epoch != head.epoch:
            raise broken(f"Its index is of epoch {index.epoch}, its head of epoch {head.epoch}.")
        return index

    def _is_member(self) -> bool:
        return self._welcome and (bool(self._keys) or not self._known.joining)

    def _read_members_index(self, head: Head) -> _Steps[Index | None]:
        """Return what there is for members; None where there is nothing, or it cannot be read, which is noted."""
        if head.members is None or not self._is_member():
            return None
        result = yield GetDocument(head.members, "index", sealed=True)
        if isinstance(result, Failed):
            self._note(result.error)
            return None
        try:
            index = yield from self._read(head.members, result, Index.from_bytes, sealed=True)
            if index.epoch != head.epoch:
                raise broken(f"Its index for members is of epoch {index.epoch}, its head of epoch {head.epoch}.")
        except (WrongHash, HubProblem) as error:
            self._note(from_wire(error) if isinstance(error, WrongHash) else error)
            return None
        self._read_again.append(head.members.hash)
        return index

    def _read(
        self, ref: ObjectRef, result: Result, parse: Callable[[bytes], T], *, sealed: bool = False
    ) -> _Steps[T]:
        """Verify a document against its name, keep it as it is named, and return what it says."""
        body = _body(result)
        if len(body) != ref.size or sha256(body) != ref.hash:
            raise WrongHash("A document does not match its name, so it was not used.")
        try:
            found = parse(unseal_document(body, self._keys, limits.DOCUMENT) if sealed else body)
        except (Malformed, TooLarge) as error:
            raise broken(str(error)) from error
        except NoKey as error:
            raise locked() from error
        assert isinstance(result, Fetched)
        if not result.kept:
            yield KeepDocument(ref.hash, body)
        return found

    # 4. Content, the most useful first

    def _bring(self, index: Index, head: Head, hidden: Index | None) -> _Steps[bool]:
        """Bring every subscribed feed to its newest state; return whether that worked for all.

        `hidden`: what is for members, None where there is nothing or it could not be read.
        """
        choice = self._known.subscription
        feeds = [feed for feed in index.feeds if not for_members(feed.name)]
        feeds += [feed for feed in hidden.feeds if for_members(feed.name)] if hidden is not None else []
        wanted = choice.choose(feeds)
        kept = {name for feed in wanted for name in _kept_places(feed, choice)}
        offered = {name for feed in feeds for name in (feed.name, *_names(feed))}
        # In this order the note that all of a feed is here goes before any stream of it.
        gone = sorted(name for name in self._known.places if name not in kept)
        if hidden is None and head.members is not None:
            # What is for members stays as it is where what is new of it cannot be read.
            gone = [name for name in gone if not for_members(name)]
        for name in gone:
            if name in offered and not self._known.price_only:  # the person's own choice; it frees room at once
                yield DropStream(name)
        late = [feed for feed in wanted if not self._in_step(feed, index.epoch)]
        if self._known.low_data:
            self.postponed = sum(self._guess(feed) or feed.size for feed in late if tier(feed.name) == "texts")
            late = [feed for feed in late if tier(feed.name) != "texts"]
        self.bytes_total += sum(self._guess(feed) for feed in late)
        complete = hidden is not None or head.members is None or not self._is_member()
        yield from self._look_ahead(late, index.epoch)
        for feed in late:
            complete &= yield from self._bring_feed(feed, index.epoch)
        for name in gone:
            # What the hub took away stays readable until all that is new is here: it may only have moved.
            if complete and name not in offered and not self._known.price_only:
                dropped = yield DropStream(name, taken=True)
                complete = self._note(dropped.error) if isinstance(dropped, Failed) else complete
        return complete

    def _in_step(self, feed: Feed, epoch: int) -> bool:
        here = self._known.places.get(feed.name)
        return here == Place(epoch, feed.last) and self._known.subscription.takes_whole(feed)

    def _guess(self, feed: Feed) -> int:
        """About what a feed costs before its route is known: a new reader's price, else nothing yet."""
        if any(name in self._known.places for name in (feed.name, *_names(feed))):
            return 0
        return sum(one.size for one in feed.streams if self._known.subscription.wants(one.name))

    def _look_ahead(self, late: Sequence[Feed], epoch: int) -> _Steps[None]:
        """Find the ways of those feeds whose documents are here already: what comes next is then asked for with
        what comes first, in one range of the same object or behind one more answer of the hub."""
        self._ways = dict.fromkeys((feed.name for feed in late), None)
        at = self._known.at[1] if self._known.at[0] == epoch else 0
        came = True
        while came:
            self._not_here.clear()
            for feed in late:
                if self._ways[feed.name] is None and not for_members(feed.name) and self._as_whole(feed, epoch):
                    with suppress(WrongHash, HubProblem):  # told in its turn, when those before it are here
                        way = yield from self._way(feed, epoch, self._known.places.get(feed.name), at_hand=True)
                        self._ways[feed.name] = way if isinstance(way, Way) else None
            segments = [segment for way in self._ways.values() if way is not None for segment in way.of_runs]
            if not self._welcome or not at or self._known.price_only or not (segments or self._not_here):
                return
            assert self.head is not None, "content without a head"
            order, wanted = self.head.order, tuple(self._not_here)
            result = yield FetchTogether(order, self._personal, at, segments, wanted)
            assert isinstance(result, Came), result
            came = result.some

    def _as_whole(self, feed: Feed, epoch: int) -> bool:
        """Whether a feed is followed as a whole: all of it is kept, and nothing of it is here alone."""
        whole = self._known.subscription.takes_whole(feed)
        # Places of an earlier epoch mean nothing: all of it is fetched anew, and as a whole that is cheapest.
        alone = any(place.epoch == epoch for name in _names(feed) if (place := self._known.places.get(name)))
        return feed.parts is None or (whole and (feed.name in self._known.places or not alone))

    def _bring_feed(self, feed: Feed, epoch: int) -> _Steps[bool]:
        """Bring a feed as a whole where it is followed so, else by its parts."""
        if for_members(feed.name):
            try:
                return (yield from self._follow(feed, epoch, self._known.places.get(feed.name)))
            except (WrongHash, HubProblem) as error:
                # What is public goes on.
                return self._note(from_wire(error) if isinstance(error, WrongHash) else error)
        if self._as_whole(feed, epoch):
            return (yield from self._follow(feed, epoch, self._known.places.get(feed.name)))
        assert feed.parts is not None, "without parts it is followed as a whole"
        document = yield GetDocument(feed.parts, "parts")
        if isinstance(document, Failed):
            return self._note(document.error)
        parts = yield from self._read(feed.parts, document, Parts.from_bytes)
        self._read_again.append(feed.parts.hash)
        complete = True
        for part in parts.feeds:
            if self._known.subscription.wants(part.name) and not self._in_step(part, epoch):
                complete &= yield from self._follow(part, epoch, self._known.places.get(part.name))
        if self._known.price_only:
            return complete
        whole = self._known.subscription.takes_whole(feed)
        if whole and complete and {part.name for part in parts.feeds} >= set(_names(feed)):
            yield SavePlace(feed.name, Place(epoch, feed.last))
        return complete

    def _follow(self, feed: Feed, epoch: int, place: Place | None) -> _Steps[bool]:
        """Apply the cheapest way to the newest state; where a run does not fit what is here, a snapshot."""
        known = self._ways.pop(feed.name, None)
        following = [] if known is None else _in_one_range(known, self._ways.values())
        way = known or (yield from self._way(feed, epoch, place))
        error = (yield from self._walk(way, epoch, following)) if isinstance(way, Way) else way
        if isinstance(error, OtherContent):
            way = yield from self._way(feed, epoch, place, barred=True)
            error = (yield from self._walk(way, epoch)) if isinstance(way, Way) else way
        return True if error is None else self._note(error)

    def _way(
        self, feed: Feed, epoch: int, place: Place | None, *, barred: bool = False, at_hand: bool = False
    ) -> _Steps[Way | KnownError | None]:
        """Return the cheapest way, what stood in the way of knowing it, or, `at_hand`, None where that would need
        a document that is not here."""
        sealed = for_members(feed.name)
        history = None
        try:
            legs = plan(feed, place, epoch, None, barred=barred)
            if legs is None:
                assert feed.history is not None
                found = yield GetDocument(feed.history, "history", sealed, at_hand)
                if not _came(found):
                    self._not_here.append(feed.history)
                    return found.error if isinstance(found, Failed) else None
                history = yield from self._read(feed.history, found, History.from_bytes, sealed=sealed)
                legs = plan(feed, place, epoch, history, barred=barred)
                assert legs is not None, "with its history at hand, a feed has a way or none"
        except Malformed as error:
            return broken(str(error))
        if not legs:
            return Way(feed, place, ())
        first = yield from self._steps(feed, legs[0], place, epoch, at_hand)
        if not isinstance(first, list):
            return first
        # Now that the list is read, the exact price stands in place of the guess.
        later = sum(leg.size for leg in legs[1:])
        self.bytes_total += self._exact(first) + later - (0 if barred else self._guess(feed))
        return Way(feed, place, legs, first)

    def _steps(
        self, feed: Feed, leg: Leg, place: Place | None, epoch: int, at_hand: bool = False
    ) -> _Steps[list[Step] | KnownError | None]:
        """Return the transactions of a leg, whose list is read for it; else as `_way`."""
        snapshot = None
        if leg.snapshot is not None:
            sealed = for_members(feed.name)
            found = yield GetDocument(leg.snapshot.document, "snapshot", sealed, at_hand)
            if not _came(found):
                self._not_here.append(leg.snapshot.document)
                return found.error if isinstance(found, Failed) else None
            snapshot = yield from self._read(leg.snapshot.document, found, Snapshot.from_bytes, sealed=sealed)
            if (snapshot.feed, snapshot.at) != (feed.name, leg.snapshot.at):
                return broken(f"The snapshot of {feed.name} is that of something else.")
        return list(steps(leg, place, epoch, snapshot))

    def _exact(self, todo: Sequence[Step]) -> int:
        """Note the segments of a leg whose list is read, and return their bytes."""
        segments = [step.segment for step in todo if step.segment is not None]
        self.to_come += segments
        return sum(segment.size for segment in segments)

    def _walk(self, way: Way, epoch: int, following: Sequence[Way] = ()) -> _Steps[KnownError | None]:
        """Fetch and apply; `following` are the ways that will be walked next."""
        feed, place = way.feed, way.place
        for leg in way.legs:
            if leg is way.legs[0]:
                todo = looking_ahead(way, following)
            else:
                found = yield from self._steps(feed, leg, place, epoch)
                if not isinstance(found, list):
                    return found
                todo = found
                self.bytes_total += self._exact(todo) - leg.size
            failed = yield from self._walk_leg(feed, todo, following)
            if failed is not None:
                return failed
            place = None if leg.run is None else Place(epoch, leg.run.end)
        return None

    def _walk_leg(self, feed: Feed, todo: Sequence[Step], following: Sequence[Way]) -> _Steps[KnownError | None]:
        then = [FetchSegment(way.feed.name, way.first[0]) for way in following[:1] if way.first]
        coming: list[FetchSegment | None] = [*(FetchSegment(feed.name, step) for step in todo[1:]), *then, None]
        for step, next_one in zip(todo, coming, strict=False) if not self._known.price_only else ():
            if step.segment is not None:
                fetched = yield FetchSegment(feed.name, step)
                if isinstance(fetched, Failed):
                    return fetched.error
            applied = yield ApplySegment(feed.name, _names(feed), step, next_one)
            if isinstance(applied, Failed):
                return applied.error
        return None

    def _note(self, error: KnownError) -> bool:
        """Remember the first trouble; the rest of the sync goes on."""
        self.trouble = self.trouble or error
        return False


@dataclass(frozen=True)
class _Stored:
    document: bytes
    order: tuple[int, int]
    index: ObjectRef
    members: ObjectRef | None
    complete: bool


def _verified(known: Known) -> _Stored | None:
    """Return the stored head if it still verifies: under a newer root it may not, and is then fetched anew."""
    if known.stored is None:
        return None
    try:
        head = verify_head(known.stored.body, known.root, (0, 0), VERSION)
    except ProtocolError:
        return None
    return _Stored(known.stored.body, head.order, head.index, head.members, known.stored.complete)


def _names(feed: Feed) -> list[str]:
    return [stream.name for stream in feed.streams]


def _kept_places(feed: Feed, choice: Subscription) -> list[str]:
    """The streams of a feed that are kept, and the feed's own name only where that is all of them."""
    streams = [name for name in _names(feed) if choice.wants(name)]
    return [feed.name, *streams] if choice.takes_whole(feed) else streams


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


def _in_one_range(way: Way, others: Iterable[Way | None]) -> list[Way]:
    """Those that may be asked for together with `way`: up to the first that is not known yet, and nothing else
    together with the catalogue, which is to be here before anything else takes room on the link."""
    found = []
    catalogue = tier(way.feed.name) == "cards"
    for other in others:
        if other is None or (catalogue and tier(other.feed.name) != "cards"):
            break
        found.append(other)
    return found


def _came(result: Result) -> bool:
    return isinstance(result, Fetched) and result.body is not None


def _operations(result: Result) -> Sequence[Operation]:
    assert isinstance(result, Operations), result
    return result.operations
