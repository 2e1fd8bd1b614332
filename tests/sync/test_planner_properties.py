"""The planner against a shelf of dictionaries: any history of the hub, any failure at any action, any choice.

The world is played by Hypothesis; the hub is the simulator without its server. After the failures stop, shelf
and hub agree, every operation had one effect, and on the way no version ever went down.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    Kept,
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
from sync.errors import HubProblem, OtherContent, SyncError, from_wire
from sync.planner import Known, Planner
from sync.protocol import envelope, limits, patches
from sync.protocol.documents import unpack
from sync.protocol.errors import BadSignature, ProtocolError, WrongHash, WrongPrefix
from sync.protocol.messages import Operation, SyncRequest, SyncResponse
from sync.protocol.paths import DOCUMENTS, HEAD, ROOT, SYNC
from sync.protocol.problems import Problem
from sync.protocol.routes import Place
from sync.protocol.segments import change_line, decode
from sync.protocol.subscriptions import Subscription
from sync.protocol.trust import pin
from tests.sync.hub_simulator import HubSimulator, Seen

TOKEN = "f" * 64
NAMES = (
    "public/cards/en", "public/cards/fr", "public/vocab",
    "public/texts/en/data", "public/texts/en/rain", "public/texts/fr/data",
)  # fmt: skip


class LinkDown(Exception):
    """The failure that a test asked for."""


@dataclass
class DictShelf:
    """A shelf in memory that does what the planner asks. `fail_at` counts actions down to a failure."""

    hub: HubSimulator
    root: Any
    stored: StoredHead | None = None
    seen: tuple[int, int] = (0, 0)
    personal: tuple[int, int] = (0, 0)
    hub_epoch: int | None = None
    places: dict[str, Place] = field(default_factory=dict)
    at: tuple[int, int] = (0, 0)
    records: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    outbox: dict[str, tuple[Operation, str]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscription: Subscription = field(default_factory=Subscription)
    device_epoch: int = 1
    fail_at: int = -1
    asked: int = 0
    fetched: list[str] = field(default_factory=list)

    def sync(self) -> Done | None:
        """One sync; None where it failed."""
        try:
            planner = Planner(self._known())
            while not isinstance(action := planner.next(), Done):
                if self.fail_at == 0:
                    self.fail_at = -1
                    raise LinkDown
                self.fail_at -= 1
                planner.feed(self.do(action))
        except LinkDown:
            return None
        return action

    def _known(self) -> Known:
        return Known(
            root=self.root,
            member=True,
            subscription=self.subscription,
            stored=self.stored,
            seen=self.seen,
            personal=self.personal,
            hub_epoch=self.hub_epoch,
            places=dict(self.places),
            at=self.at if self.places else (0, 0),
            operations=self._waiting(),
        )

    def _waiting(self) -> list[Operation]:
        return [operation for operation, state in self.outbox.values() if state == "waiting"]

    def ask(self) -> str:
        self.asked += 1
        id_ = f"q-{self.asked}"
        self.outbox[id_] = (Operation(id_, self.device_epoch, self.asked, "ask", {"title": id_}), "waiting")
        return id_

    def _get(self, path: str) -> bytes:
        answer = self.hub.answer(Seen("GET", path), {}, b"")
        if answer.status != 200:
            raise HubProblem(Problem.from_bytes(answer.body))
        return answer.body

    def do(self, action: Action) -> Result:
        match action:
            case PostPersonal():
                assert action.at <= self.seen[1]
                request = SyncRequest(action.head, action.personal, action.operations, action.at)
                nonce = bytes(envelope.NONCE)
                answer = self.hub.answer(Seen("POST", SYNC), {}, envelope.ask(TOKEN, nonce, request))
                if answer.status != 200:
                    return Refused(Problem.from_bytes(answer.body))
                reader = envelope.AnswerReader(TOKEN, nonce, operations=request.operations)
                (message,) = reader.feed(answer.body)
                assert isinstance(message, envelope.Message)
                return Answered(message.response)
            case Deliver():
                return self._deliver(action)
            case SetAside():
                self.outbox[action.operation] = (self.outbox[action.operation][0], "attention")
            case RenewDevice():
                self.device_epoch += 1
                for id_, (one, state) in self.outbox.items():
                    renewed = Operation(one.id, self.device_epoch, one.counter, one.kind, one.body)
                    self.outbox[id_] = (renewed, state)
                return Operations(self._waiting())
            case GetHead():
                return Fetched(self._get(HEAD))
            case GetRoot():
                return Fetched(self._get(f"{ROOT}{action.version}"))
            case SaveRoot():
                assert action.root.version == self.root.version + 1
                self.root = action.root
            case SaveHead():
                assert action.head.order >= self.seen, "a version went down"
                self.seen = action.head.order
                self.stored = StoredHead(*action.head.order, action.document, action.complete, "")
                if action.complete:
                    self.documents = {name: self.documents[name] for name in action.keep}
            case NoteComplete():
                self.at = action.order
            case GetDocument():
                if action.ref.hash in self.documents:
                    return Fetched(self.documents[action.ref.hash], kept=True)
                if action.at_hand and action.ref.hash[0] in "02468ace":
                    return Fetched(None)  # the others came behind an answer
                self.fetched.append(action.ref.hash)
                return Fetched(unpack(self._get(DOCUMENTS + action.ref.hash), action.ref, limits.DOCUMENT))
            case KeepDocument():
                self.documents[action.digest] = action.body
            case FetchTogether():
                assert action.at <= self.seen[1]
                return Came(False)
            case FetchSegment():
                assert action.step.source is not None
                self.fetched.append(action.step.source.hash)
            case ApplySegment():
                try:
                    self._apply(action)
                except ProtocolError as error:
                    return Failed(from_wire(error))
            case SavePlace():
                self.places[action.feed] = action.place
            case SendAttachments():
                pass  # nothing here has any
            case DropStream():
                self.places.pop(action.stream, None)
                self.records.pop(action.stream, None)
            case _:
                raise AssertionError(action)
        return Kept()

    def _deliver(self, action: Deliver) -> Result:
        answer = action.answer
        if action.renewed:
            self.outbox = {
                id_: (one, "waiting" if state == "received" else state)
                for id_, (one, state) in self.outbox.items()
            }
        self.hub_epoch = answer.epoch
        for receipt in answer.receipts:
            if receipt.id in action.settled:
                state = "received" if receipt.accepted else "attention"
                self.outbox[receipt.id] = (self.outbox[receipt.id][0], state)
        if action.reset:
            self.items.clear()
        self.items |= {str(item["id"]): dict(item) for item in answer.items}
        self.personal = (answer.epoch, answer.cursor)
        return Operations(self._waiting() if action.renewed else ())

    def _apply(self, action: ApplySegment) -> None:
        step = action.step
        names = {action.feed, *action.streams}
        before = self.places.get(action.feed, Place())
        if before.generation and (before.epoch, before.generation) == (step.place.epoch, step.place.generation):
            assert step.place.parts == before.parts + 1, "a part was skipped"
        if step.segment is not None:
            assert step.source is not None
            source = self.hub.objects[step.source.hash]
            data = source[step.offset : step.offset + step.segment.size]
            for stream, change in decode(data, step.segment, lambda size: self._prefix(action.feed, size)).changes:
                names.add(stream)
                assert stream == action.feed or stream.startswith(action.feed + "/")
                records = self.records.setdefault(stream, {})
                if change.get("deleted"):
                    records.pop(change["id"], None)
                    continue
                if patches.is_patch(change):
                    change = patches.apply(json.loads(records[change["id"]][0]), change)
                records[change["id"]] = (change_line(change).decode(), step.mark)
        for name in names:
            records = self.records.get(name, {})
            for id_ in [id_ for id_, (_, mark) in records.items() if step.sweep and mark != step.mark]:
                del records[id_]
            self.places[name] = step.place

    def _prefix(self, feed: str, size: int) -> bytes:
        lines = [
            (id_.encode(), body.encode() + b"\n")
            for name, records in self.records.items()
            if name == feed or name.startswith(feed + "/")
            for id_, (body, _) in records.items()
        ]
        return b"".join(line for _, line in sorted(lines))[-size:]

    def agrees(self) -> None:
        published = {
            name: {id_: line.decode() for id_, line in stream.records.items()}
            for name, stream in self.hub.streams.items()
            if stream.records and self.subscription.wants(name)
        }
        held = {name: {id_: body for id_, (body, _) in records.items()} for name, records in self.records.items()}
        assert {name: records for name, records in held.items() if records} == published
        assert set(self.places) >= set(published)
        assert all(not place.generation for place in self.places.values())
        assert self.items == {str(item["id"]): item for item in self.hub.items}
        assert all(state in ("received", "attention") for _, state in self.outbox.values())
        for id_, (_, state) in self.outbox.items():
            assert len(self.hub.effects.get(id_, [])) == (1 if state == "received" else 0)


def world() -> tuple[HubSimulator, DictShelf]:
    from sync.protocol.messages import token_hash

    hub = HubSimulator()
    hub.devices[token_hash(TOKEN)] = TOKEN
    return hub, DictShelf(hub, pin(hub.roots[0]))


def publish(
    hub: HubSimulator, name: str, numbers: list[int], deleted: list[int], parts: int, version: int
) -> None:
    records: list[dict[str, Any]] = [{"id": f"{name}-{n}", "type": "x", "body": f"{version}"} for n in numbers]
    records += [{"id": f"{name}-{n}", "deleted": True} for n in deleted if n not in numbers]
    if records:
        hub.publish({name: records}, segment_records=parts)


publishing = st.tuples(
    st.just("publish"),
    st.sampled_from(NAMES),
    st.lists(st.integers(0, 5), max_size=6, unique=True),
    st.lists(st.integers(0, 5), max_size=3, unique=True),
    st.integers(1, 3),
)
# Weighted by standing several times: most of what happens is publishing and syncing.
events = st.one_of(
    publishing,
    publishing,
    publishing,
    st.tuples(st.just("sync"), st.integers(0, 25)),
    st.tuples(st.just("sync"), st.integers(4, 12)),
    st.tuples(st.just("sync"), st.just(-1)),
    st.tuples(st.just("ask")),
    st.tuples(st.just("refuse")),
    st.tuples(st.just("restore"), st.integers(0, 2)),
    st.tuples(st.just("rotate")),
    st.tuples(st.just("lose-library")),
    st.tuples(st.just("choose"), st.sampled_from([None, ["en"], ["fr", "en"], ["fr"]])),
    st.tuples(st.just("themes"), st.sampled_from([None, ["data"], ["rain"], ["rain", "data"], []])),
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(events, min_size=6, max_size=30), st.tuples(st.integers(1, 6), st.integers(1, 8), st.booleans()))
def test_any_history_ends_in_agreement(history: list[Any], policy: tuple[int, int, bool]) -> None:
    hub, shelf = world()
    hub.snapshot_every, hub.kept_changes, hub.lists_empty_streams = policy
    version = 0
    for event in history:
        match event:
            case ("publish", name, numbers, deleted, parts):
                version += 1
                publish(hub, name, numbers, deleted, parts, version)
            case ("sync", fail_at):
                shelf.fail_at = fail_at
                done = shelf.sync()
                assert done is None or done.trouble is None, done
            case ("ask",):
                shelf.ask()
            case ("refuse",):
                hub.refuse_requests_with.add(shelf.ask())
            case ("restore", forget):
                hub.restore(forget_operations=forget)
            case ("rotate",):
                hub.rotate_head_key()
                hub.publish({})
            case ("lose-library",):
                shelf.stored, shelf.personal = None, (0, 0)
                shelf.places, shelf.records, shelf.documents, shelf.items = {}, {}, {}, {}
            case ("choose", languages):
                shelf.subscription = Subscription(languages, shelf.subscription.themes)
            case ("themes", themes):
                shelf.subscription = Subscription(shelf.subscription.languages, themes)
    shelf.fail_at = -1
    done = shelf.sync()
    assert done is not None
    assert done.complete, done
    shelf.agrees()
    # And then there is nothing to do, and nothing to fetch: what is read again is on this computer.
    shelf.fetched.clear()
    assert shelf.sync() == Done(True, None)
    assert shelf.fetched == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 40), st.sampled_from(["flip", "cut", "other"]), st.data())
def test_damaged_documents_are_never_believed(at: int, how: str, data: st.DataObject) -> None:
    """Whatever is fetched as the n-th document is damaged: the sync ends typed, and nothing of it is kept."""
    hub, shelf = world()
    for number, name in enumerate(NAMES):
        publish(hub, name, [1, 2, 3], [], 2, number)
    planner = Planner(shelf._known())
    count, noticed = 0, False
    try:
        while not isinstance(action := planner.next(), Done):
            result = shelf.do(action)
            if isinstance(action, GetDocument) and isinstance(result, Fetched) and result.body is not None:
                count += 1
                if count == at % 8:
                    result = Fetched(_damaged(result.body, how, data))
                    # What was only looked at ahead of its turn is asked for again when its turn comes.
                    noticed = action.at_hand
            if isinstance(action, KeepDocument):
                assert action.body == hub.documents[action.digest]
            planner.feed(result)
    except WrongHash:
        return
    assert noticed or at % 8 in (0, 7)
    shelf.agrees()


def _damaged(body: bytes, how: str, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(body) - 1))
    if how == "flip":
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    return body[:at] if how == "cut" else b'{"epoch":1,"version":1,"feeds":[]}'


def test_one_stream_that_fails_leaves_the_others_alone() -> None:
    hub, shelf = world()
    for number, name in enumerate(NAMES):
        publish(hub, name, [1, 2, 3], [], 2, number)
    planner = Planner(shelf._known())
    trouble: SyncError = HubProblem(Problem("not-found", "Gone.", "resync", 404))
    while not isinstance(action := planner.next(), Done):
        broken = isinstance(action, FetchSegment) and action.feed == "public/cards/en"
        planner.feed(Failed(trouble) if broken else shelf.do(action))
    assert action == Done(False, trouble)
    assert set(shelf.places) == {*NAMES, "public/texts/en", "public/texts/fr"} - {"public/cards/en"}
    assert shelf.stored is not None
    assert not shelf.stored.complete
    assert shelf.sync() == Done(True, None)
    shelf.agrees()


def test_content_that_is_not_what_the_hub_believes_is_mended_by_a_snapshot() -> None:
    hub, shelf = world()
    hub.snapshot_every = 10
    for number in range(3):
        publish(hub, NAMES[0], [1, 2, 3], [], 2, number)
    publish(hub, NAMES[1], [1], [], 2, 0)
    assert shelf.sync() == Done(True, None)
    publish(hub, NAMES[0], [4], [], 2, 4)
    planner = Planner(shelf._known())
    refused = 0
    while not isinstance(action := planner.next(), Done):
        if isinstance(action, ApplySegment) and not action.step.mark and not refused:
            refused += 1
            planner.feed(Failed(from_wire(WrongPrefix("Something else is here."))))
        else:
            planner.feed(shelf.do(action))
    assert (action, refused) == (Done(True, None), 1)
    shelf.agrees()


def test_content_that_no_snapshot_mends_is_told() -> None:
    hub, shelf = world()
    publish(hub, NAMES[0], [1, 2, 3], [], 2, 0)
    planner = Planner(shelf._known())
    trouble = OtherContent("Something else is here.")
    applied = 0
    while not isinstance(action := planner.next(), Done):
        applied += isinstance(action, ApplySegment)
        planner.feed(Failed(trouble) if isinstance(action, ApplySegment) else shelf.do(action))
    assert (action, applied) == (Done(False, trouble), 2)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_in_place_of_a_head_are_believed(head: bytes) -> None:
    hub, shelf = world()
    publish(hub, NAMES[0], [1], [], 1, 1)
    planner = Planner(shelf._known())
    action = planner.next()
    assert isinstance(action, PostPersonal)
    planner.feed(Answered(SyncResponse(1, 0, head=head)))
    planner.next()
    with pytest.raises(ProtocolError):
        planner.feed(Operations(()))


def test_a_head_signed_as_something_else_is_not_believed() -> None:
    hub, shelf = world()
    publish(hub, NAMES[0], [1], [], 1, 1)
    assert hub.head is not None
    payload = hub.head.partition(b"\n")[0]
    from sync.protocol.signing import sign_document

    planner = Planner(shelf._known())
    planner.next()
    planner.feed(Answered(SyncResponse(1, 0, head=sign_document("root", payload, [hub.head_key]))))
    planner.next()
    with pytest.raises(BadSignature):
        planner.feed(Operations(()))
