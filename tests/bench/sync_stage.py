"""The programs under measurement: commands with their time and memory, and prepared homes that are kept.

A prepared stage is a hub with the corpus published and a shelf that is in step with it. It is kept under
build/bench by a digest of the project's source, since making it takes a minute and every measurement begins
from a fresh copy.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.bench.sync_corpus import BENCH, a_day, corpus
from tests.bench.sync_counter import Counted, Counter
from tests.bench.sync_links import Link
from tests.programs import BIN, CommandFailed, HubProgram, copy_home

_QUIET = {"HUBSHELF_KEYRING": "off", "QT_QPA_PLATFORM": "offscreen", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Ran:
    """One command: its JSON answer, exit code, wall seconds, peak memory of its process tree in bytes, and the
    processor seconds of that tree (also of other children of the harness that end in the meantime)."""

    answer: dict[str, Any]
    exit: int
    seconds: float
    peak: int
    processor: float


def run(
    program: str,
    *arguments: str | Path,
    home: Path,
    fine: tuple[int, ...] = (0,),
    timeout: float = 3600,
    extra: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
) -> Ran:
    """Run `program --home HOME ARGUMENTS --json`; raises CommandFailed on an exit code that is not `fine`."""
    started, spent = time.perf_counter(), _processor()
    process = subprocess.Popen(
        [*prefix, BIN / program, "--home", home, *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **_QUIET, **(extra or {})},
    )
    memory = _Memory(process.pid)
    try:
        printed, said = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    finally:
        peak = memory.stop()
    seconds = time.perf_counter() - started
    if process.returncode not in fine or "Traceback" in said:
        raise CommandFailed(f"{program} {arguments}: exit {process.returncode}\n{printed[-3000:]}\n{said[-3000:]}")
    return Ran(json.loads(printed), process.returncode, seconds, peak, _processor() - spent)


def _processor() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    used = os.times()
    return used.children_user + used.children_system


class _Memory:
    """Watches a process and its descendants; the peak of the sum of their resident memory, shared pages once a
    process (so an upper bound where it forks). Linux only; elsewhere 0."""

    def __init__(self, pid: int) -> None:
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def _watch(self, pid: int) -> None:
        while not self._over.wait(0.1):
            self._peak = max(self._peak, sum(_resident(one) for one in _family(pid)))

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def source_digest() -> str:
    """Names the code that the command lines run, wherever it lies; twelve hexadecimal characters."""
    finder = "import desktop, hub, resources_cache as cache, sync; "
    finder += "print(*(part.__path__[0] for part in (desktop, hub, cache, sync)))"
    done = subprocess.run([sys.executable, "-P", "-c", finder], capture_output=True, text=True, check=True)
    digest = hashlib.sha256()
    for part in done.stdout.split():
        for file in sorted(Path(part).rglob("*")):
            if file.suffix not in (".pyc", "") and file.is_file():
                digest.update(f"{file.relative_to(part)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


@dataclass
class Sync:
    """One or more `hubshelf sync` until in step, with what each side counted.

    `report` is the last report with `requests bytes_up bytes_down segments_applied operations_sent` summed up;
    `link` the emulator's counts (empty without one), `counter` those at the shelf; `wall` seconds of it all,
    `seconds` as the reports have them.
    """

    name: str
    profile: str
    report: dict[str, Any]
    link: dict[str, int]
    counter: Counted
    wall: float
    runs: int = 1
    samples: dict[str, float] = field(default_factory=dict)

    @property
    def down(self) -> int:
        """Bytes towards the shelf, by the emulator where there is one."""
        return self.link.get("down", self.counter.down)

    @property
    def up(self) -> int:
        return self.link.get("up", self.counter.up)

    @property
    def both(self) -> int:
        return self.up + self.down

    @property
    def seconds(self) -> float:
        return float(self.report["seconds"])

    @property
    def disagreement(self) -> float:
        """How far the report and the emulator are apart, as a share of the emulator's; the worse direction."""
        down, up = int(self.report["bytes_down"]), int(self.report["bytes_up"])
        return max(abs(down - self.down) / max(1, self.down), abs(up - self.up) / max(1, self.up))

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "counter": self.counter.__dict__}


