"""Records a conversation between the client and the hub of this checkout, to be read for good by later ones.

    python tests/compatibility/record.py FOLDER

Made once for each version of the wire, with that version's own code (`git archive` it and put it first on
PYTHONPATH). The token is 64 times `5`, nonces are runs of one digit, `1` in the first sync, `2` in the second.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.engine import enrol, sync_once
from sync.home import Home
from sync.transport import HttpTransport, Reply, Request

TOKEN = "5" * 64
_ANSWER_HEADERS = ("Content-Type", "Content-Range", "ETag", "Hubshelf-MAC")
_SENT_HEADERS = ("Authorization", "Content-Type", "If-None-Match", "Range")
_FACILITATORS = "import sys; sys.argv[0] = 'hubshelf-hub'; from hub.cli import main; main()"
RECORDS: list[dict[str, Any]] = [
    {
        "id": f"r-{number}",
        "type": "resource",
        "title": title,
        "summary": "How schools without a link keep a library of their own.",
        "lang": lang,
        "themes": ["capacity-and-culture"],
        "updated": "2026-05-01T08:00:00Z",
        "text": "Rain, radio and chalk.\n\nGoats and mangoes.\n\n" * 3,
    }
    for number, (title, lang) in enumerate([("Écoles sans réseau", "fr"), ("Schools without a link", "en")])
]


class Recorder(HttpTransport):
    """The client's own transport, which keeps what it sends and gets."""

    def __init__(self, base: str | None) -> None:
        super().__init__(base)
        self.said: list[dict[str, Any]] = SAID

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        with super().open(request) as reply:
            body = b"".join(reply.pieces())
            self.said.append(
                {
                    "method": request.method,
                    "path": request.path,
                    "headers": {key: value for key, value in request.headers.items() if key in _SENT_HEADERS},
                    "body": as_json(request.body or b""),
                    "status": reply.status,
                    "answer_headers": {key: reply.headers[key] for key in _ANSWER_HEADERS if key in reply.headers},
                    "answer": as_json(body),
                }
            )
            yield _Again(reply, body)


SAID: list[dict[str, Any]] = []


class _Again:
    def __init__(self, reply: Reply, body: bytes) -> None:
        self.status, self.headers, self._body = reply.status, reply.headers, body

    def pieces(self) -> Iterator[bytes]:
        if self._body:
            yield self._body


def as_json(data: bytes) -> dict[str, str]:
    """Bytes as they stand in a recording: text where they are text."""
    try:
        return {"text": data.decode("ascii")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def main() -> None:
    folder = Path(sys.argv[1])
    place = Path(tempfile.mkdtemp(prefix="hubshelf-record-"))
    os.environ.update(HUBSHELF_HUB_HOME=str(place / "hub"), HUBSHELF_KEYRING="off", PYTHONUNBUFFERED="1")
    try:
        said = _converse(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, one in enumerate(said):
        name = "-".join(one["path"].split("/")[3:4]) or "other"
        text = json.dumps(one, indent=1, sort_keys=True, ensure_ascii=True)
        (folder / f"{number:02}-{name}.json").write_text(text + "\n", encoding="ascii")


def _converse(place: Path) -> list[dict[str, Any]]:
    _run(place, "init", "--email", "facilitator@hub.example")
    records = place / "records.jsonl"
    _import(place, records, RECORDS)
    code = json.loads(_run(place, "invite", "officer@ministry.example"))["code"]
    command = [sys.executable, "-c", _FACILITATORS, "--home", str(place / "hub"), "serve", "--port", "0", "--json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["address"]
        home = Home(place / "shelf")
        _fixed("5")
        enrol(home, url, code, "Room 12", connect=Recorder)
        with home.own() as own:
            own.outbox.add(
                "ask",
                "Solar tablets?",
                {"kind": "question", "title": "Solar tablets?", "body": "Für Schulen. 学校"},
            )
        _sync(home, url, "1")
        _import(place, records, [{**RECORDS[0], "title": "Écoles sans réseau, deux ans après"}])
        _sync(home, url, "2")
        _sync(home, url, "3")
        with Recorder(url) as transport:
            for path in ("/p/v1/head", "/p/v1/root/1"):
                with transport.open(Request("GET", path)):
                    pass
    finally:
        server.terminate()
        server.wait(15)
    return SAID


def _sync(home: Home, url: str, digit: str) -> None:
    _fixed(digit)
    with Recorder(url) as transport:
        report = sync_once(home, transport)
    assert report.up_to_date, report


def _fixed(digit: str) -> None:
    """From now on what is drawn at random is this digit again and again."""

    def drawn(size: int | None = None) -> str:
        return digit * (2 * (size or 32))

    secrets.token_hex = drawn
    secrets.token_bytes = lambda size=None: bytes.fromhex(drawn(size))


def _import(place: Path, file: Path, records: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    _run(place, "import", str(file))
    _run(place, "publish")


def _run(place: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", _FACILITATORS, "--home", str(place / "hub"), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
