"""The emulated links: `link.py` of the folder of measuring tools, one process a measurement.

The tools are no part of the project; where their folder is missing nothing can be measured, and that is said.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT.parent / "shared" / "bench"

BANDWIDTH = {"lan": 50_000_000, "3g": 1_000_000, "vsat": 512_000, "flaky": 256_000, "gprs": 40_000}
"""Bits a second towards the shelf, as the emulator has them."""


class ToolsMissing(Exception):
    """The emulators or the corpus generator are not on this machine; the message says where they belong."""


def tool(name: str) -> Path:
    """The path of a measuring tool; raises ToolsMissing."""
    path = TOOLS / name
    if not path.is_file():
        raise ToolsMissing(
            f"The measuring tool {name} is not there: it belongs into {TOOLS}, beside the project. "
            "Nothing was measured through an emulated link."
        )
    return path


def need_wordfreq() -> None:
    """Raise ToolsMissing, saying how to install it, where the vocabulary package is not importable."""
    if importlib.util.find_spec("wordfreq") is None:
        raise ToolsMissing(
            "The corpus is made with the package wordfreq, which only this benchmark needs. Install it with: "
            f"{sys.executable} -m pip install wordfreq"
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Link:
    """One running emulator in front of 127.0.0.1:`upstream`; on a flaky link its first 20 s up begin now.

    `stop()` ends it and returns what it counted: `down up conns refused dirchg stalls cuts` (TCP payload).
    """

    def __init__(self, profile: str, upstream: int) -> None:
        self.profile = profile
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = subprocess.Popen(
            [sys.executable, tool("link.py"), profile, str(self.port), f"127.0.0.1:{upstream}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.counted: dict[str, int] = {}
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.01)

    def stop(self) -> dict[str, int]:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                printed, _ = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                printed, _ = process.communicate()
            lines = printed.splitlines()
            self.counted = json.loads(lines[-1]) if lines else {}
        return self.counted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