_SUMMED = ("requests", "bytes_up", "bytes_down", "segments_applied", "operations_sent", "seconds")
_PATIENCE = 1500.0  # seconds after which a sync that does not come to its end has failed


class Counting(Protocol):
    """What a shelf needs of whatever counts its bytes."""

    upstream: int

    @property
    def url(self) -> str: ...

    def counted(self) -> Counted: ...


class Shelf:
    """A shelf behind a counter: `sync` runs it over a link of one's choice.

    `extra` is added to its environment, `prefix` goes before its command (to run it in a network of its own).
    """

    def __init__(self, home: Path, counter: Counting, hub: HubProgram) -> None:
        self.home = home
        self.counter = counter
        self.hub = hub
        self.extra: dict[str, str] = {}
        self.prefix: tuple[str, ...] = ()

    def run(self, *arguments: str | Path) -> dict[str, Any]:
        return self._command(*arguments).answer

    def _command(self, *arguments: str | Path, fine: tuple[int, ...] = (0,)) -> Ran:
        return run("hubshelf", *arguments, home=self.home, fine=fine, extra=self.extra, prefix=self.prefix)

    def enrol(self, email: str, url: str = "") -> Shelf:
        self.counter.upstream = self.hub.port
        self.run("enrol", url or self.counter.url, self.hub.invite(email))
        return self

    def ask(self, asked: tuple[str, str, str]) -> None:
        title, body, lang = asked
        file = self.home.parent / f"{self.home.name}-question.txt"
        file.write_text(body, encoding="utf-8")
        self.run("ask", "--title", title, "--body-file", file, "--lang", lang)

    def sync(self, name: str, profile: str = "", watch: Watch | None = None) -> Sync:
        """Sync until in step over an emulated link; without a profile straight to the hub."""
        if not profile:
            self.counter.upstream = self.hub.port
            return self._until_in_step(name, "loopback", watch)
        with Link(profile, self.hub.port) as link:
            self.counter.upstream = link.port
            done = self._until_in_step(name, profile, watch)
            done.link = link.stop()
        return done

    def sync_through(self, name: str, profile: str) -> Sync:
        """Sync until in step through whatever stands behind the counter now."""
        return self._until_in_step(name, profile, None)

    def _until_in_step(self, name: str, profile: str, watch: Watch | None) -> Sync:
        before, started = self.counter.counted(), time.monotonic()
        summed: dict[str, Any] = dict.fromkeys(_SUMMED, 0)
        runs = 0
        with watch.during(self, before) if watch else contextlib.nullcontext():
            while True:
                runs += 1
                report = self._command("sync", fine=(0, 1)).answer
                if "up_to_date" not in report:
                    raise CommandFailed(f"{name}: {report}")
                for key in _SUMMED:
                    summed[key] += report[key]
                if report["up_to_date"]:
                    break
                if time.monotonic() - started > _PATIENCE:
                    raise CommandFailed(f"{name} on {profile} was not in step after {_PATIENCE:.0f} s: {report}")
                time.sleep(1)  # as a background sync would: not at once
        wall = time.monotonic() - started
        done = Sync(name, profile, {**report, **summed}, {}, self.counter.counted() - before, wall, runs)
        if watch:
            done.samples = watch.samples()
        print(f"  {name} on {profile}: {done.counter} {wall:.1f} s, {runs} runs", file=sys.stderr)
        return done


