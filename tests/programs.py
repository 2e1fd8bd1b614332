"""The real programs as tests use them: a hub process on a socket, a shelf's command line, and a hub's hands.

Everything runs in folders of its own; every process is ended by the object that started it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sync.locks import FolderLock

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[1]
_QUIET = {"HUBSHELF_KEYRING": "off", "QT_QPA_PLATFORM": "offscreen", "PYTHONUNBUFFERED": "1"}


class CommandFailed(AssertionError):
    """A command ended with another exit code than the test expected."""


def command(
    program: str, *arguments: str | Path, home: Path, expect: int = 0, extra: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run `program --home HOME ARGUMENTS --json`; return the one JSON document on its standard output."""
    done = subprocess.run(
        [BIN / program, "--home", home, *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **_QUIET, **(extra or {})},
        check=False,
    )
    if done.returncode != expect or "Traceback" in done.stderr:
        raise CommandFailed(f"{program} {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write native exchange records as JSON Lines and return the path."""
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


class HubProgram:
    """A hub in a folder: its command line, and its server process while it runs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self._server: subprocess.Popen[str] | None = None
        self._hands: subprocess.Popen[str] | None = None

    def run(self, *arguments: str | Path, expect: int = 0) -> dict[str, Any]:
        """Run one `hubshelf-hub` command."""
        return command("hubshelf-hub", *arguments, home=self.home, expect=expect)

    def init(self, *, own_keys: bool = False) -> Self:
        """Make the hub, as a copy of one that was made once for all tests: that saves three seconds. `own_keys`:
        it is made for itself, for tests to which hubs must be strangers."""
        shared = os.environ.get("HUBSHELF_TESTS_SHARED")
        if shared is None or own_keys or self.home.exists():
            self.run("init", "--email", "facilitator@hub.example")
        else:
            copy_home(_template(Path(shared)), self.home)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str | Path) -> str:
        """Serve on the same port as before (a free one at first), with more options of `hubshelf-hub serve`.

        Returns the address for plain http, once it listens.
        """
        assert self._server is None
        self._server = subprocess.Popen(
            [BIN / "hubshelf-hub", "--home", self.home, "serve", "--port", str(self.port), *options, "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_QUIET},
            start_new_session=True,
        )
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        if not line:
            raise CommandFailed(f"the hub in {self.home} did not start")
        self.port = int(json.loads(line)["address"].rsplit(":", 1)[1])
        return self.url

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server and its workers; SIGKILL is a power cut."""
        server, self._server = self._server, None
        if server is None:
            return
        if how is signal.SIGKILL:
            os.killpg(server.pid, how)
        else:
            server.send_signal(how)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(15)
        assert server.stdout is not None
        server.stdout.close()

    @property
    def serving(self) -> bool:
        return self._server is not None

    def invite(self, email: str = "officer@ministry.example") -> str:
        code: str = self.run("invite", email)["code"]
        return code

    def do(self, action: str, **arguments: Any) -> Any:
        """Have a hand of the hub (tests/hub_hand.py: one process, real functions) do something, quickly."""
        if self._hands is None:
            self._hands = subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "hub_hand.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **_QUIET, "HUBSHELF_HUB_HOME": str(self.home), "PYTHONPATH": str(ROOT)},
            )
        hands = self._hands
        assert hands.stdin is not None
        assert hands.stdout is not None
        hands.stdin.write(json.dumps({"action": action, **arguments}) + "\n")
        hands.stdin.flush()
        answer = json.loads(hands.stdout.readline())
        if "error" in answer:
            raise CommandFailed(answer["error"])
        return answer["result"]

    def rest(self) -> None:
        """End the hand: it holds the database open, which a restore must not find."""
        hands, self._hands = self._hands, None
        if hands is not None:
            assert hands.stdin is not None
            assert hands.stdout is not None
            hands.stdin.close()
            hands.wait(15)
            hands.stdout.close()

    def close(self) -> None:
        self.rest()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ShelfProgram:
    """A shelf in a folder, through its command line."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path, expect: int = 0) -> dict[str, Any]:
        """Run one `hubshelf` command."""
        return command("hubshelf", *arguments, home=self.home, expect=expect)

    def enrol(self, hub: HubProgram, email: str = "officer@ministry.example") -> Self:
        self.run("enrol", hub.url, hub.invite(email))
        return self

    def ask(self, title: str, body: str = "How is it done elsewhere?", **options: str | Path) -> dict[str, Any]:
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / "question.txt"
        file.write_text(body, encoding="utf-8")
        extra = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        return self.run("ask", "--title", title, "--body-file", file, *extra)


def _template(shared: Path) -> Path:
    """A hub that was just made, in a folder of all workers: who comes first makes it, the others wait."""
    made, lock = shared / "hub", FolderLock(shared / "hub.lock")
    while not made.exists():
        if lock.take():
            try:
                if not made.exists():
                    aside = shared / "hub-coming"
                    command("hubshelf-hub", "init", "--email", "facilitator@hub.example", home=aside)
                    aside.rename(made)
            finally:
                lock.release()
        else:
            time.sleep(0.1)
    return made


def copy_home(template: Path, target: Path) -> Path:
    """Copy a prepared home (of a hub or a shelf that is not running); seconds cheaper than making one."""
    shutil.copytree(template, target)
    return target
