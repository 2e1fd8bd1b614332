"""Between the engine's thread and the window: its events become signals, and one line says how things stand.

The engine is given to the constructor as a factory, so that a test gives one of its own that keeps to
`Engine`. Events are told apart by what they carry (`sync.background` has their definitions).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.amounts import ago, date, size
from desktop.error_words import KnownError
from desktop.words import _, ngettext


class Engine(Protocol):
    """What the window asks of `sync.background.BackgroundSync`."""

    def start(self) -> None: ...
    def wake(self, reason: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self, timeout: float) -> object: ...


MakeEngine = Callable[[Callable[[Any], None]], Engine]


@runtime_checkable
class _Progressed(Protocol):
    progress: Any


@runtime_checkable
class _Finished(Protocol):
    report: Any


@runtime_checkable
class _Failed(Protocol):
    error: Any


@dataclass(frozen=True)
class SyncStatus:
    """How things stand. `last` is the UTC time of the last complete sync ("" for never); `bytes_*` of this run.

    `state`: idle, running, paused, retrying (no link, or the hub is away: tries again by itself) or off
    (no hub chosen yet). `pack`: when the pack was published that was taken in since the last sync ("" for none);
    `carrying`: what is done with a stick right now, in words.
    """

    state: str = "idle"
    connected: bool = True
    last: str = ""
    waiting: int = 0
    attention: int = 0
    phase: str = ""
    bytes_done: int = 0
    bytes_total: int = 0
    records: int = 0
    error: KnownError | None = None
    report: Any = None
    pack: str = ""
    carrying: str = ""

    def words(self) -> str:
        """The status line: `In step 2 h ago · 3 waiting to go`."""
        return " · ".join(self._parts())

    def ways(self) -> list[str]:
        """The status line whole, and shorter for a narrow window: what asks most of the person stays longest."""
        parts = self._parts()
        return [" · ".join(parts[first:]) for first in range(len(parts))]

    def _parts(self) -> list[str]:
        if self.carrying:
            first = self.carrying
        elif not self.connected and not self.pack:
            first = _("Not connected to a hub")
        elif self.state == "running":
            first = self._running()
        elif self.state == "paused":
            first = _("Paused")
        elif self.pack:
            first = _("From a stick, published {day}").format(day=date(self.pack))
        elif not self.last:
            first = _("Not in step yet")
        else:
            first = _("In step {ago}").format(ago=ago(self.last))
        parts = [first]
        if self.waiting:
            words = ngettext("{count} waiting to go", "{count} waiting to go", self.waiting)
            parts.append(words.format(count=self.waiting))
        if self.attention:
            words = ngettext("{count} needs you", "{count} need you", self.attention)
            parts.append(words.format(count=self.attention))
        return parts

    def _running(self) -> str:
        if self.bytes_total > 0:
            done, total = size(min(self.bytes_done, self.bytes_total)), size(self.bytes_total)
            return _("Syncing: {done} of {total}").format(done=done, total=total)
        return _("Syncing")


class SyncBridge(QObject):
    """Signals for the window: `changed` (the status), `arrived` (new content), `ended` (a run is over).

    Hints of the system: `metered` (the connection is paid by the byte, or not), `network_changed`.
    """

    changed = Signal()
    arrived = Signal()
    ended = Signal(object)
    metered = Signal(bool)
    network_changed = Signal()
    _event = Signal(object)

    def __init__(self, make_engine: MakeEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._engine: Engine | None = None
        self._network: QObject | None = None
        self.status = SyncStatus()
        self._event.connect(self._take, Qt.ConnectionType.QueuedConnection)
        # While much arrives, pages are told at most once in two seconds.
        self._tell = QTimer(self)
        self._tell.setSingleShot(True)
        self._tell.setInterval(2000)
        self._tell.timeout.connect(self.arrived)

    def start(self) -> None:
        """Make the engine and let it run; a second call changes nothing."""
        if self._engine is None:
            self._engine = self._make_engine(self._event.emit)
            self._engine.start()

    def sync_now(self) -> None:
        """Ask for a run now."""
        self.start()
        assert self._engine is not None
        if self.status.state == "paused":
            self.resume()
        self._engine.wake("person")

    def nudge(self, reason: str) -> None:
        """Tell the engine that something may have changed (a new item, a link); it decides."""
        if self._engine is not None and self.status.state != "paused":
            self._engine.wake(reason)

    def pause(self) -> None:
        """Stop moving bytes until `resume`."""
        if self._engine is not None:
            self._engine.pause()
        self._set(state="paused")

    def resume(self) -> None:
        """Go on after `pause`."""
        self._set(state="idle")
        if self._engine is not None:
            self._engine.resume()

    def stop(self, seconds: float = 5.0) -> None:
        """End the engine's thread; at most `seconds`."""
        if self._engine is not None:
            self._engine.stop(seconds)
            self._engine = None

    def stand(self, *, connected: bool, last: str, waiting: int, attention: int, pack: str = "") -> None:
        """Take what the stores say about how things stand."""
        self._set(
            connected=connected, last=last or self.status.last, waiting=waiting, attention=attention, pack=pack
        )

    def carry(self, words: str) -> None:
        """Say what is done with a stick right now; "" once it is done."""
        self._set(carrying=words)

    def _set(self, **changes: Any) -> None:
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self.changed.emit()

    def _take(self, event: object) -> None:
        if self._network is None:
            self._watch_network()  # not sooner: what it takes came with the engine
        if isinstance(event, _Progressed):
            p = event.progress
            if p.records > self.status.records and not self._tell.isActive():
                self._tell.start()
            self._set(
                state="running",
                phase=p.phase,
                bytes_done=p.bytes_done,
                bytes_total=p.bytes_total,
                records=p.records,
            )
        elif isinstance(event, _Failed) and event.error is not None:
            paused = self.status.state == "paused"
            if self.status.carrying and event.error.code == "sync-busy":
                # A pack is at work, which the status says; the sync comes after it.
                self._set(state="paused" if paused else "idle", phase="")
                return
            self._set(state="paused" if paused else "retrying", error=event.error, phase="")
            self.arrived.emit()
            self.ended.emit(None)
        elif isinstance(event, _Finished):
            paused = self.status.state == "paused"
            error = event.report.error
            if error is not None and error.code == "cancelled":
                error = None  # the person paused it: there is nothing to tell
            self._set(state="paused" if paused else "idle", error=error, report=event.report, phase="")
            self.arrived.emit()
            self.ended.emit(event.report)
        else:
            self._set(state="running", phase="connecting", bytes_done=0, bytes_total=0, records=0, error=None)

    def _watch_network(self) -> None:
        self._network = self
        # Where the system's own part that gives hints hangs (Wine's does), the window would too.
        if os.environ.get("HUBSHELF_NETWORK_HINTS", "").lower() == "off":
            return
        # A change of reachability is only a hint: the engine tries, and believes what it finds.
        from PySide6.QtNetwork import QNetworkInformation

        if QNetworkInformation.loadDefaultBackend():
            self._network = network = QNetworkInformation.instance()
            network.reachabilityChanged.connect(lambda _now: self._network_changed())
            network.isBehindCaptivePortalChanged.connect(lambda _now: self._network_changed())
            network.isMeteredChanged.connect(self.metered)
            self.metered.emit(network.isMetered())

    def _network_changed(self) -> None:
        self.nudge("network")
        self.network_changed.emit()