class Watch:
    """Looks into a shelf's library from outside while it syncs: when are all its cards there?"""

    def __init__(self, cards: int, every: float = 0.03) -> None:
        self._cards = cards
        self._every = every
        self._found: dict[str, float] = {}

    def samples(self) -> dict[str, float]:
        """`cards_seconds` and `cards_bytes` since the first byte of content when every card was readable."""
        return self._found

    @contextlib.contextmanager
    def during(self, shelf: Shelf, before: Counted) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(shelf, before, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, shelf: Shelf, before: Counted, over: threading.Event) -> None:
        first = 0.0
        while not over.wait(self._every):
            passed = shelf.counter.counted() - before
            if not first and passed.down > 20_000:
                first = time.monotonic()
                self._found["content_from_bytes"] = passed.down
            if "cards_bytes" not in self._found and _resources(shelf.home / "library.db") >= self._cards:
                self._found["cards_bytes"] = passed.down
                self._found["cards_seconds"] = time.monotonic() - first
        if first:
            self._found["all_seconds"] = time.monotonic() - first


def _resources(library: Path) -> int:
    """Catalogue entries that a reader of the library would find now; 0 while there is none or it is in use."""
    from pysqlite3 import dbapi2 as sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"file:{library}?mode=ro", uri=True, timeout=0.2)) as database:
            found: int = database.execute("SELECT count(*) FROM records WHERE type = 'resource'").fetchone()[0]
            return found
    except sqlite3.Error:
        return 0


@dataclass(frozen=True)
class Stage:
    """A prepared hub and a shelf in step with it, at rest; `facts` are what preparing them cost."""

    folder: Path
    facts: dict[str, Any]

    @contextlib.contextmanager
    def homes(self, hub: str = "hub") -> Iterator[Path]:
        """A folder with fresh copies: `hub` (as at day 0, or of `hub-day`, a day later) and `shelf` of day 0."""
        with tempfile.TemporaryDirectory(prefix="scene-", dir=BENCH) as folder:
            copy_home(self.folder / hub, Path(folder) / "hub")
            copy_home(self.folder / "shelf", Path(folder) / "shelf")
            yield Path(folder)

    @contextlib.contextmanager
    def play(self, hub: str = "hub") -> Iterator[Shelf]:
        """Fresh copies of the homes with the hub serving."""
        with (
            self.homes(hub) as home,
            Counter(int(self.facts["port"])) as counter,
            HubProgram(home / "hub") as program,
        ):
            program.start()
            yield Shelf(home / "shelf", counter, program)


def newcomer(shelf: Shelf, name: str) -> Shelf:
    """Another shelf of the same hub, enrolled and empty."""
    return Shelf(shelf.home.parent / name, shelf.counter, shelf.hub).enrol(f"{name}@ministry.example")


def stage(size: int, digest: str) -> Stage:
    """The stage with the corpus of `size` resources, made where it is not kept for this source."""
    folder = BENCH / f"stage-{size}-{digest}"
    if not (folder / "facts.json").is_file():
        # The newest of another source stays: one measures before and after a change.
        for old in sorted(BENCH.glob(f"stage-{size}-*"), key=lambda kept: kept.stat().st_mtime)[:-1]:
            shutil.rmtree(old)
        print(f"preparing a hub with {size:,} resources", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)  # one that was left half made
        folder.mkdir(parents=True)
        facts = _prepare(folder, corpus(size))
        (folder / "facts.json").write_text(json.dumps(facts))
    return Stage(folder, json.loads((folder / "facts.json").read_text()))


def _prepare(folder: Path, source: Path) -> dict[str, Any]:
    with Counter() as counter, HubProgram(folder / "hub").init() as hub:
        imported = run("hubshelf-hub", "import", source / "base.jsonl", home=hub.home)
        published = run("hubshelf-hub", "publish", home=hub.home)
        facts: dict[str, Any] = {
            "port": counter.port,
            "records": imported.answer["created"],
            "import_seconds": imported.seconds,
            "publish_seconds": published.seconds,
            "publish_peak": published.peak,
        }
        hub.start()
        Shelf(folder / "shelf", counter, hub).enrol("first@ministry.example").sync("preparing")
    copy_home(folder / "hub", folder / "hub-day")
    run("hubshelf-hub", "import", a_day(source), home=folder / "hub-day")
    day = run("hubshelf-hub", "publish", home=folder / "hub-day")
    return {**facts, "day_seconds": day.seconds, "day_peak": day.peak}
