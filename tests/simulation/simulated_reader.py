"""A shelf within a history, what its person did with it, and the invariants that must hold of it at any time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.engine import connect_guest, enrol, sync_once
from sync.home import Home
from sync.protocol.subscriptions import Subscription
from sync.report import SyncReport
from tests.simulation.carried_bytes import CarriedBytes
from tests.simulation.fresh_stores import begin
from tests.simulation.shelf_content import Content, OwnWork, read_library, read_own, state_of
from tests.simulation.violation import require
from tests.simulation.virtual_disk import FailingHome, Trouble
from tests.simulation.virtual_link import Died, LinkMemory, VirtualLink, Weather

if TYPE_CHECKING:
    from tests.simulation.history import History

ADDRESS = "http://127.0.0.1:9"
_SENT = ("received", "answered")


class Reader:
    """One computer: a home folder, and beside it what must be true of it."""

    def __init__(self, name: str, history: History, guest: bool = False) -> None:
        self.name, self.guest = name, guest
        self.history, self.hub = history, history.hub
        self.path = history.folder / name
        self.memory = LinkMemory()
        self.carried = CarriedBytes(self.hub, self.path / "incoming")
        self.written: set[str] = set()
        """What the person wrote since the image from which this computer comes."""
        self.acknowledged: set[str] = set()
        self.seen: tuple[int, int] = (0, 0)
        self.spent = 0
        self._imaged: tuple[set[str], set[str], tuple[int, int], int] | None = None
        self._wishes = 0
        self._checked: tuple[tuple[int, int, bool], Content] | None = None
        """library.db as it was checked last, and what was in it."""
        self._moved: tuple[int, bool] | None = None
        """Bytes of the last sync, and whether nothing kept it from being noted."""
        begin(self.path)
        if guest:
            connect_guest(Home(self.path), ADDRESS, connect=lambda _: self._link(Weather()))
        else:
            code = f"code-{name}"
            self.hub.codes[code] = None
            enrol(Home(self.path), ADDRESS, code, name, connect=lambda _: self._link(Weather()))
        self.spent = read_own(self.path / "own.db").spent

    def _library(self) -> Library:
        return Library(self.path / "library.db")

    def _own(self) -> Own:
        return Own(self.path / "own.db")

    def _link(self, weather: Weather, cancel: Cancel | None = None) -> VirtualLink:
        history = self.history
        link = VirtualLink(self.hub, history.random, history.clock, weather, history.faults, self.memory, cancel)
        link.carried = self.carried
        return link

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
        home = FailingHome(self.path, Trouble(*disk, self.history.faults), self.carried)
        try:
            report = sync_once(
                home, link, cancel=cancel, budget=budget, patience=patience, clock=self.history.clock
            )
        except Died:
            report = None
        self.carried.stays()
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
        self.carried.forget()
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
        self.carried.forget()
        return True

    # What must hold

    def check(self) -> None:
        """Everything that must be true after any step."""
        self._check_all()
        if self.history.random.random() < 0.05:
            self._check_stores()

    def _check_all(self) -> Content:
        own, library = read_own(self.path / "own.db"), self._content()
        self._check_versions(own, library)
        self._check_outbox(own)
        self._check_spent(own)
        return library

    def _check_stores(self) -> None:
        with self._own() as own, self._library() as library:
            bad = [one for one in (*library.check(), *own.check()) if not one.ok and one.name != "outbox"]
            require(not bad, f"8: {bad}")

    def _content(self) -> Content:
        """What library.db holds, checked where it has changed."""
        state = state_of(self.path / "library.db")
        if self._checked is None or self._checked[0] != state:
            content = read_library(self.path / "library.db")
            self._check_content(content)
            self._checked = state_of(self.path / "library.db"), content
        return self._checked[1]

    def _check_content(self, content: Content) -> None:
        """1: what a place claims is here, whole. 3: nothing else than what the hub once published is here."""
        for found in (content.shown, content.waiting):
            for stream, lines in found.items():
                strange = lines.items() - self.hub.ever.get(stream, set())
                require(not strange, f"3: {self.name} has {strange} in {stream}, which no hub published")
        for stream, place in content.places.items():
            if place.generation or stream not in self.hub.streams:
                continue
            promised = self.hub.content(place.epoch, place.seq, stream)
            # A copy may wait while another stream shows the record.
            here = {**content.waiting.get(stream, {}), **content.shown.get(stream, {})}
            require(here.keys() <= promised.keys(), f"1, 4: {self.name} has too much of {stream} at {place}")
            for id_, line in promised.items():
                require(here.get(id_) == line, f"1: {self.name} has {id_} of {stream} not as it was at {place}")

    def _check_versions(self, own: OwnWork, library: Content) -> None:
        """3: versions never go down."""
        seen, stored = own.head_seen, library.head
        require(seen >= self.seen, f"3: {self.name} went back from {self.seen} to {seen}")
        require(stored is None or stored <= seen, f"3: a head above {seen} is stored")
        self.seen = seen

    def _check_spent(self, own: OwnWork) -> None:
        """7: what was spent is noted, and adds up to what the wire carried."""
        if self._moved is None:
            return
        moved, noted = self._moved
        require(own.spent <= self.spent + moved, "7: more was noted than spent")
        require(
            not noted or own.spent == self.spent + moved, f"7: {own.spent - self.spent} bytes noted of {moved}"
        )
        self.spent, self._moved = own.spent, None

    def _check_outbox(self, own: OwnWork) -> None:
        """2, 5: what the person wrote is there, each in a state that is true."""
        lost = self.written - own.items.keys()
        require(not lost, f"2, 5: {self.name} lost {lost}")
        for item in own.items.values():
            if item.state in _SENT:
                self.acknowledged.add(item.id)
                require(item.receipt is not None, f"2: {item.title} is {item.state} without a receipt")
            refused = item.id in self.hub.reject or item.id in self.hub.refuse_requests_with
            require(item.state != "attention" or refused, f"2: {item.title} was set aside: {item.problem}")
        back = [id_ for id_ in self.acknowledged if own.items[id_].state not in (*_SENT, "sending", "attention")]
        require(not back, f"2: {back} had a receipt and wait again")

    def agrees(self) -> None:
        """All that must be true at any time, and 4: after traffic has stopped, shelf and hub say the same."""
        content = self._check_all()
        with self._own() as own, self._library() as library:
            choice = Subscription.from_settings(own.setting("languages"), own.setting("themes"))
            for name, stream in self.hub.streams.items():
                wanted = dict(stream.records) if choice.wants(name) else {}
                require(content.shown.get(name, {}) == wanted, f"4: {self.name} and the hub differ in {name}")
            require(not any(content.waiting.values()), f"4: {self.name} has copies that wait: {content.waiting}")
            if not self.guest:
                self._agree_personally(own, library)
        self._check_stores()

    def _agree_personally(self, own: Own, library: Library) -> None:
        for item in own.outbox.items():
            if item.id not in self.written:
                continue
            effects = len(self.hub.effects.get(item.id, ()))
            refused = item.state == "attention"
            require(item.state in (*_SENT, "attention"), f"2: {item.title} is still {item.state}")
            require(effects == (0 if refused else 1), f"2: {item.title} ({item.state}) has {effects} effects")
        for known in self.hub.items:
            kept = library.get(known["id"])
            require(kept is not None, f"4: {self.name} has not {known['id']}")
            assert kept is not None
            kept.pop("replies", None)
            require(kept == known, f"4: {self.name} has {known['id']} otherwise")
        total = library.counts().get("request", 0) + library.counts().get("reply", 0)
        require(total == len(self.hub.items), f"4: {self.name} has personal items that the hub does not have")
