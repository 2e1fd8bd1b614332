"""A web server that knows nothing of Hubshelf: files of a folder, with ranges; by WebDAV they can be put there."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class StaticServer:
    """`asked`: the lines of its requests. `fails_after`: so many more files are taken, then it answers 503."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    user: str = ""
    slow: float = 0.0
    """Seconds before each answer."""
    fails_after: int | None = None
    served: int = 0
    """Bytes."""

    def of(self, method: str) -> list[str]:
        """The paths that were asked for with a method."""
        return [line.split(" ", 1)[1] for line in self.asked if line.startswith(f"{method} ")]


@contextmanager
def static_server(folder: Path, *, user: str = "", slow: float = 0.0) -> Iterator[StaticServer]:
    """Serve `folder`; with `user` ("name:password") only to who says so."""
    found = StaticServer(folder, user=user, slow=slow)

    class Files(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with suppress(OSError):
                super().handle_one_request()

        def _begin(self) -> Path | None:
            found.asked.append(f"{self.command} {self.path}")
            time.sleep(found.slow)
            shown = "Basic " + base64.b64encode(found.user.encode()).decode()
            if found.user and self.headers.get("Authorization") != shown:
                self._say(401)
                return None
            assert ".." not in self.path
            return found.folder / self.path.lstrip("/")

        def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self._begin()
            if path is None:
                return
            if not path.is_file():
                self._say(404)
                return
            body, wanted = path.read_bytes(), _RANGE.fullmatch(self.headers.get("Range", ""))
            kind = {"Content_Type": "application/octet-stream"}
            if wanted is None:
                found.served += len(body)
                self._say(200, body, **kind)
                return
            first = int(wanted[1])
            end = min(len(body), int(wanted[2]) + 1) if wanted[2] else len(body)
            if first >= end:
                self._say(416, Content_Range=f"bytes */{len(body)}")
                return
            found.served += end - first
            self._say(206, body[first:end], Content_Range=f"bytes {first}-{end - 1}/{len(body)}", **kind)

        def do_HEAD(self) -> None:
            path = self._begin()
            if path is not None and path.is_file():
                self.send_response(200)
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
            elif path is not None:
                self._say(404)

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self._begin()
            if path is None:
                return
            if found.fails_after == 0:
                self._say(503)
                return
            if found.fails_after is not None:
                found.fails_after -= 1
            if not path.parent.is_dir():
                self._say(409)
                return
            path.write_bytes(body)
            self._say(201)

        def do_MKCOL(self) -> None:
            path = self._begin()
            if path is None:
                return
            if path.is_dir():
                self._say(405)
                return
            path.mkdir()
            self._say(201)

        def do_DELETE(self) -> None:
            path = self._begin()
            if path is None:
                return
            existed = path.is_file()
            path.unlink(missing_ok=True)
            self._say(204 if existed else 404)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
