"""`make bench-neighbours`: what an office's desktops cost on one thin link, beside what one desktop costs alone.

    python -m tests.bench.neighbours [--size 2000] [--desktops 1,3,10] [--link vsat] [--who guests,members]

The hub and each desktop are in network namespaces of their own (root is needed): the desktops on one Ethernet,
the hub behind the emulated link. Desktops are the real program (`hubshelf neighbours serve`) and find each other
by multicast DNS. Counted are the bytes of TCP on the thin link, both ways: of a first sync of all, and of a day's
news (50 new, 20 edited, 5 deleted, 10 messages). The figures go to build/bench/neighbours.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sync.engine import connect_guest, enrol
from sync.home import Home
from sync.neighbours.giving import COUNTS, SHARING
from tests.bench.sync_corpus import BENCH, a_day, corpus
from tests.bench.sync_links import free_port, tool
from tests.programs import BIN, HubProgram, copy_home

_EVERY = 20.0
"""Seconds between the syncs of a desktop; within as many a look at the hub serves for all."""
_LONGEST = 1800.0
_HUB, _GATE = "nb-hub", "10.77.1.254"
_TARGET = 1.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--desktops", default="1,3,10")
    parser.add_argument("--link", default="vsat")
    parser.add_argument("--who", default="guests,members")
    parser.add_argument("--relay", nargs=5, metavar=("HOST", "PORT", "TO", "PORT", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.relay:
        asyncio.run(_relay(*asked.relay))
        return 0
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("Network namespaces need root and the command ip: nothing was measured.", file=sys.stderr)
        return 1
    figures: dict[str, Any] = {"size": asked.size, "link": asked.link}
    with tempfile.TemporaryDirectory(prefix="neighbours-", dir=_made(BENCH)) as folder:
        hub = HubProgram(Path(folder) / "hub").init()
        hub.run("import", corpus(asked.size) / "base.jsonl")
        hub.run("publish")
        for who in asked.who.split(","):
            for count in (int(one) for one in asked.desktops.split(",")):
                found = _measure(hub.home, Path(folder) / f"{who}-{count}", count, who == "members", asked)
                figures[f"{who}-{count}"] = found
                print(f"{count} {who}: {found}", file=sys.stderr)
    (BENCH / "neighbours.json").write_text(json.dumps(figures, indent=1))
    missed = _show(figures, asked)
    return 1 if missed else 0


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _show(figures: dict[str, Any], asked: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"bytes on one {asked.link} link, {asked.size:,} resources")
    for heading in ("desktops", "first sync", "beside one", "a day's news", "beside one", f"≤ {_TARGET}"):
        table.add_column(heading)
    missed = 0
    for who in asked.who.split(","):
        alone = figures.get(f"{who}-1")
        for count in asked.desktops.split(","):
            found = figures[f"{who}-{count}"]
            ratios = [found[one] / alone[one] if alone else 0.0 for one in ("first", "news")]
            ok = all(ratio <= _TARGET for ratio in ratios)
            missed += not ok
            first, news = f"{found['first']:,}", f"{found['news']:,}"
            table.add_row(
                f"{count} {who}", first, f"{ratios[0]:.3f}", news, f"{ratios[1]:.3f}", "ok" if ok else "MISSED"
            )
    Console().print(table)
    return missed


def _measure(template: Path, folder: Path, count: int, members: bool, asked: argparse.Namespace) -> dict[str, Any]:
    folder.mkdir()
    hub = HubProgram(copy_home(template, folder / "hub"))
    homes = [Home(folder / f"shelf-{number}") for number in range(1, count + 1)]
    port = int(hub.start().rsplit(":", 1)[1])
    for number, home in enumerate(homes):
        if members:
            enrol(home, hub.url, hub.invite(f"m{number}@ministry.example"), "bench")
        else:
            connect_guest(home, hub.url)
        with home.own() as own:
            own.set_setting(SHARING, True)
    hub.stop()
    counts = folder / "counts.json"
    with contextlib.ExitStack() as stack:
        stack.enter_context(_networks(count))
        link, gate = free_port(), free_port()
        inside = ("ip", "netns", "exec", _HUB)
        serve = (str(BIN / "hubshelf-hub"), "--home", str(hub.home), "serve", "--port", str(port), "--json")
        stack.enter_context(_process(*inside, *serve))
        stack.enter_context(
            _process(*inside, sys.executable, str(tool("link.py")), asked.link, str(link), f"127.0.0.1:{port}")
        )
        relay = (sys.executable, "-m", "tests.bench.neighbours", "--relay")
        stack.enter_context(_process(*inside, *relay, _GATE, str(gate), "127.0.0.1", str(link), str(counts)))
        for number in range(1, count + 1):
            near = ("ip", "netns", "exec", f"nb-{number}")
            stack.enter_context(_process(*near, *relay, "127.0.0.1", str(port), _GATE, str(gate), "/dev/null"))
        time.sleep(8)  # the hub listens by then: who finds nobody waits a minute before the next attempt
        began = time.monotonic()
        for number, home in enumerate(homes, 1):
            near = ("ip", "netns", "exec", f"nb-{number}")
            share = (
                str(BIN / "hubshelf"),
                "--home",
                str(home.path),
                "neighbours",
                "serve",
                "--every",
                str(_EVERY),
            )
            stack.enter_context(_process(*near, *share))
        _wait(homes, 1)
        first = {"first_s": round(time.monotonic() - began, 1), "first": _counted(counts)}
        hub.run("import", a_day(corpus(asked.size)))
        hub.run("publish")
        # What they moved since then was without news: of a look at the hub in each interval.
        before, began = _counted(counts), time.monotonic()
        _wait(homes, 2)
        time.sleep(3)
        news = {"news_s": round(time.monotonic() - began, 1), "news": _counted(counts) - before}
    taken = given = 0
    for home in homes:
        with home.own() as own:
            kept = own.setting(COUNTS)
        if isinstance(kept, dict):
            taken, given = taken + int(kept.get("taken", 0)), given + int(kept.get("given", 0))
    return {**first, **news, "taken": taken, "given": given}


def _wait(homes: list[Home], version: int) -> None:
    end = time.monotonic() + _LONGEST
    while not all(_has(home, version) for home in homes):
        if time.monotonic() > end:
            raise SystemExit(f"not all desktops came to version {version}")
        time.sleep(0.5)


def _has(home: Home, version: int) -> bool:
    with home.library() as library, home.own() as own:
        head, complete = library.head(), own.setting("complete_at")
    whole = isinstance(complete, list) and list(complete[:2])
    return head is not None and head.version >= version and whole == [head.epoch, head.version]


def _counted(counts: Path) -> int:
    time.sleep(0.6)  # it is written every half second
    found = json.loads(counts.read_text())
    return int(found["up"]) + int(found["down"])


@contextlib.contextmanager
def _networks(count: int) -> Iterator[None]:
    """A bridge with the hub's gate and so many desktops on it, each in a namespace of its own."""
    names = [_HUB, *(f"nb-{number}" for number in range(1, count + 1))]
    try:
        _ip("link", "add", "nb-lan", "type", "bridge")
        _ip("link", "set", "nb-lan", "up")
        for number, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"nbv{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"nbv{number}", "master", "nb-lan", "up")
            address = _GATE if name == _HUB else f"10.77.1.{number}"
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "route", "add", "default", "dev", "eth0")
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", "nb-lan"], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@contextlib.contextmanager
def _process(*command: str) -> Iterator[None]:
    quiet = {"HUBSHELF_KEYRING": "off", "QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **quiet}
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _relay(host: str, port: str, to: str, to_port: str, counts: str) -> None:
    """Pass connections on, and write what passed to a file twice a second."""
    moved = {"up": 0, "down": 0, "connections": 0}

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        try:
            while piece := await reader.read(65536):
                moved[way] += len(piece)
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.transport.abort()

    async def serve(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        moved["connections"] += 1
        try:
            far, far_out = await asyncio.open_connection(to, int(to_port))
        except OSError:
            near_out.transport.abort()
            return
        await asyncio.gather(carry(near, far_out, "up"), carry(far, near_out, "down"))
        near_out.close()
        far_out.close()

    async with await asyncio.start_server(serve, host, int(port)):
        while True:
            Path(counts).write_text(json.dumps(moved))
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    raise SystemExit(main())
