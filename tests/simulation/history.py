"""One history: a hub, two computers of one person and a guest, and what happens to them, drawn from a seed.

After every step the invariants of the design are checked against what the hub really published; after the last
fault all of it must converge. `History(seed, folder).run()` raises `Violation` with the steps that led there.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from sync.protocol.problems import Problem
from sync.protocol.segments import IDENTITY, PPMD, ZSTD
from tests.simulation.fresh_stores import prepare
from tests.simulation.published import Published
from tests.simulation.simulated_reader import Reader
from tests.simulation.violation import Violation
from tests.simulation.virtual_link import Weather
from tests.simulation.virtual_time import VirtualClock, one_world

STREAMS = ("public/cards/en", "public/texts/en/data", "public/texts/en/rain")
MORE_STREAMS = ("public/cards/fr", "public/cards/fr", "public/vocab", "public/talk/en", "public/texts/fr/data")
"""Each is there in some histories only."""
_WORDS = (
    "water", "school", "radio", "teacher", "village", "pupil", "mango", "river", "lesson", "tablet", "solar",
    "market", "rain", "chalk", "goat",
)  # fmt: skip
_NUMBERED = [f"{word}{number}" for word in _WORDS for number in range(60)]


class History:
    """What one seed makes happen."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.clock = VirtualClock()
        self.faults: Counter[str] = Counter()
        self.steps: list[str] = []
        self.folder = folder
        self._written = 0

    def run(self) -> None:
        """Live through it. Raises Violation."""
        prepare()
        with one_world(self.clock, self.seed):
            try:
                self._live()
            except Violation as violation:
                raise Violation(f"{violation}\n{self.story()}") from violation
            except Exception as error:
                raise Violation(f"{type(error).__name__}: {error}\n{self.story()}") from error
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def story(self) -> str:
        """The seed and what happened, step by step."""
        return "\n".join([f"seed {self.seed}", *(f"  {n}. {step}" for n, step in enumerate(self.steps, 1))])

    def _live(self) -> None:
        random = self.random
        hub = self.hub = Published(random)
        hub.snapshot_every, hub.kept_changes = random.randint(1, 6), random.randint(1, 8)
        hub.lists_empty_streams, hub.inlines = random.random() < 0.5, random.random() < 0.8
        hub.primes, hub.page = random.random() < 0.8, random.choice((2, 200))
        hub.codec = random.choice((None, IDENTITY, ZSTD, PPMD, PPMD))
        self.streams = [*STREAMS, *dict.fromkeys(name for name in MORE_STREAMS if random.random() < 0.25)]
        self._publish(everything=True)
        hub.back_up()
        self.readers = [Reader("one", self)]
        if random.random() < 0.4:
            self.readers.append(Reader("other", self))
        if random.random() < 0.15:
            self.readers.append(Reader("guest", self, guest=True))
        for _ in range(random.randint(6, 15)):
            self._step()
        self._settle()

    def _step(self) -> None:
        random = self.random
        names = list(_STEPS)
        name = random.choices(names, [weight for weight, _ in _STEPS.values()])[0]
        reader = random.choice(self.readers)
        self.steps.append(f"{name}: …")
        told = _STEPS[name][1](self, reader)
        self.steps[-1] = f"{name}: {told}"
        if name not in _AT_THE_HUB:
            reader.check()

    def _settle(self) -> None:
        """After the last fault everything converges, also on a link that drops after 16 KB."""
        drops = 16 * 1024 if self.random.random() < 0.3 else None
        for reader in self.readers:
            attempts = 0
            while True:
                attempts += 1
                report = reader.sync(Weather(drops_after=drops))
                self.steps.append(f"settle {reader.name}: {_short(report)}")
                reader.check()
                if report is not None and report.up_to_date:
                    break
                if attempts > (8 if drops is None else 40):
                    raise Violation(f"{reader.name} did not converge: {report}")
        for reader in self.readers:
            # What the others did since changes nothing of the public content, and one request says so.
            report = reader.sync(Weather())
            if report is None or not report.up_to_date or report.segments_applied:
                raise Violation(f"{reader.name} was in step and is not: {report}")
            reader.agrees()
        self._exactly_once()

    def _exactly_once(self) -> None:
        titles: Counter[str] = Counter()
        for id_, effects in self.hub.effects.items():
            if len(effects) != 1:
                raise Violation(f"{id_} took effect {len(effects)} times")
            titles[str(effects[0].body.get("title", effects[0].body["body"]))] += 1
        doubled = [title for title, count in titles.items() if count > 1]
        if doubled:
            raise Violation(f"took effect twice under two ids: {doubled}")

    # What can happen

    def _publish(self, _: object = None, everything: bool = False) -> str:
        random, hub = self.random, self.hub
        changes: dict[str, list[dict[str, Any]]] = {}
        for name in self.streams if everything else random.sample(self.streams, random.choice((1, 1, 2, 3))):
            live = sorted(hub.streams[name].records) if name in hub.streams else []
            made = [self._record(name, f"{random.randrange(6)}", live) for _ in range(random.choice((1, 2, 4)))]
            made = [record for record in made if self._may_stand_in(name, record["id"])]
            if live and not everything and random.random() < 0.4:
                made += [{"id": id_, "deleted": True} for id_ in random.sample(live, random.randint(1, len(live)))]
            changes[name] = made
        if not everything and random.random() < 0.2:
            self._move(changes)
        hub.publish(changes, segment_records=random.choice((1, 2, 1000, 1000)))
        return f"version {hub.epoch}.{hub.version}: " + ", ".join(
            f"{name} {len(found)}" for name, found in changes.items()
        )

    def _record(self, stream: str, number: str, live: list[str]) -> dict[str, Any]:
        random = self.random
        id_ = f"{stream.removeprefix('public/').replace('/', '-')}-{number}"
        self._written += 1
        kind = {"cards": "resource", "vocab": "theme", "talk": "thread", "texts": "text"}[stream.split("/")[1]]
        record: dict[str, Any] = {"id": id_, "type": kind, "title": f"{random.choice(_WORDS)} {self._written}"}
        if kind == "text" and id_ in live and random.random() < 0.7:
            # An edit: most of the text stays, so that a patch is made.
            record = json.loads(self.hub.streams[stream].records[id_])
            words = record["body"].split(" ")
            words[random.randrange(len(words))] = f"new{self._written}"
            return {**record, "body": " ".join(words)}
        if kind == "text":
            length = 4000 if random.random() < 0.01 else random.choice((8, 40))
            record["body"] = " ".join(random.choices(_NUMBERED, k=length))
        elif random.random() < 0.5:
            record["summary"] = " ".join(random.choices(_WORDS, k=12))
        return record

    def _may_stand_in(self, name: str, id_: str) -> bool:
        """A record is in one stream at a time."""
        return all(id_ not in stream.records for other, stream in self.hub.streams.items() if other != name)

    def _move(self, changes: dict[str, list[dict[str, Any]]]) -> None:
        """A record goes from one stream to another; its id stays."""
        tier = self.random.choice(("/cards/", "/texts/"))
        names = [name for name in self.streams if tier in name]
        if len(names) < 2:
            return
        source, target = self.random.sample(names, 2)
        live = sorted(self.hub.streams[source].records) if source in self.hub.streams else []
        if not live:
            return
        id_ = self.random.choice(live)
        if any(change["id"] == id_ for found in changes.values() for change in found):
            return
        record = json.loads(self.hub.streams[source].records[id_])
        changes.setdefault(source, []).append({"id": id_, "deleted": True})
        changes.setdefault(target, []).append(record)
        self.faults["moved record"] += 1

    def _sync(self, reader: Reader) -> str:
        random = self.random
        weather = Weather(random.choice((0.0, 0.15, 0.4, 0.8)), rate=random.choice((2_000.0, 20_000.0, 1e6)))
        budget = random.randrange(200, 12_000) if random.random() < 0.15 else None
        patience = random.choice((0.0, 0.0, 30.0))
        disk = (0, "full")
        doom = random.random()
        if doom < 0.1:
            weather.dies_at = random.randint(1, 30)
        elif doom < 0.3:
            disk = (random.randint(1, 260), random.choice(("full", "lost", "died", "died")))
        elif doom < 0.35:
            weather.cancels_at = random.randint(1, 15)
        report = reader.sync(weather, budget=budget, patience=patience, disk=disk)
        return f"{reader.name} chance={weather.chance} budget={budget} disk={disk}: {_short(report)}"

    def _ask(self, reader: Reader) -> str:
        return reader.ask(reply=self.random.random() < 0.2)

    def _reject(self, reader: Reader) -> str:
        told = reader.ask()
        id_ = reader.newest()
        if id_ is None:
            return told
        if self.random.random() < 0.5:
            self.hub.reject[id_] = Problem("no-such-target", "It is gone.", "drop", 422)
        else:
            self.hub.refuse_requests_with.add(id_)
        return f"{told}, which the hub will refuse"

    def _reply(self, _: Reader) -> str:
        asked = [id_ for id_, found in self.hub.effects.items() if found[0].kind == "ask"]
        if not asked:
            return "nothing was asked yet"
        self._written += 1
        target = self.random.choice(asked)
        self.hub.items.append({"id": f"a-{self._written}", "type": "reply", "request": target, "body": "So."})
        return f"the hub replied to {target[-4:]}"

    def _choose(self, reader: Reader) -> str:
        languages = self.random.choice((None, None, ["en"], ["fr"], ["fr", "en"]))
        themes = self.random.choice((None, None, ["data"], ["rain"], []))
        reader.choose(languages, themes)
        return f"{reader.name} {languages} {themes}"

    def _restore(self, _: Reader) -> str:
        self.faults["hub restored"] += self.hub.come_back()
        return f"the hub is at {self.hub.epoch}.{self.hub.version}"

    def _back_up(self, _: Reader) -> str:
        self.hub.back_up()
        return f"of {self.hub.epoch}.{self.hub.version}"

    def _rotate(self, _: Reader) -> str:
        self.hub.rotate_head_key()
        self.hub.publish({})
        self.faults["keys rotated"] += 1
        return f"root {len(self.hub.roots)}"

    def _jump(self, _: Reader) -> str:
        seconds = self.random.choice((-86400 * 400, -3600, 3600, 86400 * 900))
        self.clock.date += seconds
        self.faults["clock jumped"] += 1
        return f"{seconds} s"

    def _image(self, reader: Reader) -> str:
        reader.image()
        return reader.name

    def _from_image(self, reader: Reader) -> str:
        self.faults["client from an image"] += reader.come_back()
        return reader.name

    def _lose(self, reader: Reader) -> str:
        reader.lose_library()
        self.faults["library lost"] += 1
        return reader.name

    def _damage(self, reader: Reader) -> str:
        self.faults["segment under way damaged"] += (found := reader.damage_incoming())
        return f"{reader.name} {found}"


_STEPS: dict[str, tuple[int, Callable[[History, Reader], str]]] = {
    "publish": (30, History._publish),
    "sync": (55, History._sync),
    "ask": (16, History._ask),
    "reject": (2, History._reject),
    "reply": (4, History._reply),
    "choose": (5, History._choose),
    "back up": (4, History._back_up),
    "restore": (4, History._restore),
    "rotate": (3, History._rotate),
    "clock": (2, History._jump),
    "image": (3, History._image),
    "from image": (3, History._from_image),
    "lose library": (2, History._lose),
    "damage": (3, History._damage),
}


_AT_THE_HUB = frozenset({"publish", "reply", "back up", "restore", "rotate", "clock", "image"})
"""Steps that change nothing on any shelf."""


def _short(report: Any) -> str:
    if report is None:
        return "died"
    error = report.error.code if report.error is not None else ""
    return (
        f"{'in step' if report.up_to_date else 'not in step'} {error} {report.requests} requests "
        f"{report.bytes_up} up {report.bytes_down} down {report.segments_applied} segments"
    )


@contextmanager
def somewhere(folder: Path, seed: int) -> Iterator[History]:
    """A history in a folder of its own."""
    yield History(seed, folder / f"h{seed}")
