"""A shelf within a history, what its person did with it, and the invariants that must hold of it at any time."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.engine import connect_guest, enrol, sync_once
from sync.home import Home
from sync.protocol.segments import change_line
from sync.protocol.subscriptions import Subscription
from sync.report import SyncReport
from tests.simulation.virtual_disk import FailingHome, Trouble
from tests.simulation.virtual_link import Died, LinkMemory, VirtualLink, Weather

if TYPE_CHECKING:
    from tests.simulation.history import History

ADDRESS = "http://127.0.0.1:9"
_SENT = ("received", "answered")


class Violation(Exception):
    """An invariant does not hold."""


def require(holds: bool, what: str) -> None:
    """Raise Violation unless it holds."""
    if not holds:
        raise Violation(what)


class Reader:
    """One computer: a home folder, and beside it what must be true of it."""

    def __init__(self, name: str, history: History, guest: bool = False) -> None:
        self.name, self.guest = name, guest
        self.history, self.hub = history, history.hub
        self.path = history.folder / name
        self.memory = LinkMemory()
        self.written: set[str] = set()
        """What the person wrote since the image from which this computer comes."""
        self.acknowledged: set[str] = set()
        self.seen: tuple[int, int] = (0, 0)
        self.spent = 0
        self._imaged: tuple[set[str], set[str], tuple[int, int], int] | None = None
        self._wishes = 0
        self._moved: tuple[int, bool] | None = None
        """Bytes of the last sync, and whether nothing kept it from being noted."""
        if guest:
            connect_guest(Home(self.path), ADDRESS, connect=lambda _: self._link(Weather()))
        else:
            code = f"code-{name}"
            self.hub.codes[code] = None
            enrol(Home(self.path), ADDRESS, code, name, connect=lambda _: self._link(Weather()))
        with self._own() as own:
            self.spent = sum(one.bytes for one in own.syncs(10_000))

    def _library(self) -> Library:
        return Library(self.path / "library.db")

    def _own(self) -> Own:
        return Own(self.path / "own.db")

    def _link(self, weather: Weather, cancel: Cancel | None = None) -> VirtualLink:
        history = self.history
        return VirtualLink(self.hub, history.random, history.clock, weather, history.faults, self.memory, cancel)

    # What happens

    def sync(
        self,
        weather: Weather,
        *,
        budget: int | None = None,
        patience: float = 0.0,
        disk: tuple[int, str] = (0, ""),
    ) -> SyncReport | None:
        """One sync; None where the process died in it."""
        cancel = Cancel() if weather.cancels_at >= 0 else None
        link = self._link(weather, cancel)
        home = FailingHome(self.path, Trouble(*disk, self.history.faults))
        try:
            report = sync_once(
                home, link, cancel=cancel, budget=budget, patience=patience, clock=self.history.clock
            )
        except Died:
            report = None
        moved = link.wire_up + link.wire_down
        require(budget is None or moved <= budget, f"7: {moved} bytes were moved of {budget}")
        if report is not None:
            told = (report.bytes_up, report.bytes_down)
            require(told == (link.wire_up, link.wire_down), f"7: {told} told of {link.wire_up}, {link.wire_down}")
            require(report.error is None or not report.up_to_date, f"in step with {report.error}")
        self._moved = (moved, report is not None and not disk[0])
        return report

    def ask(self, reply: bool = False) -> str:
        """The person writes something; that it is refused for want of room never happens here."""
        self._wishes += 1
        title = f"{self.name} wants {self._wishes} of {self.history.random.randrange(10**9)}"
        with self._own() as own:
            if reply:
                body: dict[str, Any] = {"target": "th-1", "body": title, "title": "Rain"}
                item = own.outbox.add("reply", title, body)
            else:
                item = own.outbox.add("ask", title, {"kind": "question", "body": "?"})
        self.written.add(item.id)
        return title

    def newest(self) -> str | None:
        """The id of what was written last."""
        with self._own() as own:
            items = own.outbox.items(["waiting"])
        return items[0].id if items else None

    def choose(self, languages: list[str] | None, themes: list[str] | None) -> None:
        """The person changes what is kept."""
        with self._own() as own:
            own.set_setting("languages", languages)
            own.set_setting("themes", themes)

    def image(self) -> None:
        """Copy the whole computer."""
        shutil.rmtree(self._image_path, ignore_errors=True)
        shutil.copytree(self.path, self._image_path)
        self._imaged = set(self.written), set(self.acknowledged), self.seen, self.spent

    def come_back(self) -> bool:
        """The computer is as its image was; False where there is none."""
        if self._imaged is None:
            return False
        shutil.rmtree(self.path)
        shutil.copytree(self._image_path, self.path)
        written, acknowledged, self.seen, self.spent = self._imaged
        self.written, self.acknowledged = set(written), set(acknowledged)
        return True

    @property
    def _image_path(self) -> Path:
        return self.path.with_name(self.name + ".image")

    def lose_library(self) -> None:
        """library.db is gone."""
        for path in self.path.glob("library.db*"):
            path.unlink()

    def damage_incoming(self) -> bool:
        """A bit of a segment that is under way falls over; False where none is."""
        found = sorted(path for path in (self.path / "incoming" / "partial").glob("*") if path.stat().st_size)
        if not found:
            return False
        path = self.history.random.choice(found)
        data = bytearray(path.read_bytes())
        data[self.history.random.randrange(len(data))] ^= 1
        path.write_bytes(data)
        return True

    # What must hold

    def check(self) -> None:
        """Everything that must be true after any step."""
        with self._own() as own, self._library() as library:
            self._check_all(own, library)
            if self.history.random.random() < 0.05:
                bad = [one for one in (*library.check(), *own.check()) if not one.ok and one.name != "outbox"]
                require(not bad, f"8: {bad}")

    def _check_all(self, own: Own, library: Library) -> None:
        self._check_content(library)
        self._check_versions(own, library)
        self._check_outbox(own)
        self._check_spent(own)

    def _check_content(self, library: Library) -> None:
        """1: what a place claims is here, whole. 3: nothing else than what the hub once published is here."""
        places = library.cursors()
        held: Counter[str] = Counter()
        for stream in self.hub.streams:
            shown = {str(record["id"]): change_line(record) for record in library.newest([stream])}
            held[stream] = len(shown)
            ever = self.hub.ever.get(stream, set())
            strange = [id_ for id_, line in shown.items() if (id_, line) not in ever]
            require(not strange, f"3: {self.name} shows {strange} in {stream}, which no hub published")
            place = places.get(stream)
            if place is None or place.generation:
                continue
            promised = self.hub.content(place.epoch, place.seq, stream)
            require(set(shown) <= set(promised), f"1, 4: {self.name} shows too much of {stream} at {place}")
            for id_, line in promised.items():
                record = shown.get(id_) or self._hidden(library, stream, id_)
                require(record == line, f"1: {self.name} has {id_} of {stream} not as it was at {place}")
        total = sum(state.records for state in library.streams().values())
        require(total == sum(held.values()), f"3: {self.name} has records in streams that no hub has")

    @staticmethod
    def _hidden(library: Library, stream: str, id_: str) -> bytes | None:
        """A copy that waits while another stream shows the record."""
        record = library.record(stream, id_)
        return None if record is None else change_line(record)

    def _check_versions(self, own: Own, library: Library) -> None:
        """3: versions never go down."""
        seen = own.setting("head_seen") or (0, 0)
        stored = library.head()
        require(tuple(seen) >= self.seen, f"3: {self.name} went back from {self.seen} to {seen}")
        require(
            stored is None or (stored.epoch, stored.version) <= tuple(seen), f"3: a head above {seen} is stored"
        )
        self.seen = (int(seen[0]), int(seen[1]))

    def _check_spent(self, own: Own) -> None:
        """7: what was spent is noted, and adds up to what the wire carried."""
        if self._moved is None:
            return
        moved, noted = self._moved
        spent = sum(one.bytes for one in own.syncs(10_000))
        require(spent <= self.spent + moved, "7: more was noted than spent")
        require(not noted or spent == self.spent + moved, f"7: {spent - self.spent} bytes noted of {moved}")
        self.spent, self._moved = spent, None

    def _check_outbox(self, own: Own) -> None:
        """2, 5: what the person wrote is there, each in a state that is true."""
        items = {item.id: item for item in own.outbox.items()}
        lost = self.written - set(items)
        require(not lost, f"2, 5: {self.name} lost {lost}")
        for item in items.values():
            if item.state in _SENT:
                self.acknowledged.add(item.id)
                require(item.receipt is not None, f"2: {item.title} is {item.state} without a receipt")
            refused = item.id in self.hub.reject or item.id in self.hub.refuse_requests_with
            require(item.state != "attention" or refused, f"2: {item.title} was set aside: {item.problem}")
        back = [id_ for id_ in self.acknowledged if items[id_].state not in (*_SENT, "sending", "attention")]
        require(not back, f"2: {back} had a receipt and wait again")

    def agrees(self) -> None:
        """All that must be true at any time, and 4: after traffic has stopped, shelf and hub say the same."""
        with self._own() as own, self._library() as library:
            self._check_all(own, library)
            choice = Subscription.from_settings(own.setting("languages"), own.setting("themes"))
            for name, stream in self.hub.streams.items():
                wanted = dict(stream.records) if choice.wants(name) else {}
                shown = {str(record["id"]): change_line(record) for record in library.newest([name])}
                require(shown == wanted, f"4: {self.name} and the hub differ in {name}")
            if not self.guest:
                self._agree_personally(own, library)
            bad = [one for one in (*library.check(), *own.check()) if not one.ok and one.name != "outbox"]
            require(not bad, f"8: {bad}")

    def _agree_personally(self, own: Own, library: Library) -> None:
        for item in own.outbox.items():
            if item.id not in self.written:
                continue
            effects = len(self.hub.effects.get(item.id, ()))
            refused = item.state == "attention"
            require(item.state in (*_SENT, "attention"), f"2: {item.title} is still {item.state}")
            require(effects == (0 if refused else 1), f"2: {item.title} ({item.state}) has {effects} effects")
        for item in self.hub.items:
            kept = library.get(item["id"])
            require(kept is not None, f"4: {self.name} has not {item['id']}")
            assert kept is not None
            kept.pop("replies", None)
            require(kept == item, f"4: {self.name} has {item['id']} otherwise")
        total = library.counts().get("request", 0) + library.counts().get("reply", 0)
        require(total == len(self.hub.items), f"4: {self.name} has personal items that the hub does not have")
