"""A real server on loopback that answers as sources do: files, tokens, conditions, failures."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Server:
    """Serves files; `answers` by path: (status, headers, body). OAI: `list_records` is the first page's file,
    tokens are names of files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.list_records = ""
        self.asked: list[str] = []
        self.fail_after = 10_000
        self.conditions: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.conditions.append(self.headers.get("If-None-Match", ""))
                status, headers, body = outer.answer(self.path, self.headers.get("If-None-Match", ""))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, condition: str) -> tuple[int, dict[str, str], bytes]:
        if len(self.asked) > self.fail_after:
            return 500, {}, b"away"
        parts = urlsplit(path)
        if parts.path in self.answers:
            status, headers, body = self.answers[parts.path]
            if condition and headers.get("ETag") == condition:
                return 304, {}, b""
            return status, headers, body
        query = parse_qs(parts.query)
        name = query.get("resumptionToken", [self.list_records])[0]
        if query.get("verb") == ["ListRecords"] and name:
            return 200, {"Content-Type": "text/xml"}, (self.folder / name).read_bytes()
        return 404, {}, b"nothing"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
