"""A shelf among its neighbours: it gives what it has, takes what they have, and asks the hub only in its turn.

Before a sync asks the hub for content, the neighbours are asked how they stand. What they have is taken, through
the engine of every sync. Where one of them is fetching from the hub, the others follow it: they take what it has
as it comes, and ask the hub only when it stalls or goes away. What a neighbour says about itself is a hint: it may
cost a bounded while, and nothing else.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from resources_cache.errors import CacheError
from resources_cache.identity import utc_now
from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.clock import SYSTEM, Clock
from sync.engine import sync_once
from sync.errors import Cancelled, SyncBusy, SyncError
from sync.home import Home
from sync.neighbours.asking import Neighbours, Standing
from sync.neighbours.counts import added
from sync.neighbours.giving import ADDRESSES, COUNTS, THERE, Given, shares
from sync.neighbours.network import PORT, Network, NoNetwork
from sync.neighbours.serving import Server
from sync.protocol.errors import ProtocolError
from sync.protocol.neighbours import ROOT_CHARACTERS, State
from sync.protocol.trust import Root, pin
from sync.report import ProgressCallback, SyncReport
from sync.running import Run
from sync.traffic import Traffic
from sync.transport import Transport

MOST = 16
"""Neighbours that are asked in a round."""
FRESH_S = 15 * 60
"""Seconds for which a neighbour's look at the hub serves for all."""
PERSONAL_S = 3600.0
"""Seconds for which a member with nothing to send, whose neighbours are in step, need not ask the hub: answers to
one's own questions are there within the hour, and at once where a person asks for a sync."""
_STALL_S, _STALL_PERSON_S = 20.0, 5.0
"""Seconds in which who fetches brings nothing to those who follow, before they stop waiting; and where a person
waits."""
_PROMISED_S, _PROMISED_PERSON_S = 300.0, 60.0
"""Seconds for which it is believed that who fetches brings something, while nothing of it can be had here yet."""
_SLOW_S, _SLOW_RATE = 120.0, 500.0
"""After so many seconds who brings less than so many bytes a second is followed no longer."""
_LOOK_AGAIN_S = 1.0
_FIND_S = 2.5
"""Seconds for others to be found, when this shelf has just come to a network."""
_KEEP_S = 5.0
"""Seconds after which what was given is kept: one write for many answers."""
_SETTLE_S = 0.5
"""Seconds in which two that began at the same moment see each other."""


@dataclass(frozen=True)
class Turn:
    """How the turn of this shelf ended: whether the hub need not be asked, how many bytes and records neighbours
    gave, and whether somebody was followed."""

    in_step: bool = False
    bytes: int = 0
    records: int = 0
    followed: bool = False


