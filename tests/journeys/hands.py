"""What a test does with the hand of tests/journeys/window_hand.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.programs import ROOT

PATIENCE_S = 20.0


class Window:
    """The window of `home` in a process of its own, at which a person sits."""

    def __init__(self, home: Path, *, under: Sequence[str] = (), extra: dict[str, str] | None = None) -> None:
        """`under`: a command that runs the rest of its own; `extra`: more of the environment."""
        self.process = subprocess.Popen(
            [*under, sys.executable, str(ROOT / "tests" / "journeys" / "window_hand.py"), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "HUBSHELF_KEYRING": "off",
                "QT_QPA_PLATFORM": "offscreen",
                "LANG": "C.UTF-8",
                "PYTHONPATH": str(ROOT),
                **(extra or {}),
            },
        )

    def do(self, what: str, **given: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": what, **given}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"the window is gone: {self.process.stderr.read()[-2000:]}")
        return json.loads(line)

    def sees(self, *words: str) -> bool:
        seen = "\n".join(self.do("see"))
        return all(one in seen for one in words)

    def waits_for(self, *words: str) -> None:
        """Until all of these are to be read somewhere in the window."""
        end = time.monotonic() + PATIENCE_S
        while not self.sees(*words):
            if time.monotonic() > end:
                raise AssertionError(f"never seen: {words}; but: {self.do('see')}")
            time.sleep(0.05)

    def waits_for_row(self, *words: str) -> None:
        """Until all of these are to be read in one line of a list."""
        end = time.monotonic() + PATIENCE_S
        while not any(all(one in line for one in words) for line in self.do("see")):
            if time.monotonic() > end:
                raise AssertionError(f"never seen: {words}; but: {self.do('see')}")
            time.sleep(0.05)

    def clicks(self, name: str, *, starts: bool = False) -> None:
        """The button that is called so, or whose words start so."""
        end = time.monotonic() + PATIENCE_S
        while not self.do("click", name=name, starts=starts):
            assert time.monotonic() < end, f"no button {name!r}: {self.do('see')}"
            time.sleep(0.05)

    def types(self, name: str, words: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.do("type", name=name, words=words):
            assert time.monotonic() < end, f"no field {name!r}: {self.do('see')}"
            time.sleep(0.05)

    def opens_sync(self) -> None:
        """By the pill at the end of the top line, which says how things stand."""
        end = time.monotonic() + PATIENCE_S
        while not any(self.do("click", name=name, starts=True) for name in ("In step", "Not in step", "Syncing")):
            assert time.monotonic() < end, self.do("see")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait(15)

    def close(self) -> None:
        if self.process.poll() is None:
            try:
                self.do("quit")
                self.process.wait(15)
            except (AssertionError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait(15)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
