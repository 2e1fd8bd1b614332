"""A real hub behind the faults: made once as a template, copied and served for each module that needs its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import HubProgram, copy_home, write_records

WORDS = (
    "water", "school", "radio", "teacher", "village", "pupil", "mango", "river",
    "lesson", "tablet", "solar", "market", "rain", "chalk", "goat", "drum",
)  # fmt: skip


def records(count: int) -> list[dict[str, object]]:
    """`count` small resources, every third with a text, and one discussion."""
    made: list[dict[str, object]] = []
    for n in range(count):
        words = " ".join(WORDS[(n * k + k) % len(WORDS)] for k in range(1, 14))
        record: dict[str, object] = {
            "id": f"r-{n:04}",
            "type": "resource",
            "title": f"{words[:40].title()} {n}",
            "summary": words,
            "lang": ("en", "fr")[n % 2],
            "themes": [("capacity-and-culture", "data-and-evidence")[n % 2]],
            "updated": "2026-05-01T08:00:00Z",
        }
        if n % 3 == 0:
            record["text"] = f"{words}\n\n" * 8
        made.append(record)
    made.append({"id": "t-0", "type": "thread", "title": "Rain and radio", "lang": "en", "themes": []})
    made.append({"id": "m-0", "type": "message", "thread": "t-0", "author": "Amina", "body": "Chalk and drums."})
    return made


def articles(count: int, seed: int) -> list[dict[str, object]]:
    """`count` resources with a text of about four kilobytes each that packs badly, in one language, two themes."""
    dice = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = ["".join(dice.choices(syllables, k=dice.randint(1, 4))) for _ in range(4000)]
    return [
        {
            "id": f"a{seed}-{n:04}",
            "type": "resource",
            "title": " ".join(dice.choices(words, k=6)),
            "summary": " ".join(dice.choices(words, k=25)),
            "lang": "en",
            "themes": [("capacity-and-culture", "data-and-evidence")[n % 2]],
            "updated": "2026-05-01T08:00:00Z",
            "text": " ".join(dice.choices(words, k=600)),
        }
        for n in range(count)
    ]


@pytest.fixture(scope="session")
def hub_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's home with forty records, published, not running."""
    folder = tmp_path_factory.mktemp("template")
    hub = HubProgram(folder / "hub").init()
    hub.run("import", write_records(folder / "records.jsonl", records(40)))
    hub.run("publish")
    return hub.home


@pytest.fixture
def hub(hub_template: Path, tmp_path: Path) -> Iterator[HubProgram]:
    """A copy of that hub, serving."""
    with HubProgram(copy_home(hub_template, tmp_path / "hub")) as hub:
        hub.start()
        yield hub


@pytest.fixture(scope="session")
def large_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's home whose content is some hundreds of kilobytes as sent, published, not running."""
    folder = tmp_path_factory.mktemp("large")
    hub = HubProgram(folder / "hub").init()
    hub.run("import", write_records(folder / "records.jsonl", articles(160, seed=1)))
    hub.run("publish")
    return hub.home


@pytest.fixture
def large_hub(large_template: Path, tmp_path: Path) -> Iterator[HubProgram]:
    """A copy of that hub, serving."""
    with HubProgram(copy_home(large_template, tmp_path / "large")) as hub:
        hub.start()
        yield hub
