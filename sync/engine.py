"""One sync, from the first byte to the report.

`sync_once` is the table of contents: what is known goes to the planner; the loop does what the planner asks,
one action at a time, until it is done or something known stops it; the report is kept and returned.

The other things that a shelf does with its hub are reached from here too: `enrol`, `connect_guest`, `offers`,
`fetch_file`.
"""

from __future__ import annotations

from dataclasses import replace

from resources_cache.errors import CacheError
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.clock import SYSTEM, Clock
from sync.enrolment import Enrolled, connect_guest, enrol
from sync.errors import (
    BadCertificate,
    Cancelled,
    DeviceLost,
    HubProblem,
    ProxyWantsLogin,
    SyncError,
    from_wire,
)
from sync.files import fetch_file
from sync.home import Home
from sync.lost import wipe
from sync.machine.taking import take
from sync.manners import Manners
from sync.moving import moved_away, settle_move
from sync.offers import StreamOffer, offers
from sync.prices import Price
from sync.protocol.errors import ProtocolError
from sync.relocating import follow, looks_moved
from sync.report import KnownError, Progress, ProgressCallback, SyncReport
from sync.running import LET_REMOVE, Run
from sync.transport import Transport

__all__ = [
    "Cancel",
    "Enrolled",
    "Price",
    "Progress",
    "StreamOffer",
    "SyncReport",
    "connect_guest",
    "enrol",
    "fetch_file",
    "offers",
    "price_once",
    "sync_once",
]

SIGNER = "hub_signer"
"""Setting: who signed the certificate of the hub's server when it was last in step."""
_PATIENCE = 20.0  # seconds that a person waits for a price while a sync of this shelf is at work


def sync_once(
    home: Home,
    transport: Transport,
    *,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
    budget: int | None = None,
    daily_limit: bool = False,
    patience: float = 0.0,
    clock: Clock = SYSTEM,
) -> SyncReport:
    """Send what waits, fetch what is new, and say what was done.

    `budget` bounds the bytes of HTTP, both ways, that this sync moves; so does what the person allows a day, with
    `daily_limit`, by what is left of it once no other sync of this shelf spends. `patience`: a link that was lost
    after something had come is tried again for as many seconds of `clock`. Known errors do not leave this
    function: they are the report's `error`, and what was done before them is kept. The transport is not closed.
    """
    started = clock.now()
    traffic = transport.traffic
    traffic.allow(budget)
    forget = cancel.watch(transport.interrupt) if cancel is not None else None
    before = (traffic.requests, traffic.up, traffic.down)
    run: Run | None = None
    report = SyncReport()
    at_hand: SyncReport | None = None
    try:
        with home.alone(), home.library() as library, home.own() as own:
            if daily_limit:
                traffic.allow(_least(budget, Manners.of(own).left_today))
            at_hand = take(home, own, library, progress, cancel)
            run = Run(home, library, own, transport, cancel, progress, patience, clock)
            try:
                settle_move(home, own, library, transport)
                report = run.to_the_end()
                if report.error is None and (moved := moved_away(own)) is not None:
                    report = replace(report, up_to_date=False, error=moved)
            except (SyncError, CacheError, ProtocolError) as error:
                report = replace(run.report, error=_known(error, cancel, run.trouble))
                if isinstance(report.error, ProxyWantsLogin) and report.error.refused:
                    # Told again and again, a wrong password locks the account of whoever it belongs to.
                    home.secrets().forget_proxy_login()
            report = replace(report, error=_with_signer(own, transport, report))
            if looks_moved(report.error) and (moved_hub := follow(own, transport)) is not None:
                report = replace(report, error=moved_hub)
            report = _with_traffic(report, transport, before, clock.now() - started)
            run.keep(report)
            run.close()
            if isinstance(report.error, DeviceLost):
                wipe(home, own, library)
            if report.up_to_date and own.setting(LET_REMOVE) is True:
                own.set_setting(LET_REMOVE, False)
    except (SyncError, CacheError) as error:
        # A store that cannot be opened or written: there is nowhere to keep the report, so it is only returned.
        known = report.error or _known(error, cancel, None)
        report = replace(report, up_to_date=False, error=known)
        report = _with_traffic(report, transport, before, clock.now() - started)
    finally:
        traffic.allow(None)
        if forget is not None:
            forget()
    if at_hand is not None:
        report = replace(report, records=report.records + at_hand.records)
    home.log.note(
        "sync",
        up_to_date=report.up_to_date,
        error=report.error.code if report.error is not None else None,
        requests=report.requests,
        up=report.bytes_up,
        down=report.bytes_down,
        records=report.records,
        sent=report.operations_sent,
        seconds=round(report.seconds, 1),
        clock_ahead=report.clock_ahead,
    )
    if progress is not None:
        progress(Progress("done", records=report.records))
    return report


def price_once(
    home: Home, transport: Transport, *, daily_limit: bool = False, cancel: Cancel | None = None
) -> Price:
    """Ask the hub what is new and return what a sync would cost now; nothing is sent or applied.

    What it cost itself is kept in the history, and with `daily_limit` it is bounded as a sync is. Raises SyncError
    (BudgetReached), CacheError, ProtocolError; the transport is not closed.
    """
    traffic = transport.traffic
    forget = cancel.watch(transport.interrupt) if cancel is not None else None
    before = (traffic.requests, traffic.up, traffic.down)
    try:
        with home.alone(_PATIENCE), home.library() as library, home.own() as own:
            if daily_limit:
                traffic.allow(Manners.of(own).left_today)
            take(home, own, library, None, cancel)
            run = Run(home, library, own, transport, cancel, None, 0.0)
            try:
                settle_move(home, own, library, transport)
                return run.price()
            finally:
                run.close()
                report = _with_traffic(SyncReport(), transport, before, 0.0)
                own.add_sync({**report.to_json(), "kind": "price"})
    finally:
        traffic.allow(None)
        if forget is not None:
            forget()


def _with_signer(own: Own, transport: Transport, report: SyncReport) -> KnownError | None:
    """Remember who signs for the hub where all went well; say who it was until now where somebody else does."""
    kept, now = own.setting(SIGNER), getattr(transport, "signer", "")
    if report.up_to_date and now and now != kept:
        own.set_setting(SIGNER, now)
    if (
        isinstance(report.error, BadCertificate)
        and isinstance(kept, str)
        and kept
        and kept not in str(report.error)
    ):
        return BadCertificate(f"{report.error} Until now the hub's was signed by “{kept}”.")
    return report.error


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


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
    report: SyncReport, transport: Transport, before: tuple[int, int, int], seconds: float
) -> SyncReport:
    traffic = transport.traffic
    return replace(
        report,
        requests=traffic.requests - before[0],
        bytes_up=traffic.up - before[1],
        bytes_down=traffic.down - before[2],
        seconds=seconds,
        clock_ahead=None if traffic.clock_ahead is None else round(traffic.clock_ahead),
    )
