"""Doing what the planner asks, one action at a time, with the stores and the link of one thread.

`Run.to_the_end` is the loop; `_do` is its table of actions, each told in `sync.actions`. A link that was lost is
waited for here (`_patiently`), since only here is it known what had come.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from resources_cache.attachments import FOLDER, Attachments, open_files
from resources_cache.cards import StoredHead
from resources_cache.errors import BadRecord, MassDeletion
from resources_cache.files import FileStore
from resources_cache.identity import new_id, utc_now
from resources_cache.library import Library
from resources_cache.moving import MOVED_OUT
from resources_cache.own import Own
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
from sync.apply import apply_step, complete_at, cursor, place
from sync.cancel import Cancel
from sync.catalogue import fetch_document, get_head, get_root
from sync.clock import SYSTEM, Clock
from sync.decoding import DecodeAhead
from sync.delivery import deliver, exchange, mark_answered, waiting_operations
from sync.enrolment import JOINING
from sync.errors import (
    AuthNeeded,
    HubProblem,
    NotEnrolled,
    NotTrusted,
    Offline,
    SecretsUnusable,
    SyncError,
    UpgradeNeeded,
    from_wire,
)
from sync.home import Home
from sync.inlined import Inlined
from sync.members import MemberAccess
from sync.mirror_choice import MirrorChoice
from sync.mirrors import Mirrored, connect_mirror
from sync.neighbours.giving import shares
from sync.objects import WORTHWHILE, Arrived, Ranges
from sync.pace import FIRST, Pace
from sync.planner import Known, Planner
from sync.prices import Price, price_of
from sync.protocol import errors as wire
from sync.protocol import limits, trust, uploads
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import SegmentRef
from sync.protocol.head import ObjectRef
from sync.protocol.messages import Operation, SyncRequest, SyncResponse
from sync.protocol.sealed import for_members
from sync.protocol.subscriptions import Subscription
from sync.refusals import locked
from sync.report import KnownError, Phase, Progress, ProgressCallback, SyncReport
from sync.rooms import room_for
from sync.telling import group_of, note_told, to_tell
from sync.transport import Transport
from sync.uploads import upload_waiting

_FEW = 2
"""So many missing things are fetched alone rather than behind one more answer."""
_APART = 16 * 1024
"""Bytes of a segment from which decoding takes longer than handing it to another thread."""
_ALONE = ("office", "machine")
"""Who has segments alone, not the larger objects that they lie in at the hub."""
_PAUSES = (1.0, 2.0)
"""Seconds before the next attempt after a loss; the last goes on. An attempt that finds no link costs a packet or
two; what a link that is back for a while could have carried meanwhile is the larger loss."""


LET_REMOVE = "let_remove"
"""Setting of own.db: true where the person lets the hub remove more than a fifth of the shelf, until it has."""


class Run:
    """Does what the planner asks, with the stores of one thread."""

    def __init__(
        self,
        home: Home,
        library: Library,
        own: Own,
        transport: Transport,
        cancel: Cancel | None,
        progress: ProgressCallback | None,
        patience: float,
        clock: Clock = SYSTEM,
        carried: Literal["", "pack", "office", "machine"] = "",
    ) -> None:
        """`carried`: the transport is a pack, the neighbours' one, or this machine's library; nothing is sent, nor
        is a link learnt of."""
        self.report = SyncReport()
        self.trouble: KnownError | None = None
        self._id = new_id()
        self._home = home
        self._library = library
        self._own = own
        self._transport = transport
        self._cancel = cancel
        self._progress = progress
        self._token: str | None = None
        self._patience = patience
        self._clock = clock
        self._incoming: FileStore | None = None
        self._ranges: dict[Mirrored, Ranges] = {}
        self._decoding = DecodeAhead()
        self._bytes_done = 0
        self._deleted = 0
        self._gained = 0
        self._counted: set[str] = set()
        link = own.setting("link_rate")
        self._pace = Pace(int(link * 5) if isinstance(link, int | float) and link > 0 else FIRST)
        self._inlined = Inlined(self._store, library.document, own)
        self._carried = carried
        self._given = home.given() if home.gives or shares(own) else None
        self._choice_of_mirrors = MirrorChoice() if carried else MirrorChoice.of(own)
        mirrors = self._choice_of_mirrors.order()
        connect = partial(connect_mirror, network=home.network(own))
        self._public = Mirrored(transport, mirrors, connect, learner=self._choice_of_mirrors, clock=clock)
        # What is sealed is in no public mirror; a cache in the office may have it.
        self._members = MemberAccess(home.secrets(), transport, self._choice_of_mirrors.by_hand, connect)
        self._mirrored: set[str] = set()
        self._forget = cancel.watch(self._public.interrupt) if cancel is not None else None
        self._pricing = False
        self._low_data = own.setting("low_data") is True
        self._subscription = Subscription.from_settings(own.setting("languages"), own.setting("themes"))
        self._begun = (transport.traffic.up, transport.traffic.down)

    def to_the_end(self) -> SyncReport:
        """Ask the planner, do it, tell the planner, until it is done. Raises what stops a sync."""
        self._tell("connecting")
        planner = Planner(self._what_is_known())
        while not isinstance(action := planner.next(), Done):
            if self._cancel is not None:
                self._cancel.check()
            result = self._patiently(action, planner)
            planner.feed(result)
            self.trouble = planner.trouble
        expired = planner.head is not None and planner.head.expires < utc_now()
        up_to_date = action.complete and action.trouble is None
        return replace(
            self.report,
            up_to_date=up_to_date,
            expired=expired,
            postponed=planner.postponed,
            error=action.trouble,
        )

    def price(self) -> Price:
        """Plan without doing, and add up. Raises what stops a sync."""
        self._pricing = True
        known = replace(self._what_is_known(), price_only=True)
        waiting = known.operations
        planner = Planner(replace(known, operations=()))
        while not isinstance(action := planner.next(), Done):
            planner.feed(self._do(action, planner))
        if action.trouble is not None:
            raise action.trouble
        incoming = self._store()
        missing = [one.size - incoming.partial_size(one.hash) for one in planner.to_come]
        return price_of([size for size in missing if size > 0], waiting, self._own.setting("link_rate"))

    def close(self) -> None:
        """Give up what is still open on the link."""
        if self._given is not None:
            self._given.evict(())
        self._close_ranges()
        self._decoding.close()
        self._public.close()
        self._members.link.close()
        if self._forget is not None:
            self._forget()

    def _close_ranges(self) -> None:
        for ranges in self._ranges.values():
            ranges.close()
        self._ranges.clear()

    def keep(self, report: SyncReport) -> None:
        """Keep the report in the history. Raises CacheError."""
        self._own.add_sync(
            {"id": self._id, **report.to_json(), **({"kind": self._carried} if self._carried else {})}
        )
        if self._carried:
            return
        self._choice_of_mirrors.keep(self._own)
        if self._pace.rate:
            self._own.set_setting("link_rate", round(self._pace.rate))
        if report.up_to_date:
            self._own.set_setting("last_in_step", utc_now())

    def _what_is_known(self) -> Known:
        own, library = self._own, self._library
        if not own.setting("hub_url") and not self._carried:
            raise NotEnrolled("This shelf belongs to no hub yet.")
        document = own.setting("root")
        if not isinstance(document, str):
            raise NotTrusted("This shelf does not know the keys of its hub, so it can believe nobody.")
        seen, epoch = own.setting("head_seen"), own.setting("hub_epoch")
        guest = bool(own.setting("guest", False))
        trouble = None if guest else self._find_token()
        self._members.begin(self._token)
        stored = library.head()
        floor = (int(seen[0]), int(seen[1])) if isinstance(seen, list) and len(seen) == 2 else (0, 0)
        if stored is not None:
            floor = max(floor, (stored.epoch, stored.version))
        return Known(
            root=trust.pin(document.encode()),
            member=self._token is not None,
            subscription=self._subscription,
            stored=stored,
            seen=floor,
            personal=library.personal_cursor(),
            hub_epoch=epoch if isinstance(epoch, int) else None,
            places=(places := {name: place(found) for name, found in library.cursors().items()}),
            at=complete_at(own.setting("complete_at"), places, self._choice()),
            operations=self._waiting() if self._token is not None and not self._carried else (),
            low_data=self._low_data,
            trouble=None if self._carried else trouble,
            keys=self._members.keys,
            joining=own.setting(JOINING) is True,
            carried=bool(self._carried),
        )

    def _waiting(self) -> Sequence[Operation]:
        """What is to be sent: nothing from a shelf that was moved to another PC, which sends it from there."""
        return () if self._own.setting(MOVED_OUT) else waiting_operations(self._own)

    def _find_token(self) -> SyncError | None:
        try:
            self._token = self._home.secrets().token()
        except SecretsUnusable as error:
            return error
        return None if self._token else AuthNeeded("The secret of this device is missing.")

    def _patiently(self, action: Action, planner: Planner) -> Result:
        """Do an action; after a loss wait and do it again, as long as something that stays came lately.

        An answer that is cut in the same place again and again brings bytes too, but nothing that stays.
        """
        traffic = self._transport.traffic
        pauses = iter(_PAUSES)
        gained, since = self._gained, self._clock.now()
        while True:
            try:
                return self._do(action, planner)
            except Offline:
                self._pace.dropped()
                if self._gained > gained:
                    gained, since, pauses = self._gained, self._clock.now(), iter(_PAUSES)
                waited = self._clock.now() - since
                if waited >= self._patience or traffic.down == self._begun[1]:
                    raise
                if self._cancel is not None:
                    self._cancel.check()
            self._wait(min(next(pauses, _PAUSES[-1]), max(0.0, self._patience - waited)))

    def _wait(self, seconds: float) -> None:
        self._clock.wait(seconds, self._cancel)
        if self._cancel is not None:
            self._cancel.check()

    # One method for each action; each is told in sync.actions

    def _do(self, action: Action, planner: Planner) -> Result:
        match action:
            case PostPersonal():
                return self._post(action)
            case Deliver():
                return self._deliver(action)
            case SetAside():
                self._own.outbox.set_aside(action.operation, action.problem.to_json())
            case RenewDevice():
                self._own.new_device_epoch()
                self._own.outbox.renumber()
                return Operations(self._waiting())
            case GetHead():
                return Fetched(get_head(self._transport, action.known))
            case GetRoot():
                return Fetched(get_root(self._transport, action.version))
            case SaveRoot():
                self._own.set_setting("root", action.root.document.decode())
            case SaveHead():
                self._save_head(action)
            case NoteComplete():
                self._own.set_setting("complete_at", [*action.order, self._choice().to_json()])
                self._inlined.complete()
            case GetDocument():
                return self._document(action)
            case KeepDocument():
                self._library.save_document(action.digest, action.body)
                if self._given is not None:
                    self._given.put(action.body)
            case FetchTogether():
                return self._fetch_together(action)
            case FetchSegment() | ApplySegment():
                return self._segment(action, planner)
            case SavePlace():
                self._library.apply_run({}, {action.feed: cursor(action.place)})
            case SendAttachments():
                return self._send_attachments()
            case DropStream():
                return self._drop(action)
            case _:
                raise AssertionError(f"the engine does not know how to do {action!r}")
        return Kept()

    def _drop(self, action: DropStream) -> Result:
        try:
            self._deleted += self._library.drop_stream(
                action.stream, self._deleted_before() if action.taken else None
            )
        except MassDeletion as error:
            return Failed(error)
        return Kept()

    def _deleted_before(self) -> int | None:
        """What this sync deleted so far; None where the person lets the hub remove what it wants."""
        return None if self._own.setting(LET_REMOVE) is True else self._deleted

    def _post(self, action: PostPersonal) -> Result:
        assert self._token is not None
        self._tell("sending" if action.operations else "connecting")
        try:
            return Answered(self._exchange(action, self._token))
        except HubProblem as refused:
            if refused.problem.forget and not self._pricing:
                self._members.forget()
            return Refused(refused.problem)

    def _exchange(self, action: PostPersonal, token: str) -> SyncResponse:
        telling = None if self._pricing else to_tell(self._home, self._own)
        request = SyncRequest(
            head=action.head,
            personal=action.personal,
            operations=tuple(action.operations),
            at=action.at,
            streams=self._choice(),
            room=room_for(action, self._pricing, self._library, self._transport.traffic.left),
            have=self._inlined.have(),
            keys=self._members.ids,
            about=telling,
            group=group_of(self._own),
        )
        answer = exchange(self._transport, self._own, token, request, self._inlined)
        note_told(self._own, telling, answer.group)
        return answer

    def _fetch_together(self, action: FetchTogether) -> Came:
        """Ask where much is missing. What else the answer says waits for the next sync: it is not acknowledged."""
        segments, documents = self._missing(action)
        # A document that is missing costs a request in any case, and more will be wanted for what it says.
        worthwhile = self._inlined.came and (documents or len(segments) > _FEW)
        if not worthwhile or self._token is None:
            return Came(False)
        try:
            self._exchange(PostPersonal(action.head, action.personal, (), action.at), self._token)
        except (HubProblem, ProtocolError):
            return Came(False)  # each of them is still to be had alone
        after = self._missing(action)
        return Came(len(after[1]) < len(documents) or sum(after[0]) <= sum(segments) - WORTHWHILE)

    def _missing(self, action: FetchTogether) -> tuple[list[int], list[ObjectRef]]:
        """How many bytes are missing of each segment of which any are, and which documents did not come."""
        store = self._store()
        segments = [one.size - store.partial_size(one.hash) for one in action.segments]
        documents = [one for one in action.documents if not self._inlined.holds(one)]
        return [size for size in segments if size > 0], documents

    def _choice(self) -> Subscription:
        """What is to be fetched now: less than what is kept, where texts wait for a better link."""
        return replace(self._subscription, themes=[]) if self._low_data else self._subscription

    def _deliver(self, action: Deliver) -> Result:
        files = open_files(self._home.path, uploads.FILE)
        accepted, records = deliver(self._own, self._library, files, action)
        self._members.take(action.answer.keys)
        if action.answer.keys and self._own.setting(JOINING) is True:
            self._own.set_setting(JOINING, False)
        mark_answered(self._own, self._library)
        self.report = replace(
            self.report,
            operations_sent=self.report.operations_sent + accepted,
            records=self.report.records + records,
        )
        return Operations(self._waiting() if action.renewed else ())

    def _send_attachments(self) -> Result:
        moved = self._own.setting(MOVED_OUT)
        if self._token is None or moved or not (self._home.path / FOLDER).exists():
            return Kept()
        files = open_files(self._home.path, uploads.FILE)
        try:
            upload_waiting(
                self._transport, self._token, self._own, files, cancel=self._cancel, progress=self._progress
            )
        except (HubProblem, AuthNeeded, UpgradeNeeded) as error:
            return Failed(error)
        Attachments.of(self._own, files).tidy()
        return Kept()

    def _save_head(self, action: SaveHead) -> None:
        head = action.head
        seen = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # Own work outlives the library: a shelf that is built anew still knows what it must not go back behind.
        self._own.set_setting("head_seen", list(head.order))
        self._library.save_head(StoredHead(head.epoch, head.version, action.document, action.complete, seen))
        shares = {"shares": dict(head.shares), "groups": {key: list(head.groups[key]) for key in head.groups}}
        builds = None if head.builds is None else {**head.builds.to_json(), **shares}
        for key, value in (("mirrors", list(head.mirrors)), ("hub_name", head.hub), ("builds", builds)):
            if self._own.setting(key) != value:
                self._own.set_setting(key, value)
        if action.complete:
            self._library.forget_documents(action.keep)
            self._close_ranges()
            shutil.rmtree(self._home.path / "incoming", ignore_errors=True)
            self._incoming = None

    def _document(self, action: GetDocument) -> Result:
        kept = self._library.document(action.ref.hash)
        if kept is not None:
            return Fetched(kept, kept=True)
        inlined = self._inlined.document(action.ref)
        if inlined is not None:
            return Fetched(inlined)
        if action.at_hand:
            return Fetched(None)
        self._tell("catalogue")
        try:
            return Fetched(self._verified_document(action))
        except HubProblem as error:
            return Failed(error)
        except ProtocolError as error:
            return Failed(from_wire(error))

    def _verified_document(self, action: GetDocument) -> bytes:
        if self._transport.traffic.left is not None:
            # With a bound to the bytes, nothing else arrives while it is looked at.
            self._close_ranges()
        if action.sealed:
            return self._members.document(action.ref, self._store(), self._cancel)
        return self._public.from_anywhere(
            lambda: fetch_document(self._public, self._store(), action.ref, limits.DOCUMENT)
        )

    def _segment(self, action: FetchSegment | ApplySegment, planner: Planner) -> Result:
        """Do one half of a segment; what is wrong with this one alone is told, not raised."""
        try:
            if isinstance(action, FetchSegment):
                self._fetch(action, planner)
            else:
                self._apply_whatever_came(action, planner)
        except wire.NoKey:
            return Failed(locked())
        except ProtocolError as error:
            return Failed(from_wire(error))
        except (HubProblem, UpgradeNeeded, BadRecord, MassDeletion) as error:
            return Failed(error)
        return Kept()

    def _store(self) -> FileStore:
        if self._incoming is None:
            self._incoming = self._home.incoming()
        return self._incoming

    def _fetch(self, action: FetchSegment, planner: Planner) -> None:
        step = action.step
        assert step.segment is not None, "a step without a segment has nothing to fetch"
        assert step.source is not None, "a segment lies somewhere"
        link = self._link(action.feed)
        if link not in self._ranges:
            self._ranges[link] = Ranges(link, self._store(), self._pace, self._cancel, self._clock)
        ranges, segment, source = self._ranges[link], step.segment, step.source
        arrived = self._arriving(action, planner)
        # A neighbour has the segment alone, not the larger object that it lies in at the hub.
        where = (segment, 0, 0) if self._carried in _ALONE else (source, step.offset, step.ahead)
        link.from_anywhere(lambda: ranges.bring(segment, *where, arrived))
        if link.mirrored:
            self._mirrored.add(step.segment.hash)

    def _arriving(self, action: FetchSegment, planner: Planner) -> Arrived:
        """Return what is to be called when bytes of a segment come."""
        segment = action.step.segment
        if segment is not None and segment.hash not in self._counted:
            # What came behind the hub's answer, or before an earlier cut.
            self._bytes_done += self._store().partial_size(segment.hash)
            self._counted.add(segment.hash)

        def arrived(count: int) -> None:
            self._bytes_done += count
            self._gained += count
            self._tell("applying", planner, action.feed)

        return arrived

    def _unpacked(self, action: ApplySegment, planner: Planner) -> bytes | None:
        """Return the raw bytes of the segment to be applied, where they are ready, and make the next one ready."""
        segment = action.step.segment
        raw = self._decoding.take(segment) if segment is not None else None
        coming = self._what_came(action.coming, planner)
        if coming is not None:
            if raw is None and segment is not None:
                # On the same thread, so that two models are never in memory.
                self._decoding.begin(segment, self._store().partial_bytes(segment.hash, segment.size))
                raw = self._decoding.take(segment)
            self._decoding.begin(*coming)
        return raw

    def _what_came(self, coming: FetchSegment | None, planner: Planner) -> tuple[SegmentRef, bytes] | None:
        """Return the next segment if all of it is here already, and it is long enough to be decoded apart."""
        if coming is None or coming.step.segment is None or coming.step.source is None:
            return None
        link = self._link(coming.feed)
        if link not in self._ranges or link is not self._public or self._carried in _ALONE:
            return None
        if coming.step.segment.size < _APART:
            return None
        segment, source = coming.step.segment, coming.step.source
        arrived = self._arriving(coming, planner)
        data = self._ranges[link].bring_what_came(segment, source, coming.step.offset, arrived)
        if link.mirrored:
            self._mirrored.add(segment.hash)
        return (segment, data) if data else None

    def _link(self, feed: str) -> Mirrored:
        return self._members.link if for_members(feed) else self._public

    def _apply_whatever_came(self, action: ApplySegment, planner: Planner) -> None:
        """Apply a segment; one that a mirror gave wrong is fetched again from the hub."""
        try:
            self._apply(action, planner)
        except wire.WrongHash:
            segment = action.step.segment
            if segment is None or segment.hash not in self._mirrored:
                raise
            self._mirrored.discard(segment.hash)
            self._close_ranges()
            self._link(action.feed).distrust()
            self._fetch(FetchSegment(action.feed, action.step), planner)
            self._apply(action, planner)

    def _apply(self, action: ApplySegment, planner: Planner) -> None:
        keys, raw = self._members.keys, self._unpacked(action, planner)
        step = (action.feed, action.streams, action.step)
        kept = self._given
        applied = apply_step(self._library, self._store(), *step, keys, raw, self._deleted_before(), kept)
        self._deleted += applied.deleted
        self._inlined.applied(action.step.segment)
        self.report = replace(
            self.report,
            segments_applied=self.report.segments_applied + (action.step.segment is not None),
            records=self.report.records + applied.put + applied.deleted,
        )
        # Kept as it goes: what a sync that is killed had spent still counts.
        traffic = self._transport.traffic
        spent = {"bytes_up": traffic.up - self._begun[0], "bytes_down": traffic.down - self._begun[1]}
        self._own.add_sync({**self.report.to_json(), **spent, "id": self._id})
        self._tell("applying", planner, action.feed)

    def _tell(self, phase: Phase, planner: Planner | None = None, stream: str = "") -> None:
        if self._progress is not None:
            total = planner.bytes_total if planner is not None else 0
            self._progress(Progress(phase, self._bytes_done, total, self.report.records, stream))
