"""A vocabulary from a file to an answer in another language, with the real programs; the guide is walked."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.vocabulary_files import PREFIXES, SCHEME, TEACHER_EDUCATION, TURTLE, write
from tests.journeys.test_readme import commands
from tests.programs import BIN, ROOT, HubProgram, ShelfProgram, write_records

RECORDS = [
    {"id": "r-1", "type": "resource", "lang": "en", "title": "Teacher education by radio", "summary": "Pairs."},
    {"id": "r-2", "type": "resource", "lang": "fr", "title": "Former les maîtres", "summary": "Une formation."},
    {"id": "r-3", "type": "resource", "lang": "en", "title": "Wells", "summary": "Clean water at schools."},
]  # fmt: skip
NEWER = PREFIXES + SCHEME + TEACHER_EDUCATION.replace('"Formation des enseignants"@fr', '"Pédagogie normale"@fr')


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub") as hub:
        hub.init()
        hub.run("import", write_records(tmp_path / "records.jsonl", RECORDS))
        hub.run("publish")
        hub.start()
        yield hub


def found(shelf: ShelfProgram, query: str) -> dict[str, str]:
    """Which records are found, and by which other name."""
    return {hit["id"]: hit["by"] for hit in shelf.run("search", query)["results"]}


def test_from_the_file_to_an_answer_in_another_language(hub: HubProgram, tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf").enrol(hub)
    shelf.run("sync")
    assert found(shelf, "formation des enseignants") == {"r-2": ""}

    loaded = hub.run("vocabulary", "import", write(tmp_path, "school.ttl", TURTLE))
    assert (loaded["id"], loaded["created"], loaded["labels"]) == ("school", 2, 6)
    hub.run("publish")
    report = shelf.run("sync")
    assert report["up_to_date"]
    assert report["requests"] <= 4
    assert report["bytes_down"] < 4_000
    assert found(shelf, "formation des enseignants") == {"r-2": "", "r-1": "Teacher education"}
    assert found(shelf, "eau") == {"r-3": "Water"}
    assert not {"concept", "vocabulary"} & set(shelf.run("status")["records"])
    assert shelf.run("doctor")["ok"]
    shown = subprocess.run(
        [BIN / "hubshelf", "--home", shelf.home, "search", "formation des enseignants"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "Teacher education by radio  (resource, r-1)  also: Teacher education\n" in shown.stdout

    # Nothing new is published or fetched for the same file again.
    before = hub.run("publish")["version"]
    hub.run("vocabulary", "import", tmp_path / "school.ttl")
    assert hub.run("publish")["version"] == before
    assert shelf.run("sync")["requests"] == 1

    changed = hub.run("vocabulary", "import", write(tmp_path, "school-2.ttl", NEWER))
    assert [changed[key] for key in ("created", "updated", "unchanged", "deleted")] == [0, 1, 0, 1]
    hub.run("publish")
    shelf.run("sync")
    assert found(shelf, "formation des enseignants") == {"r-2": ""}
    assert found(shelf, "pedagogie normale") == {"r-1": "Teacher education"}
    assert found(shelf, "eau") == {}

    assert hub.run("vocabulary", "remove", "school")["title"] == "School thesaurus"
    assert hub.run("vocabulary", "list") == {"vocabularies": []}
    hub.run("publish")
    assert shelf.run("sync")["up_to_date"]
    assert found(shelf, "pedagogie normale") == {}
    assert shelf.run("doctor")["ok"]


def test_the_themes_of_the_hub_are_a_vocabulary_from_the_start(hub: HubProgram, tmp_path: Path) -> None:
    hub.run("import", write_records(tmp_path / "more.jsonl", [
        {"id": "r-4", "type": "resource", "lang": "en", "title": "Data and evidence", "summary": "A primer."},
    ]))  # fmt: skip
    hub.run("publish")
    shelf = ShelfProgram(tmp_path / "shelf").enrol(hub)
    shelf.run("sync")
    theme = next(labels for theme, labels in _themes(shelf).items() if theme == "data-and-evidence")
    assert found(shelf, theme["sw"]) == {"r-4": theme["en"]}


def _themes(shelf: ShelfProgram) -> dict[str, dict[str, str]]:
    from resources_cache.library import Library

    with Library(shelf.home / "library.db", read_only=True) as library:
        return library.vocabulary()


def test_files_that_cannot_be_loaded_are_refused_in_words(hub: HubProgram, tmp_path: Path) -> None:
    error = hub.run("vocabulary", "import", write(tmp_path, "cut.ttl", TURTLE[:-9]), expect=1)["error"]
    assert error["code"] == "import-problem"
    assert "Nothing was changed" in error["message"]
    assert error["advice"]
    assert hub.run("vocabulary", "import", tmp_path / "none.ttl", expect=1)["error"]["advice"] == "Check the name."
    assert hub.run("vocabulary", "remove", "none", expect=1)["error"]["code"] == "not-found"


def test_the_guide_is_walked(tmp_path: Path) -> None:
    walk = [line for line in commands(ROOT / "docs/hub/vocabularies.md") if " --home " in line]
    assert len(walk) == 6
    HubProgram(tmp_path / "hub").init()
    write(tmp_path, "unesco-thesaurus.ttl", TURTLE)
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    for line in walk:
        words = shlex.split(line.replace("/srv/hubshelf", str(tmp_path / "hub")))
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert " list" not in line or "School thesaurus" in done.stdout
