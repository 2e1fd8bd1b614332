"""The native exchange format: upsert by id, order, files, deletions, hostile input, and the way back out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub import objects
from hub.exports import export_to
from hub.imports import ImportReport, import_files
from hub.models import (
    AuditEvent,
    Collection,
    Edition,
    Event,
    ExpertProfile,
    Message,
    Organisation,
    Resource,
    Source,
    StoredFile,
    Summary,
    Theme,
    Thread,
)
from hub.vocabularies import load_taxonomies

pytestmark = pytest.mark.django_db

RESOURCE = {
    "id": "res-1", "type": "resource", "updated": "2026-09-14T08:30:00Z", "lang": "fr",
    "title": "Écoles hors ligne",
    "summary": "Comment enseigner sans connexion.", "text": "<h2>Un</h2><p onclick='x()'>Texte <b>gras</b></p>"
    "<script>alert(1)</script>", "text_format": "html", "authors": ["Awa Diop"], "year": 2025, "country": "SN",
    "themes": ["data-and-evidence", "my-theme"], "licence": "CC-BY-4.0", "url": "https://example.org/a",
    "identifiers": {"doi": "https://doi.org/10.1234/ABC"}, "collections": ["Starter"],
    "translations": [{"lang": "en", "title": "Offline schools", "summary": "How", "machine": True}],
    "policy_cycle": "implementation", "resource_type": "guide", "weather": {"kept": ["raw"]},
}  # fmt: skip
THREAD = {"id": "thr-1", "type": "thread", "updated": "2026-09-14T08:30:00Z", "lang": "en", "title": "Batteries",
          "themes": ["data-and-evidence"], "activity": "planning", "resource": "res-1",
          "summary": "They last two years."}  # fmt: skip
MESSAGE = {"id": "msg-1", "type": "message", "updated": "2026-09-15T08:30:00Z", "thread": "thr-1",
           "author": "Awa Diop", "body": "Ours died.\n\nTwice.", "category": "researcher"}  # fmt: skip
SUMMARY = {"id": "sum-1", "type": "summary", "updated": "2026-09-16T08:30:00Z", "thread": "thr-1",
           "title": "What was said", "body": "They die [1] or not [2].", "cites": ["msg-1", "msg-9"]}  # fmt: skip


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def take(path: Path, *records: Any) -> ImportReport:
    return import_files([write(path, *records)])


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.deleted


def test_everything_of_a_resource_arrives(tmp_path: Path) -> None:
    report = take(tmp_path / "a.jsonl", RESOURCE)
    assert counts(report) == (1, 0, 0, 0)
    resource = Resource.objects.get(pk="res-1")
    assert resource.state == "published"
    assert resource.theme_slugs() == ["data-and-evidence", "my-theme"]
    assert resource.countries == ["SN"]
    assert resource.redistributable
    assert resource.extra == {"weather": {"kept": ["raw"]}}
    assert [c.name for c in resource.collections.all()] == ["Starter"]
    assert resource.identifiers.get(scheme="doi").value == "10.1234/abc"
    assert resource.translations.get().machine is True
    edition = resource.editions.get()
    assert edition.lang == "fr"
    assert "script" not in edition.body
    assert "onclick" not in edition.body
    assert "<h2>Un</h2>" in edition.body
    assert Theme.objects.get(pk="my-theme").scheme == "local"


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    take(tmp_path / "a.jsonl", RESOURCE, THREAD, MESSAGE, SUMMARY)
    before = Resource.objects.get(pk="res-1").updated
    assert counts(take(tmp_path / "a.jsonl", RESOURCE, THREAD, MESSAGE, SUMMARY)) == (0, 0, 4, 0)
    assert Resource.objects.get(pk="res-1").updated == before


def test_an_edit_updates_and_keeps_the_time_of_an_unchanged_text(tmp_path: Path) -> None:
    take(tmp_path / "a.jsonl", RESOURCE)
    text = Edition.objects.get()
    edited = {**RESOURCE, "title": "Écoles sans réseau", "updated": "2026-10-01T00:00:00Z", "themes": ["my-theme"]}
    assert counts(take(tmp_path / "a.jsonl", edited)) == (0, 1, 0, 0)
    resource = Resource.objects.get(pk="res-1")
    assert resource.title == "Écoles sans réseau"
    assert resource.theme_slugs() == ["my-theme"]
    assert Edition.objects.get().updated == text.updated
    assert Edition.objects.get().pk == text.pk


def test_a_facilitators_edit_survives_an_unchanged_file(tmp_path: Path) -> None:
    take(tmp_path / "a.jsonl", RESOURCE)
    Resource.objects.filter(pk="res-1").update(title="Corrected by hand")
    assert counts(take(tmp_path / "a.jsonl", RESOURCE)) == (0, 0, 1, 0)
    assert Resource.objects.get(pk="res-1").title == "Corrected by hand"


def test_the_last_line_of_an_id_counts_and_again_changes_nothing(tmp_path: Path) -> None:
    older, newer = {**RESOURCE, "title": "Old"}, {**RESOURCE, "title": "New"}
    first, second = (
        write(tmp_path / "a.jsonl", older, newer),
        write(tmp_path / "b.jsonl", {**RESOURCE, "title": "B"}),
    )
    report = import_files([first, second])
    assert counts(report) == (1, 0, 2, 0)
    assert report.read == 3
    assert Resource.objects.get().title == "B"
    assert counts(import_files([first, second])) == (0, 0, 3, 0)


def test_references_may_stand_later_even_in_a_later_file(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", SUMMARY, MESSAGE, THREAD)
    second = write(tmp_path / "b.jsonl", RESOURCE)
    assert counts(import_files([first, second])) == (4, 0, 0, 0)
    assert Thread.objects.get().resource_id == "res-1"
    assert Summary.objects.get(pk="sum-1").cited_ids() == ["msg-1"]
    carried = Summary.objects.exclude(pk="sum-1").get()
    assert (carried.body, carried.thread_id) == ("They last two years.", "thr-1")


def test_a_citation_keeps_its_number_where_an_earlier_message_is_missing(tmp_path: Path) -> None:
    summary = {**SUMMARY, "cites": ["msg-9", "msg-1"]}
    take(tmp_path / "a.jsonl", THREAD, MESSAGE, summary)
    assert Summary.objects.get(pk="sum-1").cited_ids() == ["", "msg-1"]


def test_a_message_without_its_thread_is_refused_and_the_rest_arrives(tmp_path: Path) -> None:
    report = take(tmp_path / "a.jsonl", MESSAGE, RESOURCE)
    assert counts(report) == (1, 0, 0, 0)
    assert [(r.where, "thr-1" in r.reason) for r in report.rejected] == [("line 1", True)]
    assert report.read == 2


def test_people_and_events(tmp_path: Path) -> None:
    report = take(
        tmp_path / "a.jsonl",
        {
            "id": "exp-1",
            "type": "expert",
            "name": "Awa Diop",
            "organisation": "org-1",
            "languages": ["French", "wo"],
        },
        {
            "id": "org-1",
            "type": "organisation",
            "name": "Réseau",
            "country": "Senegal",
            "url": "javascript:alert(1)",
        },
        {
            "id": "eve-1",
            "type": "event",
            "title": "Webinar",
            "starts": "2026-10-01T10:00:00+02:00",
            "online": True,
        },
        {"id": "exp-2", "type": "expert", "name": "B", "organisation": "nowhere"},
    )
    assert counts(report) == (4, 0, 0, 0)
    expert = ExpertProfile.objects.get(pk="exp-1")
    assert expert.organisation_id == "org-1"
    assert expert.languages == ["fr", "wo"]
    assert ExpertProfile.objects.get(pk="exp-2").organisation is None
    assert (Organisation.objects.get().country, Organisation.objects.get().url) == ("SN", "")
    starts = Event.objects.get().starts
    assert starts is not None
    assert starts.isoformat() == "2026-10-01T08:00:00+00:00"


@pytest.mark.parametrize(
    ("record", "model", "state"),
    [(RESOURCE, Resource, "withdrawn"), (THREAD, Thread, "withdrawn"), (MESSAGE, Message, "removed")],
)
def test_a_deletion_withdraws_and_the_record_may_come_back(
    tmp_path: Path, record: dict[str, Any], model: Any, state: str
) -> None:
    everything = (RESOURCE, THREAD, MESSAGE)
    take(tmp_path / "a.jsonl", *everything)
    deletion = {"id": record["id"], "deleted": True}
    assert counts(take(tmp_path / "d.jsonl", deletion)) == (0, 0, 0, 1)
    assert model.objects.get(pk=record["id"]).state == state
    assert counts(take(tmp_path / "d.jsonl", deletion)) == (0, 0, 1, 0)
    assert counts(take(tmp_path / "a.jsonl", *everything)) == (0, 1, 2, 0)
    assert model.objects.get(pk=record["id"]).state == "published"


def test_what_a_facilitator_withdrew_stays_withdrawn(tmp_path: Path) -> None:
    take(tmp_path / "a.jsonl", RESOURCE)
    Resource.objects.update(state="withdrawn")
    take(tmp_path / "a.jsonl", {**RESOURCE, "title": "Changed"})
    assert Resource.objects.get().state == "withdrawn"
    assert Resource.objects.get().title == "Changed"


def test_drafts_wait(tmp_path: Path) -> None:
    import_files([write(tmp_path / "a.jsonl", RESOURCE)], draft=True)
    assert Resource.objects.get().state == "draft"


def test_files_inside_the_folder_are_stored_and_others_refused_alone(tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("secret")
    folder = tmp_path / "import"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "guide.pdf").write_bytes(b"%PDF- guide")
    (folder / "files" / "link.pdf").symlink_to(outside)
    entries = [
        {"path": "files/guide.pdf", "name": "../../evil/guide.pdf", "media_type": "application/pdf"},
        {"path": "../secret.txt"}, {"path": str(outside)}, {"path": "files/link.pdf"}, {"path": "files/none.pdf"},
        "not an object", {"path": "files\x00.pdf"}, {"path": ""},
    ]  # fmt: skip
    report = take(folder / "a.jsonl", {**RESOURCE, "files": entries})
    assert counts(report) == (1, 0, 0, 0)
    assert len(report.rejected) == 7
    assert {r.where for r in report.rejected} == {"line 1"}
    stored = StoredFile.objects.get()
    assert (stored.name, stored.size, stored.media_type) == ("guide.pdf", 11, "application/pdf")
    assert objects.object_path(stored.hash).read_bytes() == b"%PDF- guide"


def test_a_file_that_is_missing_this_time_stays(tmp_path: Path) -> None:
    (tmp_path / "g.pdf").write_bytes(b"guide")
    record = {**RESOURCE, "files": [{"path": "g.pdf"}]}
    take(tmp_path / "a.jsonl", record)
    (tmp_path / "g.pdf").unlink()
    take(tmp_path / "a.jsonl", {**record, "title": "New title"})
    assert Resource.objects.get().title == "New title"
    assert StoredFile.objects.count() == 1


def test_lines_that_cannot_be_read_are_named_and_the_others_arrive(tmp_path: Path) -> None:
    good = json.dumps(RESOURCE).encode()
    lines = [
        b"\xef\xbb\xbf" + good,
        b"{not json",
        b'{"id": "x"}',
        b'{"id": "no-title", "type": "resource"}',
        b'{"id": "t", "type": "resource", "title": ["a", "list"]}',
        b'{"id": "bad id!", "type": "resource", "title": "T"}',
        b'{"id": "p", "type": "poll", "title": "T"}',
        b"[1, 2]",
        b"[" * 100_000,
        b'{"id": "latin", "type": "resource", "title": "\xe9"}',
        b'{"id": "deep", "type": "resource", "title": "Deep", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"id": "surrogate", "type": "resource", "title": "A \\ud800 B", "x": "\\ud800", "year": 1e999}',
        b'{"id": "nul", "type": "resource", "title": "A\\u0000B", "year": "in 2019", "authors": "One Author"}',
        b'{"id": "nan", "type": "resource", "title": "N", "x": NaN, "y": 1' + b"0" * 400 + b"}",
        b'{"id": "huge", "type": "resource", "title": "N", "year": 9' + b"9" * 5000 + b"}",
        b"",
        b'{"type": "resource", "title": "No id at all, taken by its content"}',
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    report = import_files([path])
    refused = {entry.where for entry in report.rejected}
    assert refused == {f"line {n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 15)}
    assert report.created == 6
    assert report.read == 16
    assert Resource.objects.get(pk="surrogate").title == "A ? B"
    nul = Resource.objects.get(pk="nul")
    assert (nul.title, nul.year, nul.authors) == ("A B", 2019, ["One Author"])
    assert import_files([path]).created == 0


def test_an_export_imported_elsewhere_and_exported_again_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "g.pdf").write_bytes(b"guide")
    load_taxonomies()
    take(
        tmp_path / "a.jsonl",
        {**RESOURCE, "files": [{"path": "g.pdf", "media_type": "application/pdf"}],
         "editions": [{"lang": "en", "format": "text", "text": "Text"}], "redistributable": False},
        {"type": "resource", "title": "Without an id", "lang": "en", "isbn": "0-306-40615-2", "authors": ["B"]},
        THREAD, MESSAGE, SUMMARY,
        {"id": "org-1", "type": "organisation", "name": "Réseau", "updated": "2026-01-01"},
        {"id": "exp-1", "type": "expert", "name": "Awa", "organisation": "org-1", "updated": "2026-01-01"},
        {"id": "eve-1", "type": "event", "title": "Webinar", "starts": "2026-10-01", "themes": ["my-theme"]},
        {"id": "gone", "type": "resource", "title": "Withdrawn"},
        {"id": "gone", "deleted": True},
    )  # fmt: skip
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = export_to(tmp_path / "one" / "hub.jsonl")
    # Another hub: everything here is erased.
    for model in (
        Summary,
        Message,
        Thread,
        Resource,
        ExpertProfile,
        Organisation,
        Event,
        Source,
        Collection,
        Theme,
    ):
        model.objects.all().delete()
    load_taxonomies()
    report = import_files([tmp_path / "one" / "hub.jsonl"])
    assert report.rejected == []
    assert report.created == first.records
    assert Resource.objects.get(pk="res-1").redistributable is False
    export_to(tmp_path / "two" / "hub.jsonl")
    assert (tmp_path / "two" / "hub.jsonl").read_bytes() == (tmp_path / "one" / "hub.jsonl").read_bytes()
    assert first.files == 1
    assert b'"gone"' not in (tmp_path / "one" / "hub.jsonl").read_bytes()
    assert AuditEvent.objects.count() == 0
