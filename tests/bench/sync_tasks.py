"""The tasks of `make bench-sync`: each measures one thing and answers with figures beside their targets.

Bytes are HTTP with headers and without TLS as the emulator counts them, unless a figure says otherwise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.sync_corpus import BENCH, corpus, question, xz_size
from tests.bench.sync_counter import Counter
from tests.bench.sync_days import DAYS, days
from tests.bench.sync_links import BANDWIDTH, ROOT
from tests.bench.sync_stage import Shelf, Stage, Sync, Watch, newcomer, run, stage
from tests.bench.sync_tls import TlsFront, make_certificates
from tests.programs import HubProgram, copy_home

ERIC = sorted((ROOT.parent / "shared" / "data" / "records" / "eric").glob("*.json"))
MB = 1_000_000
LINKS = ("lan", "3g", "vsat")
_ROUGH = 3
"""Runs over the flaky link, two cuts each."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ok` is None where there is no target."""

    name: str
    value: float
    shown: str
    target: str = ""
    ok: bool | None = None


@dataclass
class Result:
    """What one task found, with the raw counts behind it; `skipped` says why there is nothing."""

    figures: list[Figure] = field(default_factory=list)
    syncs: list[Sync] = field(default_factory=list)
    skipped: str = ""

    def add(self, name: str, value: float, unit: str = "", *, most: float = 0, least: float = 0) -> None:
        """Add a figure; `most` or `least` is its target in the same unit."""
        shown = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"
        if unit in ("×", "s", "%"):
            shown = f"{value:,.3f}" if unit == "×" else f"{value:,.2f}"
        target, ok = "", None
        if most:
            target, ok = f"≤ {most:,g} {unit}", value <= most
        elif least:
            target, ok = f"≥ {least:,g} {unit}", value >= least
        self.figures.append(Figure(name, value, f"{shown} {unit}".strip(), target.strip(), ok))

    def note(self, sync: Sync) -> Sync:
        """Keep the raw counts of a sync."""
        self.syncs.append(sync)
        return sync

    def add_agreement(self) -> None:
        """How far apart report and emulator are at worst over this task's syncs that were not cut."""
        worst = max(
            (sync.disagreement for sync in self.syncs if sync.link and not sync.link["cuts"]), default=None
        )
        if worst is not None:
            self.add("report against emulator, worst", worst * 100, "%", most=1)


class Bench:
    """Where the tasks run: the source's digest and the sizes of corpus."""

    def __init__(self, digest: str, size: int = 10_000, small: int = 1_000) -> None:
        self.digest = digest
        self.size = size
        self.small = small

    def stage(self) -> Stage:
        return stage(self.size, self.digest)

    def small_stage(self) -> Stage:
        return stage(self.small, self.digest)

    def xz(self) -> int:
        return xz_size([corpus(self.size) / "base.jsonl"], BENCH / f"corpus-{self.size}" / "xz-9e")


def first_sync(bench: Bench) -> Result:
    """T1 over the lan: bytes, requests, ratio to xz, when the catalogue is there."""
    result, xz = Result(), bench.xz()
    with bench.stage().play() as shelf:
        sync = result.note(newcomer(shelf, "t1").sync("T1", "lan", Watch(bench.size)))
        result.add("T1 bytes both ways", sync.both)
        result.add("T1 bytes down", sync.down)
        result.add("T1 bytes up", sync.up)
        result.add("T1 bytes ÷ xz -9e of the whole", sync.both / xz, "×", most=0.95)
        result.add("T1 requests", sync.report["requests"])
        result.add("T1 requests seen on the wire", sync.counter.requests)
        result.add("T1 seconds on lan", sync.wall, "s")
        _add_catalogue(result, sync)
    result.add_agreement()
    return result


def first_sync_on_vsat(bench: Bench) -> Result:
    """T1 over vsat: time against what the bytes need at its bandwidth."""
    result = Result()
    with bench.stage().play() as shelf:
        sync = result.note(newcomer(shelf, "t1").sync("T1", "vsat", Watch(bench.size)))
        ideal = sync.down * 8 / BANDWIDTH["vsat"]
        result.add("T1 seconds on vsat", sync.wall, "s")
        result.add("T1 seconds ÷ (bytes ÷ bandwidth) on vsat", sync.wall / ideal, "×", most=1.08)
        _add_catalogue(result, sync)
    result.add_agreement()
    return result


