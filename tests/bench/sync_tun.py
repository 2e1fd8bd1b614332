"""The same tasks through the packet-level emulator, where root and /dev/net/tun allow it.

The hub serves in the network namespace `hub`, the shelf runs in `edgeK`; the kernel's own TCP runs between them.
The shelf speaks plain http to loopback only, so a counter in its namespace passes its connections on to the hub.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.sync_corpus import corpus, question
from tests.bench.sync_counter import Counted
from tests.bench.sync_links import ROOT, TOOLS, free_port, tool
from tests.bench.sync_stage import Shelf, Stage
from tests.bench.sync_tasks import LINKS, Bench, Result
from tests.programs import BIN, HubProgram

_FIRST = 60  # numbers of the namespaces edge60, edge61 and so on


def why_not() -> str:
    """In words, what keeps this machine from it; empty where nothing does."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "The packet-level emulator needs root: its part was not measured."
    if not Path("/dev/net/tun").exists() or shutil.which("ip") is None:
        return "The packet-level emulator needs /dev/net/tun and the command ip: its part was not measured."
    if not (TOOLS / "link_tun.py").is_file():
        return f"The packet-level emulator is not there: it belongs into {TOOLS}."
    return ""


def _emulator() -> Any:
    spec = importlib.util.spec_from_file_location("link_tun", tool("link_tun.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TunCounts:
    """The emulator's counts of TCP payload (retransmissions included) in the shape that a shelf asks for."""

    def __init__(self, link: Any, port: int) -> None:
        self.upstream = 0
        self.url = f"http://127.0.0.1:{port}"
        self._link = link

    def counted(self) -> Counted:
        found = self._link.c
        return Counted(found["up_payload"], found["down_payload"], found["conns"])


@contextlib.contextmanager
def _process(*command: str | Path, starts_with: str, extra: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program that prints a line once it listens, until the block ends."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HUBSHELF_KEYRING": "off", "PYTHONUNBUFFERED": "1", **(extra or {})},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if starts_with not in line:
            raise AssertionError(f"{command} did not start: {line}")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextlib.contextmanager
def _network(name: str) -> Iterator[None]:
    """The emulator makes this namespace where it is missing and leaves it; take away what was not there before."""
    there = Path("/var/run/netns", name).exists()
    try:
        yield
    finally:
        if not there:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextlib.contextmanager
def _scene(prepared: Stage, profile: str, number: int, hub: str = "hub") -> Iterator[tuple[Shelf, Any]]:
    """A fresh copy of the stage with its hub and shelf at the two ends of an emulated link."""
    port = int(prepared.facts["port"])
    with _network("hub"), prepared.homes(hub) as home, _emulator().Link(number, profile) as link:
        server, serving = f"10.77.{number}.1", free_port()
        program = HubProgram(home / "hub")
        serve = ("hubshelf-hub", "--home", str(home / "hub"), "serve", "--host", server, "--port", str(serving))
        inside: tuple[str, ...] = ("ip", "netns", "exec", "hub", str(BIN / serve[0]), *serve[1:], "--json")
        relay = (sys.executable, "-m", "tests.bench.sync_counter", str(port), server, str(serving))
        allowed = {"HUBSHELF_HUB_HOSTS": f"127.0.0.1,localhost,{server}"}
        with (
            _process(*inside, starts_with="address", extra=allowed),
            _process("ip", "netns", "exec", link.edge, *relay, starts_with="listening"),
        ):
            shelf = Shelf(home / "shelf", TunCounts(link, port), program)
            shelf.prefix = ("ip", "netns", "exec", link.edge)
            yield shelf, link


def _small(bench: Bench, what: str, act: Callable[[Shelf], None], hub: str, most: int, number: int) -> Result:
    result = Result()
    for offset, profile in enumerate(LINKS):
        with _scene(bench.stage(), profile, number + offset, hub) as (shelf, link):
            act(shelf)
            link.reset()
            sync = result.note(shelf.sync_through(what, profile))
        result.add(f"{what} bytes both ways on {profile} (packets)", sync.both, most=most)
        result.add(f"{what} requests on {profile} (packets)", sync.report["requests"], most=1)
        result.add(f"{what} seconds on {profile} (packets)", sync.seconds, "s")
    return result


def tun_day(bench: Bench) -> Result:
    """T2 through the packet-level emulator."""
    return _small(bench, "T2", lambda shelf: None, "hub-day", 70_000, _FIRST)


def tun_idle(bench: Bench) -> Result:
    """T3 through the packet-level emulator."""
    return _small(bench, "T3", lambda shelf: None, "hub", 480, _FIRST + 5)


def tun_question(bench: Bench) -> Result:
    """T4 through the packet-level emulator."""
    asked = question(corpus(bench.size))
    return _small(bench, "T4", lambda shelf: shelf.ask(asked), "hub", 1000, _FIRST + 10)


def tun_flaky(bench: Bench) -> Result:
    """T1 of the small corpus over 20 s up, 20 s down: connections reset, and packets lost in silence."""
    result = Result()
    n = f"{bench.small:,}"
    calm = calm_http = 0
    for offset, profile in enumerate(("lan", "flaky", "flakybh")):
        with _scene(bench.small_stage(), profile, _FIRST + 15 + offset) as (shelf, link):
            new = Shelf(shelf.home.parent / "new", shelf.counter, shelf.hub)
            new.prefix = shelf.prefix
            if profile != "lan":
                link.phase(20.0)
            new.enrol("tun@ministry.example")
            time.sleep(0.5)
            link.reset()
            if profile != "lan":
                link.phase(20.0)
            sync = result.note(new.sync_through("T1 small", profile))
            cuts = link.c["cuts"]
            whole = link.c["down"] + link.c["up"]
        if profile == "lan":
            calm, calm_http = sync.down, sync.report["bytes_down"]
            continue
        result.add(f"T1 of {n} on {profile} (packets), seconds", sync.wall, "s", most=105)
        result.add(f"T1 of {n} on {profile} (packets), cuts", cuts)
        result.add(f"T1 of {n} on {profile} (packets), payload bytes both ways", sync.both)
        result.add(f"T1 of {n} on {profile} (packets), IP bytes both ways", whole)
        again = max(0, sync.down - calm) / max(1, cuts)
        arrived = max(0, sync.report["bytes_down"] - calm_http) / max(1, cuts)
        result.add(f"HTTP bytes more than on lan, a cut, on {profile} (packets)", arrived, most=16384)
        # What was sent again, and what lay in the emulated router's queue of 64 KiB, counts too.
        result.add(f"payload bytes more than on lan, a cut, on {profile} (packets)", again, most=16384)
    return result


TUN: dict[str, Callable[[Bench], Result]] = {
    "tun-flaky": tun_flaky,
    "tun-t2": tun_day,
    "tun-t3": tun_idle,
    "tun-t4": tun_question,
}
