"""Files that took the place of others: what the hub notes, publishes and serves of the difference."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from hub import objects
from hub.home import served_folder
from hub.imports import import_files
from hub.models import Resource, StoredFile
from hub.publishing import file_deltas as served_deltas
from hub.publishing.records import card
from sync.protocol import file_deltas, paths
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import sha256

pytestmark = pytest.mark.django_db(transaction=True)
OLD = random.Random(1).randbytes(200_000)
NEW = OLD[:90_000] + b"two years later" * 20 + OLD[90_100:]
OTHER = random.Random(2).randbytes(200_000)


@pytest.fixture(autouse=True)
def nothing_made() -> None:
    shutil.rmtree(served_folder(settings.HOME) / "deltas", ignore_errors=True)


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Import a resource with these files (name → bytes) and return what each is said to replace, by name."""

    def imported(**files: bytes) -> dict[str, str]:
        entries = []
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
            kind = "application/pdf" if name.endswith("pdf") else "text/csv"
            entries.append({"path": name, "media_type": kind})
        record = {"id": "res-1", "type": "resource", "title": "Guide", "files": entries}
        (tmp_path / "import.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
        import_files([tmp_path / "import.jsonl"])
        return dict(StoredFile.objects.values_list("name", "replaces"))

    return imported


def named(**files: bytes) -> dict[str, bytes]:
    return {name.replace("_", "."): data for name, data in files.items()}


def get(old: bytes, new: bytes, **headers: str) -> Any:
    return Client().get(paths.delta_path(sha256(old), sha256(new)), headers=headers)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_file_of_the_same_name_replaces_the_other(take: Callable[..., dict[str, str]]) -> None:
    assert take(**named(a_pdf=OLD, b_pdf=OTHER)) == {"a.pdf": "", "b.pdf": ""}
    assert take(**named(a_pdf=NEW, b_pdf=OTHER)) == {"a.pdf": sha256(OLD), "b.pdf": ""}
    entries = {entry["name"]: entry for entry in card(Resource.objects.get())["files"]}
    assert entries["a.pdf"]["replaces"] == sha256(OLD)
    assert "replaces" not in entries["b.pdf"]


def test_the_only_file_of_its_type_replaces_the_other_under_any_name(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD, t_csv=b"1,2"))
    assert take(**named(final_pdf=NEW, t_csv=b"1,2")) == {"final.pdf": sha256(OLD), "t.csv": ""}


def test_where_it_is_not_clear_nothing_is_replaced(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD))
    assert take(**named(b_pdf=NEW, c_pdf=OTHER)) == {"b.pdf": "", "c.pdf": ""}


def test_what_was_replaced_stays_known_when_something_else_changes(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    assert take(**named(a_pdf=NEW, t_csv=b"1,2"))["a.pdf"] == sha256(OLD)
    assert take(**named(a_pdf=OTHER, t_csv=b"1,2"))["a.pdf"] == sha256(NEW)


@pytest.mark.parametrize("fields", [None, ["hash", "size"]])
def test_other_bytes_in_the_place_of_a_stored_file_replace_it(
    take: Callable[..., dict[str, str]], fields: list[str] | None
) -> None:
    take(**named(a_pdf=OLD))
    stored = StoredFile.objects.get()
    stored.hash, stored.size = sha256(NEW), len(NEW)
    stored.save(update_fields=fields)
    stored.refresh_from_db()
    assert (stored.hash, stored.replaces) == (sha256(NEW), sha256(OLD))
    stored.name = "renamed.pdf"
    stored.save()
    assert StoredFile.objects.get().replaces == sha256(OLD)


def test_a_small_change_is_a_small_delta_that_is_made_once(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    answer = get(OLD, NEW)
    delta = body(answer)
    assert answer.status_code == 200
    assert len(delta) < len(NEW) / 100
    assert file_deltas.apply(delta, OLD, ObjectRef(sha256(NEW), len(NEW))) == NEW
    middle = get(OLD, NEW, range=f"bytes={len(delta) - 1}-")
    assert (middle.status_code, body(middle)) == (206, delta[-1:])
    assert middle["Content-Range"] == f"bytes {len(delta) - 1}-{len(delta) - 1}/{len(delta)}"
    # Made from bytes that are not needed again.
    objects.object_path(sha256(OLD)).unlink()
    assert body(get(OLD, NEW)) == delta


def test_what_has_little_in_common_has_no_delta_and_is_compared_once(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=OTHER))
    for _ in range(2):
        answer = get(OLD, OTHER)
        assert answer.status_code == 404
        assert answer.json()["action"] == "resync"
    (marker,) = (served_folder(settings.HOME) / "deltas").glob("*/*")
    assert marker.stat().st_size == 0


@pytest.mark.parametrize("state", ["draft", "withdrawn"])
def test_what_is_not_published_has_no_deltas(take: Callable[..., dict[str, str]], state: str) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    assert get(OLD, NEW).status_code == 200
    Resource.objects.update(state=state)
    assert get(OLD, NEW).status_code == 404


def test_only_pairs_that_a_record_names_are_compared(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD, b_pdf=OTHER))
    take(**named(a_pdf=NEW, b_pdf=OTHER))
    for old, new in ((OTHER, NEW), (NEW, OLD), (OLD, OLD)):
        assert get(old, new).status_code == 404
    for address in ("x/y", f"{sha256(OLD)}/..%2f..%2fdb", f"{sha256(OLD).upper()}/{sha256(NEW)}"):
        assert Client().get(paths.DELTAS + address).status_code == 404
    assert not (served_folder(settings.HOME) / "deltas").exists()


def test_bytes_that_are_lost_or_cannot_be_written_mean_the_whole_file(
    take: Callable[..., dict[str, str]],
) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    objects.object_path(sha256(OLD)).rename(aside := objects.object_path(sha256(OLD)).with_suffix(".aside"))
    assert get(OLD, NEW).status_code == 404
    aside.rename(objects.object_path(sha256(OLD)))
    blocked = served_folder(settings.HOME) / "deltas"
    blocked.write_bytes(b"a file where a folder should be")
    assert get(OLD, NEW).status_code == 404
    blocked.unlink()
    assert get(OLD, NEW).status_code == 200


def test_deltas_that_nobody_can_ask_for_are_removed(take: Callable[..., dict[str, str]]) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    assert get(OLD, NEW).status_code == 200
    newest = NEW + b" and more" * 5000
    take(**named(a_pdf=newest))
    assert get(NEW, newest).status_code == 200
    kept = [path.name for path in (served_folder(settings.HOME) / "deltas").glob("*/*")]
    assert kept == [file_deltas.delta_name(sha256(NEW), sha256(newest))]


def test_a_request_does_not_wait_long_for_another_delta(
    take: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take(**named(a_pdf=OLD))
    take(**named(a_pdf=NEW))
    monkeypatch.setattr(served_deltas, "WAIT", 0.01)
    with served_deltas._making:
        assert get(OLD, NEW).status_code == 404
    assert get(OLD, NEW).status_code == 200