def _add_catalogue(result: Result, sync: Sync) -> None:
    when = sync.samples.get("cards_bytes")
    if when is None:
        result.figures.append(Figure(f"catalogue readable on {sync.profile}", 0, "not seen", "≤ 0.2 ×", False))
        return
    result.add(f"catalogue readable on {sync.profile}, bytes down", when)
    result.add(f"catalogue readable on {sync.profile}, share of T1", when / sync.counter.down, "×", most=0.2)


def apply_speed(bench: Bench) -> Result:
    """Records applied a second without a link: what the machine takes, fetching and decoding included."""
    result = Result()
    prepared = bench.stage()
    with prepared.play() as shelf:
        sync = result.note(newcomer(shelf, "t1").sync("T1", watch=Watch(bench.size)))
    records = sync.report.get("records") or prepared.facts["records"]
    result.add("whole first sync on loopback", sync.seconds, "s")
    if "cards_seconds" in sync.samples:
        cards = bench.size / max(0.001, sync.samples["cards_seconds"])
        result.add("cards a second (seen from outside)", cards, least=3000)
    result.add("records a second with texts", records / max(0.001, sync.seconds), least=800)
    return result


def flaky(bench: Bench) -> Result:
    """T1 of the small corpus, three times, on a link that is up 20 s and down 20 s, against the same on lan."""
    result = Result()
    with bench.small_stage().play() as shelf:
        calm = result.note(newcomer(shelf, "calm").sync("T1 small", "lan"))
        rough = [result.note(newcomer(shelf, f"rough{n}").sync("T1 small", "flaky")) for n in range(_ROUGH)]
    n = f"{bench.small:,}"
    result.add(f"T1 of {n} on flaky, seconds, worst of {_ROUGH}", max(one.wall for one in rough), "s", most=105)
    result.add(f"T1 of {n} on flaky, bytes both ways, worst", max(one.both for one in rough))
    result.add(f"T1 of {n} on lan, bytes both ways", calm.both)
    result.add(f"T1 of {n} on flaky, ideal seconds with the link's outages", _flaky_ideal(calm.down), "s")
    result.add(f"T1 of {n} on flaky, commands until in step, worst", max(one.runs for one in rough))
    # What a cut costs depends on where in a piece it falls: told is that of all cuts, and that of the worst run.
    cuts = sum(one.link["cuts"] for one in rough)
    result.add(f"T1 of {n} on flaky, cuts", cuts)
    again = [max(0, one.down - calm.down) for one in rough]
    result.add("re-downloaded bytes a cut, by the emulator", sum(again) / max(1, cuts), most=16384)
    worst = max(more / max(1, one.link["cuts"]) for more, one in zip(again, rough, strict=True))
    result.add("re-downloaded bytes a cut, worst run", worst)
    arrived = sum(max(0, one.counter.down - calm.counter.down) for one in rough) / max(1, cuts)
    result.add("re-downloaded bytes a cut, of those that arrived", arrived, most=16384)
    # link.py goes on reading from the hub after a cut until its queue of 48 pieces is full, and counts that: any
    # client that is cut in the middle of a long answer, curl too, loses 50 pieces of 1,400 bytes by its count.
    dropped = sum(max(0, one.down - one.counter.down) for one in rough) / max(1, cuts)
    result.add("bytes a cut that the emulator counted and never passed on", dropped)
    result.add_agreement()
    return result


def _flaky_ideal(down: int) -> float:
    """Seconds that so many bytes need at the flaky link's bandwidth, with its 20 s pauses."""
    needed = down * 8 / BANDWIDTH["flaky"]
    return needed + 20 * int(needed / 20)


def a_day_later(bench: Bench) -> Result:
    """T2: 50 new, 20 edited, 5 deleted, 10 messages."""
    result = Result()
    for link in LINKS:
        with bench.stage().play("hub-day") as shelf:
            sync = result.note(shelf.sync("T2", link))
        result.add(f"T2 bytes both ways on {link}", sync.both, most=70_000)
        result.add(f"T2 requests on {link}", sync.report["requests"], most=1)
        result.add(f"T2 seconds on {link}", sync.seconds, "s")
    result.add_agreement()
    return result


