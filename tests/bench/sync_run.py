"""`make bench-sync`: what the wire carries, measured through emulated links and printed beside its targets.

    python -m tests.bench.sync_run [--only t2,t3] [--skip t1-vsat,gap] [--hundred-thousand] [--tun] [--list]

Bytes and requests hold anywhere; seconds on lan and loopback depend on the machine. The table
also shows what earlier runs measured and this one did not repeat; build/bench/sync.json keeps all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.sync_corpus import BENCH
from tests.bench.sync_hub import LARGE
from tests.bench.sync_links import ToolsMissing, tool
from tests.bench.sync_stage import source_digest
from tests.bench.sync_tasks import TASKS, Bench, Task, facts_of
from tests.bench.sync_tun import TUN, why_not

KEPT = BENCH / "sync.json"


def main() -> int:
    chosen, options = _arguments()
    BENCH.mkdir(parents=True, exist_ok=True)
    # Leave through the context managers: they end the hubs and links that this process started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        tool("link.py")
    except ToolsMissing as missing:
        print(missing)
        return 0
    digest = source_digest()
    bench = Bench(digest, options.size)
    failed = []
    for name, task in chosen.items():
        print(f"{name}: {(task.__doc__ or '').splitlines()[0]}", file=sys.stderr)
        started = time.monotonic()
        try:
            result = facts_of(task(bench))
        except (AssertionError, ToolsMissing, OSError) as error:
            # One part that fails must not cost the others their minutes.
            failed.append(name)
            result = {"figures": [], "syncs": [], "skipped": f"failed: {error}"}
        result |= {"measured": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "source": digest}
        _keep(name, {**result, "size": options.size, "took": round(time.monotonic() - started, 1)})
    _print_table(set(chosen), digest)
    return 1 if failed else 0


def _arguments() -> tuple[dict[str, Task], argparse.Namespace]:
    everything = {**TASKS, **LARGE, **TUN}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="parts to run, separated by commas")
    parser.add_argument("--skip", default="", help="parts to leave out")
    parser.add_argument(
        "--hundred-thousand", action="store_true", help="the hub with 100,000 resources too (long)"
    )
    parser.add_argument("--tun", action="store_true", help="through the packet-level emulator too (root)")
    parser.add_argument("--size", type=int, default=10_000, help="resources in the large corpus (targets: 10,000)")
    parser.add_argument("--list", action="store_true", help="name the parts and what earlier runs measured")
    options = parser.parse_args()
    chosen = dict(TASKS)
    if options.hundred_thousand:
        chosen |= LARGE
    if options.tun:
        refusal = why_not()
        if refusal:
            print(refusal)
        else:
            chosen |= TUN
    if options.only:
        asked = options.only.split(",")
        unknown = [name for name in asked if name not in everything]
        if unknown:
            parser.error(f"unknown parts: {', '.join(unknown)}; there are {', '.join(everything)}")
        chosen = {name: everything[name] for name in asked}
    for name in filter(None, options.skip.split(",")):
        chosen.pop(name, None)
    if options.list:
        for name, task in everything.items():
            print(f"{name:10} {(task.__doc__ or '').splitlines()[0]}")
        chosen = {}
    return chosen, options


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    return kept


def _keep(name: str, result: dict[str, Any]) -> None:
    KEPT.write_text(json.dumps({**_kept(), name: result}, indent=1, ensure_ascii=False))


def _print_table(now: set[str], digest: str) -> None:
    kept = _kept()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table(title=f"The wire, source {digest}; {machine}; links emulated by link.py")
    for heading in ("part", "figure", "measured", "target", ""):
        table.add_column(heading, justify="right" if heading == "measured" else "left")
    for part in [*TASKS, *LARGE, *TUN]:
        if part not in kept:
            continue
        result = kept[part]
        age = "" if part in now else " (earlier)" if result["source"] == digest else " (other source)"
        if result["size"] != 10_000:
            age += f" N={result['size']:,}"
        if result["skipped"]:
            table.add_row(part + age, result["skipped"], "", "", "")
        for number, figure in enumerate(result["figures"]):
            verdict = {None: "", True: "ok", False: "—"}[figure["ok"]]
            style = "red" if figure["ok"] is False else "dim" if age else None
            label = part + age if not number else ""
            table.add_row(label, figure["name"], figure["shown"], figure["target"], verdict, style=style)
        table.add_section()
    Console(width=None if sys.stdout.isatty() else 130).print(table)


if __name__ == "__main__":
    sys.exit(main())
