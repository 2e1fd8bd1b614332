"""One sync, from the first byte to the report.

`sync_once` is the table of contents: what is known goes to the planner; the loop does what the planner asks,
one action at a time, until it is done or something known stops it; the report is kept and returned.

The other things that a shelf does with its hub are reached from here too: `enrol`, `connect_guest`, `offers`,
`fetch_file`.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime

from resources_cache.cards import StoredHead
from resources_cache.errors import BadRecord, CacheError
from resources_cache.files import FileStore
from resources_cache.identity import new_id, utc_now
from resources_cache.library import Library
from resources_cache.own import Own
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
    Kept,
    Operations,
    PostPersonal,
    Refused,
    RenewDevice,
    Result,
    SaveHead,
    SaveRoot,
    SetAside,
)
from sync.apply import apply_step, fetch_segment
from sync.cancel import Cancel
from sync.catalogue import get_document, get_head, get_root
from sync.delivery import deliver, exchange, mark_answered, waiting_operations
from sync.enrolment import Enrolled, connect_guest, enrol
from sync.errors import (
    AuthNeeded,
    Cancelled,
    HubProblem,
    NotEnrolled,
    NotTrusted,
    SecretsUnusable,
    SyncError,
    UpgradeNeeded,
    WrongHash,
    from_wire,
)
from sync.files import fetch_file
from sync.home import Home
from sync.offers import StreamOffer, offers
from sync.planner import Known, Planner
from sync.protocol import trust
from sync.protocol.errors import ProtocolError
from sync.report import KnownError, Phase, Progress, ProgressCallback, SyncReport
from sync.subscriptions import Subscription
from sync.transport import Transport

__all__ = [
    "Cancel",
    "Enrolled",
    "Progress",
    "StreamOffer",
    "SyncReport",
    "connect_guest",
    "enrol",
    "fetch_file",
    "offers",
    "sync_once",
]


def sync_once(
    home: Home,
    transport: Transport,
    *,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
    budget: int | None = None,
) -> SyncReport:
    """Send what waits, fetch what is new, and say what was done.

    `budget` bounds the bytes of HTTP, both ways, that this sync moves. Known errors do not leave this function:
    they are the report's `error`, and what was done before them is kept. The transport is not closed.
    """
    started = time.monotonic()
    traffic = transport.traffic
    traffic.allow(budget)
    forget = cancel.watch(transport.interrupt) if cancel is not None else None
    before = (traffic.requests, traffic.up, traffic.down)
    run: _Run | None = None
    report = SyncReport()
    try:
        with home.alone(), home.library() as library, home.own() as own:
            run = _Run(home, library, own, transport, cancel, progress)
            try:
                report = run.to_the_end()
            except (SyncError, CacheError, ProtocolError) as error:
                report = replace(run.report, error=_known(error, cancel, run.trouble))
            report = _with_traffic(report, transport, before, started)
            run.keep(report)
    except (SyncError, CacheError) as error:
        # A store that cannot be opened or written: there is nowhere to keep the report, so it is only returned.
        known = report.error or _known(error, cancel, None)
        report = _with_traffic(replace(report, up_to_date=False, error=known), transport, before, started)
    finally:
        traffic.allow(None)
        if forget is not None:
            forget()
    if progress is not None:
        progress(Progress("done", records=report.records))
    return report


def _known(error: Exception, cancel: Cancel | None, trouble: KnownError | None) -> KnownError:
    """Return what a person is told: that they stopped it, else what was wrong first."""
    if cancel is not None and cancel.cancelled and not isinstance(error, CacheError):
        return Cancelled("The sync was stopped, as asked.")
    if isinstance(error, HubProblem) and trouble is not None:
        return trouble
    if isinstance(error, ProtocolError):
        return from_wire(error)
    assert isinstance(error, SyncError | CacheError)
    return error


def _with_traffic(
    report: SyncReport, transport: Transport, before: tuple[int, int, int], started: float
) -> SyncReport:
    traffic = transport.traffic
    return replace(
        report,
        requests=traffic.requests - before[0],
        bytes_up=traffic.up - before[1],
        bytes_down=traffic.down - before[2],
        seconds=time.monotonic() - started,
    )


class _Run:
    """Does what the planner asks, with the stores of one thread."""

    def __init__(
        self,
        home: Home,
        library: Library,
        own: Own,
        transport: Transport,
        cancel: Cancel | None,
        progress: ProgressCallback | None,
    ) -> None:
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
        self._incoming: FileStore | None = None
        self._bytes_done = 0
        self._begun = (transport.traffic.up, transport.traffic.down)

    def to_the_end(self) -> SyncReport:
        """Ask the planner, do it, tell the planner, until it is done. Raises what stops a sync."""
        self._tell("connecting")
        planner = Planner(self._what_is_known())
        while not isinstance(action := planner.next(), Done):
            if self._cancel is not None:
                self._cancel.check()
            result = self._do(action, planner)
            planner.feed(result)
            self.trouble = planner.trouble
        expired = planner.head is not None and planner.head.expires < utc_now()
        up_to_date = action.complete and action.trouble is None
        return replace(self.report, up_to_date=up_to_date, expired=expired, error=action.trouble)

    def keep(self, report: SyncReport) -> None:
        """Keep the report in the history. Raises CacheError."""
        self._own.add_sync({"id": self._id, **report.to_json()})
        if report.up_to_date:
            self._own.set_setting("last_in_step", utc_now())

    def _what_is_known(self) -> Known:
        own, library = self._own, self._library
        if not own.setting("hub_url"):
            raise NotEnrolled("This shelf belongs to no hub yet.")
        document = own.setting("root")
        if not isinstance(document, str):
            raise NotTrusted("This shelf does not know the keys of its hub, so it can believe nobody.")
        seen, epoch = own.setting("head_seen"), own.setting("hub_epoch")
        guest = bool(own.setting("guest", False))
        trouble = None if guest else self._find_token()
        stored = library.head()
        floor = (int(seen[0]), int(seen[1])) if isinstance(seen, list) and len(seen) == 2 else (0, 0)
        if stored is not None:
            floor = max(floor, (stored.epoch, stored.version))
        return Known(
            root=trust.pin(document.encode()),
            member=self._token is not None,
            subscription=Subscription.from_settings(own.setting("languages"), own.setting("themes")),
            stored=stored,
            seen=floor,
            personal=library.personal_cursor(),
            hub_epoch=epoch if isinstance(epoch, int) else None,
            cursors=library.cursors(),
            operations=waiting_operations(own) if self._token is not None else (),
            trouble=trouble,
        )

    def _find_token(self) -> SyncError | None:
        try:
            self._token = self._home.secrets().token()
        except SecretsUnusable as error:
            return error
        return None if self._token else AuthNeeded("The secret of this device is missing.")

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
                return Operations(waiting_operations(self._own))
            case GetHead():
                return Fetched(get_head(self._transport, action.known))
            case GetRoot():
                return Fetched(get_root(self._transport, action.version))
            case SaveRoot():
                self._own.set_setting("root", action.root.document.decode())
            case SaveHead():
                self._save_head(action)
            case GetDocument():
                return self._document(action)
            case KeepDocument():
                self._library.save_document(action.digest, action.body)
            case FetchSegment() | ApplySegment():
                return self._segment(action, planner)
            case DropStream():
                self._library.drop_stream(action.stream)
            case _:
                raise AssertionError(f"the engine does not know how to do {action!r}")
        return Kept()

    def _post(self, action: PostPersonal) -> Result:
        assert self._token is not None
        self._tell("sending" if action.operations else "connecting")
        try:
            return Answered(
                exchange(self._transport, self._own, self._token, action.head, action.personal, action.operations)
            )
        except HubProblem as refused:
            return Refused(refused.problem)

    def _deliver(self, action: Deliver) -> Result:
        accepted, records = deliver(self._own, self._library, action)
        mark_answered(self._own, self._library)
        self.report = replace(
            self.report,
            operations_sent=self.report.operations_sent + accepted,
            records=self.report.records + records,
        )
        return Operations(waiting_operations(self._own) if action.renewed else ())

    def _save_head(self, action: SaveHead) -> None:
        head = action.head
        seen = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # Own work outlives the library: a shelf that is built anew still knows what it must not go back behind.
        self._own.set_setting("head_seen", list(head.order))
        self._library.save_head(StoredHead(head.epoch, head.version, action.document, action.complete, seen))
        if self._own.setting("hub_name") != head.hub:
            self._own.set_setting("hub_name", head.hub)
        if action.complete:
            self._library.forget_documents([head.index.hash])
            shutil.rmtree(self._home.path / "incoming", ignore_errors=True)
            self._incoming = None

    def _document(self, action: GetDocument) -> Result:
        kept = self._library.document(action.ref.hash)
        if kept is not None:
            return Fetched(kept, kept=True)
        self._tell("catalogue")
        try:
            return Fetched(get_document(self._transport, action))
        except (HubProblem, WrongHash) as error:
            return Failed(error)

    def _segment(self, action: FetchSegment | ApplySegment, planner: Planner) -> Result:
        """Do one half of a segment; what is wrong with this one alone is told, not raised."""
        if self._incoming is None:
            self._incoming = self._home.incoming()
        try:
            if isinstance(action, FetchSegment):
                self._fetch(self._incoming, action, planner)
            else:
                self._apply(self._incoming, action, planner)
        except ProtocolError as error:
            return Failed(from_wire(error))
        except (HubProblem, UpgradeNeeded, BadRecord) as error:
            return Failed(error)
        return Kept()

    def _fetch(self, incoming: FileStore, action: FetchSegment, planner: Planner) -> None:
        self._bytes_done += incoming.partial_size(action.segment.hash)

        def arrived(count: int) -> None:
            self._bytes_done += count
            self._tell("applying", planner, action.stream)

        fetch_segment(self._transport, incoming, action.segment, self._cancel, arrived)

    def _apply(self, incoming: FileStore, action: ApplySegment, planner: Planner) -> None:
        applied = apply_step(self._library, incoming, action.stream, action.step)
        self.report = replace(
            self.report,
            segments_applied=self.report.segments_applied + (action.step.segment is not None),
            records=self.report.records + applied.put + applied.deleted,
        )
        # Kept as it goes: what a sync that is killed had spent still counts.
        traffic = self._transport.traffic
        spent = {"bytes_up": traffic.up - self._begun[0], "bytes_down": traffic.down - self._begun[1]}
        self._own.add_sync({**self.report.to_json(), **spent, "id": self._id})
        self._tell("applying", planner, action.stream)

    def _tell(self, phase: Phase, planner: Planner | None = None, stream: str = "") -> None:
        if self._progress is not None:
            total = planner.bytes_total if planner is not None else 0
            self._progress(Progress(phase, self._bytes_done, total, self.report.records, stream))