def nothing_new(bench: Bench) -> Result:
    """T3: an idle check."""
    result = Result()
    with bench.stage().play() as shelf:
        for link in LINKS:
            sync = result.note(shelf.sync("T3", link))
            result.add(f"T3 bytes both ways on {link}", sync.both, most=480)
            result.add(f"T3 requests on {link}", sync.report["requests"], most=1)
            result.add(f"T3 seconds on {link}", sync.seconds, "s")
    result.add_agreement()
    return result


def a_question(bench: Bench) -> Result:
    """T4: 200 words to the hub, and T2 to T4 in one."""
    result, asked = Result(), question(corpus(bench.size))
    for link in LINKS:
        with bench.stage().play() as shelf:
            shelf.ask(asked)
            sync = result.note(shelf.sync("T4", link))
            after = result.note(shelf.sync("T4, the sync after it", link))
        result.add(f"T4 bytes both ways on {link}", sync.both, most=1000)
        result.add(f"T4 requests on {link}", sync.report["requests"], most=1)
        result.add(f"T4 seconds on {link}", sync.seconds, "s")
        if sync.report["operations_sent"] != 1:
            result.figures.append(Figure(f"T4 operations sent on {link}", 0, "not sent", "1", False))
    result.add("the sync after T4, bytes both ways", after.both)
    result.add_agreement()
    return result


def all_in_one(bench: Bench) -> Result:
    """T2 to T4 in one sync: a question leaves and a day's news arrives."""
    result, asked = Result(), question(corpus(bench.size))
    for link in LINKS:
        with bench.stage().play("hub-day") as shelf:
            shelf.ask(asked)
            sync = result.note(shelf.sync("T2-T4", link))
        result.add(f"T2 to T4 in one, bytes both ways on {link}", sync.both, most=71_000)
        result.add(f"T2 to T4 in one, requests on {link}", sync.report["requests"], most=1)
        result.add(f"T2 to T4 in one, seconds on {link}", sync.seconds, "s")
    result.add_agreement()
    return result


def idle_over_tls(bench: Bench) -> Result:
    """T3 with a new TLS 1.3 connection, every byte at the socket counted."""
    result = Result()
    with bench.small_stage().play() as plain, Counter() as counter:
        authority, server = make_certificates(plain.home.parent / "certificates")
        with TlsFront(server, plain.hub.port) as front:
            # The front stands where the hub's port is otherwise; the shelf is a new one that knows only https.
            shelf = Shelf(plain.home.parent / "tls", counter, plain.hub)
            shelf.extra = {"SSL_CERT_FILE": str(authority)}
            counter.upstream = front.port
            code = plain.hub.invite("tls@ministry.example")
            shelf.run("enrol", f"https://localhost:{counter.port}", code)
            result.note(shelf.sync_through("T1 small over TLS", "TLS"))
            sync = result.note(shelf.sync_through("T3 over TLS", "TLS"))
    result.add("T3 over TLS, cold, bytes at the socket", sync.counter.up + sync.counter.down, most=3600)
    result.add("T3 over TLS, bytes up at the socket", sync.counter.up)
    result.add("T3 over TLS, bytes down at the socket", sync.counter.down)
    result.add("T3 over TLS, connections", sync.counter.connections, most=1)
    result.add("T3 over TLS, HTTP bytes of the report", sync.report["bytes_up"] + sync.report["bytes_down"])
    return result


