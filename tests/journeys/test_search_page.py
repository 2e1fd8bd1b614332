"""docs/user/search.md: every example finds what the page says, on the sample library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources_cache.library import Library
from tests.programs import ROOT, HubProgram, ShelfProgram

_PAGE = (ROOT / "docs" / "user" / "search.md").read_text(encoding="utf-8")


def _examples(heading: str) -> list[list[str]]:
    """The rows of all tables of the page whose first column is headed so."""
    tables = re.findall(r"(?m)^\| (\w[^|]*?) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", _PAGE)
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for first, rows in tables
        if first == heading
        for line in rows.splitlines()
    ]


EDITIONS = [cells for cells in _examples("type") if re.fullmatch(r"[a-z, ]+", cells[-1])]
EXAMPLES = [cells for cells in _examples("type") if cells not in EDITIONS]
TYPED = _examples("while you type")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The shelf of a new member of a hub with the sample library."""
    folder = tmp_path_factory.mktemp("search-page")
    files = sorted((ROOT / "build" / "sample").glob("*.jsonl"))
    assert files, "the sample library is not there: make sample"
    with HubProgram(folder / "hub").init() as hub:
        hub.run("import", *files)
        hub.run("publish")
        hub.start()
        ShelfProgram(folder / "shelf").enrol(hub).run("sync")
    with Library(folder / "shelf" / "library.db") as library:
        yield library


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) >= 13
    assert len(TYPED) >= 4
    assert len(EDITIONS) >= 2
    assert len([*EXAMPLES, *TYPED, *EDITIONS]) == _PAGE.count("\n| `"), "no example is left out"


@pytest.mark.parametrize("cells", EXAMPLES, ids=lambda cells: cells[0])
def test_an_example_finds_what_the_page_says(library: Library, cells: list[str]) -> None:
    typed = re.sub("^`|`$", "", cells[0])
    page = library.search(typed)
    assert cells[-1] in [hit.title.replace("\u00a0", " ") for hit in page.results[:3]]
    mended = "taken for" in _PAGE[: _PAGE.index(f"| {cells[0]} |")].rpartition("| type |")[2].split("\n")[0]
    assert page.instead == (cells[1] if mended else "")


@pytest.mark.parametrize("cells", TYPED, ids=lambda cells: cells[0])
def test_a_title_is_suggested_as_the_page_says(library: Library, cells: list[str]) -> None:
    titles = [one.title.replace("\u00a0", " ") for one in library.suggest(cells[0].strip("`"))]
    assert cells[-1] in titles[:3]


@pytest.mark.parametrize("cells", EDITIONS, ids=lambda cells: cells[0])
def test_a_work_says_its_other_languages(library: Library, cells: list[str]) -> None:
    page = library.search(cells[0].strip("`"))
    hit = next(hit for hit in page.results if hit.editions)
    assert ", ".join(edition.lang for edition in hit.editions) == cells[-1]
    assert not {edition.id for edition in hit.editions} & {other.id for other in page.results}


def test_an_exclusion_excludes(library: Library) -> None:
    assert library.search("tablets -solar").total < library.search("tablets").total


def test_the_page_is_where_people_look() -> None:
    assert "(search.md)" in (ROOT / "docs" / "user" / "index.md").read_text(encoding="utf-8")
    assert Path(ROOT / "docs" / "user" / "search.md").is_file()
