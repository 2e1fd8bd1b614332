"""Real files that nobody here wrote: everything that has a title arrives, and nothing ends in a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hub.exports import export_to
from hub.imports import import_files
from hub.models import Resource

pytestmark = [pytest.mark.django_db, pytest.mark.real_input]


def test_eric_is_read_whole_and_fast(shared_data: Path) -> None:
    files = sorted((shared_data / "records" / "eric").glob("*.json"))
    started = time.monotonic()
    report = import_files(files)
    assert time.monotonic() - started < 20
    assert report.rejected == []
    assert (report.created, report.updated) == (report.read, 0)
    assert report.read > 3000
    assert not Resource.objects.filter(lang="und").exists()
    again = import_files(files)
    assert (again.created, again.updated, again.unchanged) == (0, 0, report.read)


def test_world_bank_projects(shared_data: Path) -> None:
    (file,) = (shared_data / "records" / "worldbank_projects").glob("*.csv")
    report = import_files([file])
    assert report.rejected == []
    assert report.created == report.read > 500
    assert not Resource.objects.filter(summary="").exists()
    assert Resource.objects.exclude(countries=[]).count() > 0.85 * report.read
    assert Resource.objects.filter(countries=["TD"]).exists()


@pytest.mark.parametrize("folder", ["better_bibtex", "ris"])
def test_every_library_file(shared_data: Path, folder: str) -> None:
    """Counts add up; what is refused lacks a title or is another kind of file; a second run changes nothing."""
    files = sorted(path for path in (shared_data / "records" / folder).rglob("*") if path.is_file())
    assert files
    report = import_files(files)
    refused_records = [entry for entry in report.rejected if entry.where]
    assert report.read == report.taken + len(refused_records)
    assert {entry.reason for entry in refused_records} <= {"the record has no title"}
    readable = (".bib", ".biblatex", ".bibtex", ".ris")
    for entry in report.rejected:
        if not entry.where and entry.reason != "the file is empty":
            assert not entry.file.endswith(readable), entry
    again = import_files(files)
    assert (again.read, again.created, again.updated) == (report.read, 0, 0)


def test_an_export_of_real_records_goes_round(shared_data: Path, tmp_path: Path) -> None:
    import_files(sorted((shared_data / "records" / "ris").glob("*.ris")))
    import_files([shared_data / "records" / "eric" / "ajs.json"])
    export_to(tmp_path / "one.jsonl")
    Resource.objects.all().delete()
    assert import_files([tmp_path / "one.jsonl"]).rejected == []
    export_to(tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
