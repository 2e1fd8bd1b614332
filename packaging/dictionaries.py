"""Make the dictionaries that messages are coded against: `python packaging/dictionaries.py TARGET`.

Both sides need the same bytes, so those of a wire version are made once, checked in under
sync/protocol/dictionaries/<version>/ and named by their SHA-256 in sync/protocol/dictionaries/__init__.py. A later
sample library changes nothing about them; better ones are a new wire version. The text is that of hub/sample, what
members write last (nearest to what is coded); `skeleton` has the keys and phrases of the messages themselves.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "hub" / "sample"
LANGUAGES = ("en", "fr", "ar", "es", "pt", "sw")
MOST = 48 * 1024
_FIELDS = ("title", "summary", "text", "name", "body")
_LAST = ("summary", "thread", "message")
_ID = "01990000-0000-7000-8000-000000000000"
_DIGEST = "0123456789abcdef" * 2


def main(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    made = {"skeleton": skeleton()} | {lang: language(lang) for lang in LANGUAGES}
    for name, data in made.items():
        (target / f"{name}.txt").write_bytes(data)
        print(name, len(data), hashlib.sha256(data).hexdigest())


def language(lang: str) -> bytes:
    """The texts of one language, at most `MOST` bytes, the nearest to what members write at the end."""
    source = (SAMPLE / f"{lang}.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in source.splitlines()]
    records.sort(key=lambda record: _LAST.index(record["type"]) if record["type"] in _LAST else -1)
    texts = [record[field] for record in records for field in _FIELDS if isinstance(record.get(field), str)]
    data = json.dumps("\n".join(texts), ensure_ascii=False).encode()
    cut = data[-MOST:]
    # The cut may fall inside a character of several bytes.
    return cut.decode("utf-8", "ignore").encode()


def skeleton() -> bytes:
    """One message of each kind without its words: under 1 KB."""
    times = {"created": "2026-11-22T09:00:00Z", "updated": "2026-11-22T09:00:00Z"}
    messages: list[object] = [
        {"problem": {"action": "drop", "detail": "", "status": 422, "title": "", "type": "urn:hubshelf:problem:"}},
        {"items": [{"author": "", "body": "", "cites": [], "id": "", "request": "", "type": "reply"}]},
        {
            "cursor": 1,
            "epoch": 1,
            "head": '{"client":2,"epoch":1,"expires":"2027-01-01T00:00:00Z","hub":"","index":{"hash":"","size":0},'
            '"protocol":2,"published":"2026-11-22T09:00:00Z","root":1,"version":1}\n',
            "items": [{"item": {**times, "revision": 0, "state": "submitted", "type": "request"}, "of": 0}],
            "receipts": [{"id": 0, "received": "2026-11-22T09:00:00Z", "state": "submitted"}],
        },
        {"body": {"body": "", "target": ""}, "counter": 2, "epoch": 1, "id": "", "kind": "reply"},
        {"at": 1, "have": [[_DIGEST[:16], 0]], "head": [1, 1]},
        {
            "operations": [
                {
                    "body": {"body": "", "kind": "question", "lang": "en", "themes": [], "title": ""},
                    "counter": 1,
                    "epoch": 1,
                    "id": _ID,
                    "kind": "ask",
                }
            ],
            "personal": [1, 0],
            "room": 65536,
            "streams": {"languages": ["en"], "themes": []},
        },
    ]
    dumped = [json.dumps(one, ensure_ascii=False, separators=(",", ":"), sort_keys=True) for one in messages]
    return "".join(dumped).encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