def three_months_away(bench: Bench) -> Result:
    """90 daily deltas against one delta of the whole gap, for the same shelf."""
    result = Result()
    prepared = bench.stage()
    files = days(corpus(bench.size) / "base.jsonl", BENCH / f"days-{bench.size}")
    with tempfile.TemporaryDirectory(prefix="gap-", dir=BENCH) as folder:
        daily, once = Path(folder) / "daily", Path(folder) / "once"
        copy_home(prepared.folder / "hub", daily)
        copy_home(prepared.folder / "hub", once)
        seconds = []
        for number, file in enumerate(files, 1):
            run("hubshelf-hub", "import", file, home=daily)
            seconds.append(run("hubshelf-hub", "publish", home=daily).seconds)
            if number % 10 == 0:
                print(f"  day {number}: publish {seconds[-1]:.1f} s", flush=True)
        run("hubshelf-hub", "import", *files, home=once)
        run("hubshelf-hub", "publish", home=once)
        found = {}
        for name, home in (("90 deltas", daily), ("one delta", once)):
            copy_home(prepared.folder / "shelf", Path(folder) / f"shelf of {name}")
            with Counter(int(prepared.facts["port"])) as counter, HubProgram(home) as hub:
                hub.start()
                shelf = Shelf(Path(folder) / f"shelf of {name}", counter, hub)
                found[name] = result.note(shelf.sync(name, "lan"))
        counts = [
            run("hubshelf", "status", home=Path(folder) / f"shelf of {name}").answer["records"] for name in found
        ]
        same_hubs = _exported(daily) == _exported(once)
    gap, whole = found["90 deltas"], found["one delta"]
    result.add(f"away for {DAYS} daily deltas, bytes both ways", gap.both)
    result.add("one delta of the whole gap, bytes both ways", whole.both)
    result.add("90 deltas ÷ one delta of the whole gap", gap.both / whole.both, "×", most=1.15)
    result.add(f"away for {DAYS} daily deltas, requests", gap.report["requests"], most=8)
    result.add("one delta of the whole gap, requests", whole.report["requests"])
    result.add("publish of a day's delta, median of 90", sorted(seconds)[len(seconds) // 2], "s")
    for what, same in (("hubs export the same", same_hubs), ("shelves hold as many", counts[0] == counts[1])):
        result.figures.append(Figure(f"after either way the {what}", float(same), str(same), "True", same))
    result.add_agreement()
    return result


def _exported(home: Path) -> list[str]:
    """What a hub holds, as the sorted lines of its native export."""
    file = home.parent / f"{home.name}.jsonl"
    run("hubshelf-hub", "export", file, home=home)
    return sorted(file.read_text(encoding="utf-8").splitlines())


def real_text(bench: Bench) -> Result:
    """T1 of real education abstracts (ERIC) against xz of what was imported and of the hub's export."""
    del bench
    result = Result()
    if not ERIC:
        result.skipped = f"no real input: records/eric belongs into {ROOT.parent / 'shared' / 'data'}"
        return result
    with tempfile.TemporaryDirectory(prefix="eric-", dir=BENCH) as folder:
        home = Path(folder)
        with Counter() as counter, HubProgram(home / "hub").init() as hub:
            run("hubshelf-hub", "import", *ERIC, home=hub.home)
            run("hubshelf-hub", "publish", home=hub.home)
            run("hubshelf-hub", "export", home / "export.jsonl", home=hub.home)
            hub.start()
            sync = result.note(
                Shelf(home / "shelf", counter, hub).enrol("first@ministry.example").sync("ERIC", "lan")
            )
        sources = xz_size(ERIC, BENCH / "eric-xz-9e")
        export = xz_size([home / "export.jsonl"], home / "export-xz-9e")
    result.add("ERIC T1 bytes both ways", sync.both)
    result.add("ERIC T1 requests", sync.report["requests"])
    result.add("ERIC T1 bytes ÷ xz -9e of the three JSON files", sync.both / sources, "×", most=0.85)
    result.add("ERIC T1 bytes ÷ xz -9e of the hub's native export", sync.both / export, "×", most=0.85)
    result.add_agreement()
    return result


def hub_speed(bench: Bench) -> Result:
    """What preparing the stage cost the hub."""
    result, facts = Result(), bench.stage().facts
    n = f"{bench.size:,}"
    result.add(f"hub: import of {n} resources", facts["import_seconds"], "s")
    result.add(f"hub: full build of {n} resources", facts["publish_seconds"], "s")
    result.add(f"hub: full build of {n}, peak memory in MB", facts["publish_peak"] / MB)
    result.add(f"hub: publish a day into {n}", facts["day_seconds"], "s")
    result.add(f"hub: publish a day into {n}, peak memory in MB", facts["day_peak"] / MB)
    return result


Task = Callable[[Bench], Result]
TASKS: dict[str, Task] = {
    "t1": first_sync,
    "t1-vsat": first_sync_on_vsat,
    "apply": apply_speed,
    "flaky": flaky,
    "t2": a_day_later,
    "t3": nothing_new,
    "t4": a_question,
    "all": all_in_one,
    "tls": idle_over_tls,
    "gap": three_months_away,
    "eric": real_text,
    "hub": hub_speed,
}


def facts_of(result: Result) -> dict[str, Any]:
    """A result as it is kept in build/bench/sync.json."""
    return {
        "figures": [figure.__dict__ for figure in result.figures],
        "syncs": [sync.to_json() for sync in result.syncs],
        "skipped": result.skipped,
    }
