"""Three months of the corpus, day by day: what `hubshelf-hub import` reads on each of 90 days.

Continues the seeded corpus in its own manner: 50 new resources, 20 edited (one or two sentences), 5 deleted and 10
messages a day, with its vocabularies, phrases and authors. Deterministic: the same corpus and seed give the same
files. `python -m tests.bench.sync_days 10000` makes them; needs the package wordfreq.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.sync_corpus import BENCH, corpus
from tests.bench.sync_links import need_wordfreq, tool

DAYS = 90
NEW, EDITED, DELETED, MESSAGES = 50, 20, 5, 10
_CORPUS_SEED = 7  # corpus.py's own: phrases and authors go on as they were
Row = dict[str, Any]


def generator() -> dict[str, Any]:
    """The names of corpus.py, whose last line runs it: everything before that line."""
    need_wordfreq()
    path = tool("corpus.py")
    source = path.read_text(encoding="utf-8").rsplit("\nmain()", 1)[0]
    names: dict[str, Any] = {"__name__": "corpus"}
    exec(compile(source, str(path), "exec"), names)
    return names


class Calendar:
    """The corpus as it stands, and the days that follow it."""

    def __init__(self, base: Path, seed: int = 90) -> None:
        self._names = names = generator()
        self._random = random.Random(f"{seed}-days")
        self._langs = {code: names["Lang"](code, _CORPUS_SEED) for code, _ in names["LANGS"]}
        first = random.Random(_CORPUS_SEED)
        givens, families = self._langs["fr"].mid[:400], self._langs["es"].mid[400:1600]
        self._authors = [f"{first.choice(givens).title()} {first.choice(families).title()}" for _ in range(1500)]
        self._users = [f"u{i:04d}" for i in range(400)]
        self._live: dict[str, Row] = {}
        self._threads: list[Row] = []
        with base.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["type"] == "resource":
                    self._live[record["id"]] = record
                elif record["type"] == "thread":
                    self._threads.append(record)

    def days(self) -> Iterator[list[Row]]:
        """The changes of each day in turn, as records of the native exchange format."""
        start: datetime = self._names["T0"] + timedelta(hours=9)
        for number in range(DAYS):
            yield self._day(start + timedelta(days=number))

    def _day(self, when: datetime) -> list[Row]:
        picked = self._random.sample(sorted(self._live), EDITED + DELETED)
        edited = [self._edit(self._live[id_], when) for id_ in picked[:EDITED]]
        new = []
        for number in range(NEW):
            at = when + timedelta(seconds=number)
            new.append(self._names["resource"](self._langs, self._random, at, at, self._authors))
        messages = [self._message(when + timedelta(seconds=30 * number)) for number in range(MESSAGES)]
        gone: list[Row] = [{"id": id_, "deleted": True} for id_ in picked[EDITED:]]
        self._live.update({record["id"]: record for record in new + edited})
        for record in gone:
            del self._live[record["id"]]
        return new + edited + messages + gone

    def _edit(self, record: Row, when: datetime) -> Row:
        lang = self._langs[record["lang"]]
        topic = self._random.sample(lang.theme[record["themes"][0]], 60)
        sentences = record["text"].split(". ")
        for _ in range(self._random.choice((1, 2))):
            written = self._names["sentence"](lang, topic, self._random)
            sentences[self._random.randrange(len(sentences))] = written[:-1]
        updated = self._names["iso"](when + timedelta(minutes=5))
        return {**record, "text": ". ".join(sentences), "updated": updated}

    def _message(self, when: datetime) -> Row:
        thread = self._random.choice(self._threads)
        lang = self._langs[thread["lang"]]
        topic = self._random.sample(lang.theme[thread["themes"][0]], 60)
        words = max(8, int(self._random.lognormvariate(math.log(50), 0.6)))
        return {
            "id": self._names["uuid7"](self._names["ms"](when), self._random),
            "type": "message",
            "thread": thread["id"],
            "author": self._random.choice(self._users),
            "updated": self._names["iso"](when),
            "body": self._names["prose"](lang, topic, self._random, words),
        }


def days(base: Path, folder: Path) -> list[Path]:
    """The files of all days in order, made once in `folder`; raises ToolsMissing."""
    files = [folder / f"day-{number:02d}.jsonl" for number in range(1, DAYS + 1)]
    if files[-1].is_file():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    for file, records in zip(files, Calendar(base).days(), strict=True):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        whole = file.with_suffix(".part")
        whole.write_text(text, encoding="utf-8")
        whole.replace(file)
    return files


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    made = days(corpus(size) / "base.jsonl", BENCH / f"days-{size}")
    print(f"{len(made)} days in {made[0].parent}")