class Office:
    """One shelf's place among its neighbours. `start` and `stop` on one thread; the rest on that of its syncs."""

    def __init__(
        self,
        home: Home,
        *,
        network: Network | None = None,
        port: int = PORT,
        fresh: float = FRESH_S,
        clock: Clock = SYSTEM,
        id_: str = "",
        keep_after: float = _KEEP_S,
    ) -> None:
        """`network`: where it is served by itself, on `port`, as long as the person shares; without one, `serve`
        does it. `fresh`: seconds for which a look at the hub serves for all. `id_`: 16 hexadecimal characters,
        random where none are given. `keep_after`: seconds after which what was given is kept."""
        self._home = home
        self._network: Network = network or NoNetwork()
        self._port = port
        self._fresh = fresh
        self._hosts: list[str] = []
        self._clock = clock
        self.id = id_ or secrets.token_hex(8)
        self.given = Given(home)
        self.standing = Standing(clock.now)
        self._server: Server | None = None
        self._lock = threading.Lock()
        self._wants: float | None = None
        self._fetching: float | None = None
        self._checked: float | None = None
        self._personal: float | None = None
        self._traffic: Traffic | None = None
        self._root: Root | None = None
        self._moved: dict[str, list[int]] = {}
        self._keep_after = keep_after
        self._keeping: threading.Timer | None = None
        self._there: list[str] = []

    # Giving

    def serve(self, hosts: Sequence[str], port: int = 0) -> int:
        """Give to neighbours from now on; return the port. Raises OSError where it cannot listen."""
        self._server = Server(self.given, self.state, hosts, port, gave=self._note_given)
        self._server.start()
        return self._server.port

    @property
    def serving(self) -> bool:
        return self._server is not None

    def stop(self) -> None:
        """Give no more, and be found no more."""
        self._network.stop()
        self._hosts = []
        if self._server is not None:
            self._server.stop()
            self._server = None
        with self._lock:
            keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            keeping.join()  # nothing of this shelf is written once it has stopped
            self._keep_counts()

    def state(self) -> State:
        """How this shelf stands, for neighbours."""
        head, complete = self.given.state()
        root = self._root or self._read_root()
        name = root.fingerprint[:ROOT_CHARACTERS] if root is not None else "0" * ROOT_CHARACTERS
        with self._lock:
            now = self._clock.now()
            since = (
                None if one is None else int(now - one) for one in (self._wants, self._fetching, self._checked)
            )
            wants, fetching, checked = since
            moved = self._traffic.down if self._traffic is not None else None
            return State(self.id, name, head, complete, wants, fetching, checked, moved)

    # Taking turns

    def before_hub(
        self,
        *,
        by_person: bool = False,
        progress: ProgressCallback | None = None,
        cancel: Cancel | None = None,
    ) -> Turn:
        """Take what neighbours have, following who fetches; after it either nothing is to be asked of the hub, or
        it is this shelf's turn to ask, until `after_hub`.

        `by_person`: somebody waits, so the hub is asked in any case, if only for what is personal, and others are
        followed with less patience. Raises nothing but Cancelled.
        """
        try:
            with self._home.own() as own:
                if not shares(own):
                    self.stop()
                    return Turn()
                named = own.setting(ADDRESSES)
                waits = bool(own.outbox.items(["waiting", "sending"]))
                member = not own.setting("guest", False)
            self._root = self._read_root()
            if self._root is None:
                return Turn()
            if self._be_there(self._root):
                # Whoever is there answers within two seconds or so; who asks the hub before is alone for nothing.
                self._clock.wait(_FIND_S, cancel)
            addresses = [*(named if isinstance(named, list) else []), *self._network.addresses()]
            link = Neighbours(
                [one for one in dict.fromkeys(addresses) if isinstance(one, str)][:MOST],
                self.standing,
                took=self._note_taken,
                clock=self._clock.now,
            )
        except (CacheError, SyncError, ProtocolError):
            return Turn()
        forget = cancel.watch(link.interrupt) if cancel is not None else None
        try:
            turn = self._take_turns(link, by_person, progress, cancel)
        finally:
            if forget is not None:
                forget()
            link.close()
            self._keep_counts()
        if turn.in_step and (by_person or waits or (member and not self._lately_personal())):
            turn = replace(turn, in_step=False)
        if turn.in_step:
            self._note_in_step()
        else:
            with self._lock:
                self._fetching = self._fetching if self._fetching is not None else self._clock.now()
        return turn

    def asks_hub(self, traffic: Traffic) -> None:
        """The sync with the hub begins, and counts its bytes in `traffic`."""
        with self._lock:
            self._traffic = traffic

    def after_hub(self, report: SyncReport) -> None:
        """The sync with the hub is over."""
        self.given.forget()
        with self._lock:
            self._wants = self._fetching = self._traffic = None
            if report.up_to_date:
                self._checked = self._personal = self._clock.now()
        self._keep_counts()

    def _be_there(self, root: Root) -> bool:
        """Serve and announce on the networks that this computer is in now, which a laptop changes; True where that
        was new."""
        hosts = self._network.hosts()
        if not hosts or hosts == self._hosts:
            return False
        self.stop()
        for port in (self._port, 0):
            with suppress(OSError):
                self._network.announce(self.id, root.fingerprint[:ROOT_CHARACTERS], self.serve(hosts, port), hosts)
                self._hosts = hosts
                return True
        return False

    def _note_there(self, addresses: list[str]) -> None:
        if addresses != self._there:
            self._there = addresses
            with suppress(CacheError), self._home.own() as own:
                own.set_setting(THERE, addresses)

    def _note_in_step(self) -> None:
        with suppress(CacheError), self._home.own() as own:
            own.set_setting("last_in_step", utc_now())

    def _lately_personal(self) -> bool:
        return self._personal is not None and self._clock.now() - self._personal < PERSONAL_S

    def _take_turns(
        self, link: Neighbours, by_person: bool, progress: ProgressCallback | None, cancel: Cancel | None
    ) -> Turn:
        with self._lock:
            self._wants = self._clock.now()
        turn, began = Turn(), self._clock.now()
        given = last = began
        brought: dict[str, int] = {}
        stall = _STALL_PERSON_S if by_person else _STALL_S
        promised = _PROMISED_PERSON_S if by_person else _PROMISED_S
        while True:
            states = self._states(link)
            self._note_there(list(states))
            gained = self._round(link, states, progress, cancel)
            turn = replace(
                turn,
                bytes=turn.bytes + gained.bytes,
                records=turn.records + gained.records,
                in_step=self._in_step(states),
            )
            now = self._clock.now()
            if gained.bytes:
                given = last = now
            leader = self._leader(states)
            if leader is None:
                if turn.in_step or self._begin(link, cancel):
                    break
                continue
            moved = states[leader].moved or 0
            if moved > brought.get(leader, 0) and now - given <= promised:
                brought[leader], last = moved, now
            slow = now - began > _SLOW_S and max(turn.bytes, moved) < _SLOW_RATE * (now - began)
            if slow or now - last > stall or now - given > promised:
                # It may be honest and slow; whoever waits has waited long enough.
                self.standing.failed(leader)
                continue
            turn = replace(turn, followed=True)
            self._clock.wait(_LOOK_AGAIN_S, cancel)
            if cancel is not None:
                cancel.check()
        with self._lock:
            self._wants = None
        return turn

    def _begin(self, link: Neighbours, cancel: Cancel | None) -> bool:
        """Say that this shelf fetches now; False where another, whose turn it is, said so at the same moment."""
        with self._lock:
            self._fetching = self._clock.now()
        self._clock.wait(_SETTLE_S, cancel)
        if cancel is not None:
            cancel.check()
        fetching = [one for one in self._states(link).values() if one.fetching is not None]
        if any(one.id < self.id or (one.fetching or 0) > _SETTLE_S + 1 for one in fetching):
            with self._lock:
                self._fetching = None
            return False
        return True

    def _leader(self, states: dict[str, State]) -> str | None:
        """The address of who is to be followed: who fetches, else who wants to and whose turn comes first."""
        fetching = [(one.id, address) for address, one in states.items() if one.fetching is not None]
        wanting = [
            (one.id, address) for address, one in states.items() if one.wants is not None and one.id < self.id
        ]
        return min(fetching or wanting)[1] if fetching or wanting else None

    def _states(self, link: Neighbours) -> dict[str, State]:
        assert self._root is not None
        states = link.states(self._root.fingerprint[:ROOT_CHARACTERS])
        return {address: one for address, one in states.items() if one.id != self.id}

    def _in_step(self, states: dict[str, State]) -> bool:
        """Whether all is here as of a head that somebody here saw at the hub a short while ago."""
        self.given.forget()
        order, complete = self.given.state()
        if not complete or not states:
            return False
        mine = self._checked is not None and self._clock.now() - self._checked <= self._fresh
        return mine or any(
            one.checked is not None and one.checked <= self._fresh and one.head <= order for one in states.values()
        )

    # A round: the engine of every sync, over what the neighbours have

    def _round(
        self,
        link: Neighbours,
        states: dict[str, State],
        progress: ProgressCallback | None,
        cancel: Cancel | None,
    ) -> Turn:
        order, complete = self.given.state()
        ahead = [
            address for address, one in states.items() if one.head > order or (one.head == order and not complete)
        ]
        if not ahead:
            return Turn()
        ahead.sort(key=lambda address: states[address].head, reverse=True)
        before = link.taken
        try:
            with self._home.alone(), self._home.own() as own, self._home.library() as library:
                link.root, link.floor = self._root, order
                head = link.head(ahead)
                if head is None:
                    return Turn()
                link.offer(head)
                report = self._run(own, library, link, progress, cancel)
        except (SyncBusy, CacheError, SyncError, ProtocolError):
            return Turn()
        finally:
            self.given.forget()
        return Turn(bytes=link.taken - before, records=report.records)

    def _run(
        self,
        own: Own,
        library: Library,
        link: Neighbours,
        progress: ProgressCallback | None,
        cancel: Cancel | None,
    ) -> SyncReport:
        run = Run(self._home, library, own, link, cancel, progress, 0.0, carried="office")
        try:
            try:
                report = run.to_the_end()
            except (SyncError, CacheError, ProtocolError):
                report = run.report  # what nobody here has, the hub has
            if report.records:
                run.keep(replace(report, error=None))
            return report
        finally:
            run.close()

    def _read_root(self) -> Root | None:
        try:
            with self._home.own() as own:
                document = own.setting("root")
            return pin(document.encode()) if isinstance(document, str) else None
        except (CacheError, ProtocolError):
            return None

    def _note_given(self, peer: str, count: int) -> None:
        with self._lock:
            self._moved.setdefault(peer, [0, 0])[0] += count
            if self._keeping is None:
                self._keeping = threading.Timer(self._keep_after, self._keep_given)
                self._keeping.daemon = True
                self._keeping.start()

    def _keep_given(self) -> None:
        with self._lock:
            self._keeping = None
        self._keep_counts()

    def _note_taken(self, address: str, count: int) -> None:
        with self._lock:
            self._moved.setdefault(urlsplit(address).hostname or address, [0, 0])[1] += count

    def _keep_counts(self) -> None:
        with self._lock:
            moved, self._moved = self._moved, {}
        if not any(given or taken for given, taken in moved.values()):
            return
        try:
            with self._home.own() as own:
                own.set_setting(COUNTS, added(own.setting(COUNTS), moved))
        except CacheError:  # a count is no reason to fail; it is kept with the next one
            with self._lock:
                for host, (given, taken) in moved.items():
                    now = self._moved.setdefault(host, [0, 0])
                    now[0], now[1] = now[0] + given, now[1] + taken


def sync_in_turn(
    office: Office | None,
    home: Home,
    transport: Transport,
    *,
    by_person: bool = False,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
    daily_limit: bool = False,
    patience: float = 0.0,
) -> SyncReport:
    """Sync with the neighbours first and the hub in this shelf's turn; arguments and result as of `sync_once`."""
    gained = Turn()
    if office is not None:
        try:
            gained = office.before_hub(by_person=by_person, progress=progress, cancel=cancel)
        except Cancelled as stopped:
            office.after_hub(SyncReport())
            return SyncReport(error=stopped)
        if gained.in_step:
            return SyncReport(records=gained.records, up_to_date=True)
        office.asks_hub(transport.traffic)
    report = SyncReport()
    try:
        report = sync_once(
            home, transport, progress=progress, cancel=cancel, daily_limit=daily_limit, patience=patience
        )
    finally:
        if office is not None:
            office.after_hub(report)
    return replace(report, records=report.records + gained.records)
