"""A shelf from before there were vocabularies, and a hub that has one: it takes and pays nothing, and has it with
its next sync once it is upgraded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.protocol import subscriptions
from sync.protocol.wire_json import sha256
from tests.faults.shelves import Shelf
from tests.hub.vocabulary_files import PREFIXES, SCHEME, TEACHER_EDUCATION, TURTLE, WATER, write
from tests.programs import HubProgram, write_records

STREAM = "public/vocabularies"
KNOWN_THEN = ("cards", "vocab", "people", "talk", "texts")
"""The tiers of the first programs of wire 2; they keep no stream of any other."""

MUCH = "".join(
    f':x{n} a skos:Concept ; skos:prefLabel "{sha256(str(n).encode())}"@en , "{sha256(str(-n).encode())}"@fr .\n'
    for n in range(1, 100)
)
"""Labels that do not compress: 6 KB on the wire."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub").init() as hub:
        record = {"id": "r-1", "type": "resource", "title": "Teacher education", "lang": "en"}
        hub.run("import", write_records(tmp_path / "records.jsonl", [record]))
        hub.run("publish")
        hub.start()
        yield hub


def load(hub: HubProgram, folder: Path, content: str) -> None:
    hub.run("vocabulary", "import", write(folder, "school.ttl", content + MUCH))
    hub.run("publish")


def test_an_older_shelf_ignores_vocabularies_until_it_is_upgraded(
    hub: HubProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    with monkeypatch.context() as older:
        older.setattr(subscriptions, "_TIERS", KNOWN_THEN)
        assert shelf.sync(hub.url).up_to_date
        costs = []
        for content in (TURTLE, PREFIXES + SCHEME + TEACHER_EDUCATION, PREFIXES + SCHEME + WATER * 2):
            load(hub, tmp_path, content)
            report = shelf.sync(hub.url)
            assert report.up_to_date
            assert report.requests == 1
            costs.append(report.bytes_down)
            assert STREAM not in shelf.held()
            assert shelf.sync(hub.url).requests == 1
        # A new head and what changed in the index; none of the labels.
        assert max(costs) < 2_000
        begun = Shelf(tmp_path / "begun").enrol(hub)
        assert begun.sync(hub.url).up_to_date
        assert STREAM not in begun.held()
    for one in (shelf, begun):
        report = one.sync(hub.url)
        assert report.up_to_date
        assert {"school", "school:c2", "school:x99"} <= one.held()[STREAM].keys()
        assert report.bytes_down > 5_000
        with one.home.library() as library:
            assert [hit.by for hit in library.search("eau").results] == []
            assert [hit.id for hit in library.search("teacher").results] == ["r-1"]


def test_records_of_a_kind_that_nobody_knows_are_kept_and_shown_nowhere(tmp_path: Path) -> None:
    from resources_cache.cards import Cursor
    from resources_cache.library import Library

    odd = {"id": "odd", "type": "later", "labels": {"en": ["Water"], "fr": ["Eau"]}, "lang": "en"}
    with Library(tmp_path / "library.db") as library:
        library.apply("public/vocabularies", [odd], Cursor(1, 1))
        assert library.get("odd") == odd
        assert library.search("water eau").total == 0
        assert library.facets()["lang"] == []
        assert all(check.ok for check in library.check())
