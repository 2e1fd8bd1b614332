"""One window for each shelf and person: a second start hands what it was asked for to the first, and ends.

Who holds `window.lock` in the shelf's folder has the window; the system lets the lock go when its holder dies.
The window listens on a socket beside it (on Windows a named pipe) that only the same person can reach. What is
said there is one line of JSON each way, `{"open": LINK}` with a link of `desktop.links` or "" to come to the
front, then `{"ok": true}` or `{"ok": false, "reason": …}`. It can ask for nothing else.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.links import LONGEST, REASONS, LinkRefused, place_of_link
from desktop.navigation import Place
from sync.locks import FolderLock

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

_LINE = LONGEST + 100
"""Bytes of a question or an answer."""
_CALLERS = 8
"""Callers at a time; each gets `_TURN_MS` to ask."""
_TURN_MS = 2_000
_PATH = 80
"""Bytes of a socket's path; systems take 104 or 108, and Qt makes the socket beside it under a longer name."""
_ASK_MS = 1_500


class NotAnswering(Exception):
    """Somebody holds the window of this shelf and does not answer."""

    code = "not-answering"
    advice = "Wait a moment and try again. If it goes on, restart the computer."


class WindowLock:
    """Says which program has the window of a shelf."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = FolderLock(home / "window.lock")

    def take(self) -> bool:
        """Take the window; False where another program has it. A folder that takes no lock has no second one."""
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._lock.take()
        except OSError:
            return True

    def release(self) -> None:
        """Let the next one have it."""
        self._lock.release()


def addresses(home: Path) -> list[str]:
    """Where the window of `home` may be reached, best first."""
    import hashlib  # slow to load; a window is painted before it listens

    home = home.resolve()
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    if sys.platform == "win32":
        return [f"hubshelf-{hashlib.sha256(os.fsencode(Path.home())).hexdigest()[:8]}-{name}"]
    found = [str(home / "window.socket")]
    # A folder on a share or with a long name takes no socket.
    if (private := _private_folder(f"hubshelf-{os.getuid()}")) is not None:
        found.append(str(private / f"{name}.socket"))
    return [path for path in found if len(os.fsencode(path)) <= _PATH]


def _private_folder(name: str) -> Path | None:
    """A folder for this person alone among everybody's temporary files; None where somebody else has the name."""
    from tempfile import gettempdir

    path = Path(gettempdir()) / name
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return path if ours else None


class Door(QObject):
    """Listens for later starts; `asked` gives the place that one of them wants shown (None: come to the front)."""

    asked = Signal(object)
    refused = Signal(object)  # a LinkRefused: whoever followed the link sits before this window

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home = home
        self._server: QLocalServer | None = None
        self._callers: list[QLocalSocket] = []

    def open(self) -> bool:
        """Begin to listen; False where no address can be had (a second start then says that nobody answers).

        Only for the holder of the lock: what is left of an earlier window is swept away.
        """
        from PySide6.QtNetwork import QLocalServer

        if self._server is not None:
            return True
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.setMaxPendingConnections(_CALLERS)
        server.newConnection.connect(self._called)
        for address in addresses(self._home):
            QLocalServer.removeServer(address)
            if server.listen(address):
                self._server = server
                return True
        return False

    def close(self) -> None:
        """Listen no longer."""
        for caller in [*self._callers]:
            caller.abort()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _called(self) -> None:
        while self._server is not None and (caller := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= _CALLERS:
                caller.abort()
                caller.deleteLater()
                continue
            self._callers.append(caller)
            caller.setReadBufferSize(_LINE + 1)
            caller.readyRead.connect(lambda caller=caller: self._heard(caller))
            caller.disconnected.connect(lambda caller=caller: self._left(caller))
            QTimer.singleShot(_TURN_MS, caller, caller.abort)
            self._heard(caller)

    def _left(self, caller: QLocalSocket) -> None:
        if caller in self._callers:
            self._callers.remove(caller)
            caller.deleteLater()

    def _heard(self, caller: QLocalSocket) -> None:
        if not caller.canReadLine():
            if caller.bytesAvailable() > _LINE:
                caller.abort()
            return
        line = bytes(caller.readLine(_LINE + 1).data())
        answer: dict[str, Any] = {"ok": True}
        try:
            self.asked.emit(_read_question(line))
        except LinkRefused as refused:
            answer = {"ok": False, "reason": refused.reason}
            self.refused.emit(refused)
        caller.write(json.dumps(answer).encode() + b"\n")
        caller.flush()
        caller.disconnectFromServer()


def _read_question(line: bytes) -> Place | None:
    """The place that is asked for, None for none. Raises LinkRefused for whatever is not a question."""
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        raise LinkRefused("not-a-link") from None
    link = question.get("open") if isinstance(question, dict) else None
    if not isinstance(link, str) or len(question) != 1:
        raise LinkRefused("not-a-link")
    return place_of_link(link) if link else None


def hand_over(home: Path, link: str) -> bool:
    """Ask the window of `home` to show `link` ("" to come to the front); False where none answers.

    Raises LinkRefused where the window refuses it. Waits some seconds at most.
    """
    from PySide6.QtNetwork import QLocalSocket

    for address in addresses(home):
        socket = QLocalSocket()
        socket.connectToServer(address)
        if not socket.waitForConnected(_ASK_MS):
            continue
        socket.write(json.dumps({"open": link}).encode() + b"\n")
        end = time.monotonic() + _ASK_MS / 1000
        while not socket.canReadLine() and socket.bytesAvailable() <= _LINE and time.monotonic() < end:
            if not socket.waitForReadyRead(100) and socket.state() != QLocalSocket.LocalSocketState.ConnectedState:
                break
        line = bytes(socket.readLine(_LINE + 1).data())
        socket.abort()
        if line.endswith(b"\n"):
            _require_taken(line)
            return True
    return False


def _require_taken(line: bytes) -> None:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(answer, dict) and answer.get("ok") is False:
        reason = answer.get("reason")
        raise LinkRefused(next((known for known in REASONS if known == reason), "not-a-link"))


def take_or_hand_over(home: Path, lock: WindowLock, link: str = "", patience: float = 10.0) -> bool:
    """True where this program is to open the window; False where another one has it and did what was asked.

    Raises NotAnswering after `patience` seconds, LinkRefused.
    """
    end = time.monotonic() + patience
    while not lock.take():
        # It may just be starting, and not listen yet, or be about to end.
        if hand_over(home, link):
            return False
        if time.monotonic() > end:
            raise NotAnswering("Hubshelf is open on this shelf, but does not answer.")
        time.sleep(0.1)
    return True
