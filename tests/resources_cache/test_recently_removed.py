"""What a person removed of their own work is kept with the removal, and comes back as it was."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources_cache import removed
from resources_cache.anchors import Anchor
from resources_cache.annotations import Annotation
from resources_cache.attachments import Attachments, open_files
from resources_cache.cards import Filters
from resources_cache.errors import NotEditable, NotFound
from resources_cache.own import Own

TABLES = ("bookmarks", "notes", "annotations", "collections", "collected", "searches", "drafts")


@pytest.fixture
def own(tmp_path: Path) -> Any:
    with Own(tmp_path / "own.db") as made:
        yield made


def rows(own: Own) -> dict[str, list[Any]]:
    return {table: sorted(own._store.rows(f"SELECT * FROM {table}")) for table in TABLES}


def fill(own: Own) -> str:
    """Some of everything; returns the id of the collection."""
    for n in range(4):
        own.bookmark(f"r{n}", f"Title {n}")
        own.set_note(f"r{n}", f"Note {n} é")
        own.annotations.put(Annotation(f"r{n}", "en", Anchor(f"Quote {n}", "a", "b", n), note="x", id=f"a{n}"))
        own.save_search(f"words {n}", Filters(lang="en"), f"2026-05-0{n + 1}T00:00:00Z")
        own.save_draft(f"reply:{n}", {"body": f"Begun {n}", "title": "T"})
    made = own.collections.make("Radio")
    own.collections.put(made, [(f"r{n}", f"Title {n}") for n in range(4)])
    # Times as of long ago: what comes back has its own and not those of now.
    for table, column in (("bookmarks", "created"), ("notes", "updated"), ("annotations", "updated"),
                          ("searches", "created"), ("collected", "created"), ("drafts", "updated")):  # fmt: skip
        own._store.execute(f"UPDATE {table} SET {column}='2025-01-01T00:00:00Z'")
    return made


Removal = Callable[[Own, str, int], object]
REMOVALS: dict[str, Removal] = {
    "saved": lambda own, _c, n: own.unbookmark(f"r{n}"),
    "saved-many": lambda own, _c, n: own.unbookmark_all([f"r{k}" for k in range(n + 1)]),
    "note": lambda own, _c, n: own.set_note(f"r{n}", ""),
    "highlight": lambda own, _c, n: own.annotations.remove(f"a{n}"),
    "search": lambda own, _c, n: own.forget_search(f"words {n}", Filters(lang="en")),
    "draft": lambda own, _c, n: own.delete_draft(f"reply:{n}"),
    "collected": lambda own, c, n: own.collections.take_out(c, [f"r{n}", f"r{(n + 1) % 4}"]),
    "collection": lambda own, c, _n: own.collections.forget(c),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(sorted(REMOVALS)), st.integers(0, 3)), min_size=1, max_size=12))
def test_what_is_removed_and_brought_back_is_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    with Own(tmp_path_factory.mktemp("removed") / "own.db") as own:
        collection = fill(own)
        before = rows(own)
        for name, n in steps:
            REMOVALS[name](own, collection, n)
        assert rows(own) != before
        for one in own.removed.all():
            assert not own.bring_back(one.id).there
        assert rows(own) == before
        assert own.removed.all() == []


class Death:
    """Ends the process, as far as the store can tell, at the statement of that number after `armed`."""

    def __init__(self, step: int) -> None:
        self.left, self.armed = step, False

    def __call__(self, _sql: str) -> None:
        if self.armed:
            self.left -= 1
            if self.left == 0:
                self.armed = False
                raise KeyboardInterrupt


@pytest.mark.parametrize("name", sorted(REMOVALS))
def test_a_removal_and_what_is_kept_of_it_are_one_transaction(tmp_path: Path, name: str) -> None:
    with Own(tmp_path / "own.db") as own:
        collection = fill(own)
        before = rows(own)
    for step in range(1, 100):
        death = Death(step)
        with Own(tmp_path / "own.db", on_statement=death) as own:
            death.armed = True
            with suppress(KeyboardInterrupt):
                REMOVALS[name](own, collection, 1)
            through = death.armed
            death.armed = False
            kept = own.removed.all()
            assert (rows(own) == before) == (kept == [])
            if through:
                assert len(kept) == 1
                break
            if kept:  # it died after the last commit
                assert not own.bring_back(kept[0].id).there
    assert step > 3


def test_undo_takes_it_off_the_list_and_saving_again_does_not(own: Own) -> None:
    collection = fill(own)
    gone = own.unbookmark_all(["r1", "r2"])
    assert [(one.kind, one.count) for one in own.removed.all()] == [("saved", 2)]
    own.put_bookmarks_back(gone)
    assert own.removed.all() == []
    taken = own.collections.take_out(collection, ["r1"])
    own.collections.put_back(collection, taken)
    search = own.searches()[0]
    own.forget_search(search.words, search.filters)
    own.put_search_back(search)
    mark = own.annotations.of("r1")[0]
    own.annotations.remove(mark.id)
    own.annotations.put(mark)
    own.set_note("r1", "")
    own.set_note("r1", "Note 1 é")
    assert own.removed.all() == []
    own.unbookmark("r1")
    own.bookmark("r1", "Saved again")
    (one,) = own.removed.all()
    assert own.bring_back(one.id).there
    assert [b.title for b in own.bookmarks() if b.id == "r1"] == ["Saved again"]
    with pytest.raises(NotFound):
        own.bring_back(one.id)


def test_words_whose_place_is_taken_stand_below_those_that_are_there(own: Own) -> None:
    own.set_note("r1", "Old")
    own.set_note("r1", "")
    own.set_note("r1", "New")
    assert own.bring_back(own.removed.all()[0].id).there
    assert own.note("r1") == "New\n\nOld"
    own.save_draft("reply:t", {"body": "Old", "title": "T"})
    own.delete_draft("reply:t")
    own.save_draft("reply:t", {"body": "New", "title": "T"})
    assert own.bring_back(own.removed.all()[0].id).there
    assert own.draft("reply:t") == {"body": "New\n\nOld", "title": "T"}


def test_a_thrown_away_question_comes_back_as_a_draft_of_the_outbox(own: Own) -> None:
    own.save_draft("ask", {"title": "Wells", "body": "How deep?", "kind": "question"})
    own.delete_draft("ask")
    own.save_draft("ask", {"title": "Another", "body": "Begun meanwhile"})
    back = own.bring_back(own.removed.all()[0].id)
    assert back.outbox
    (item,) = own.outbox.items(["draft"])
    assert (item.title, item.body["body"]) == ("Wells", "How deep?")
    assert own.draft("ask") == {"title": "Another", "body": "Begun meanwhile"}


def test_what_was_sent_or_is_empty_is_no_removal(own: Own) -> None:
    own.save_draft("ask", {"title": "Wells", "body": "How deep?"})
    own.drop_draft("ask")
    own.save_draft("ask", {"title": "", "body": " ", "kind": "question"})
    own.delete_draft("ask")
    own.unbookmark("never")
    own.set_note("never", "")
    own.annotations.remove("never")
    own.collections.forget("never")
    assert own.removed.all() == []


def test_a_question_taken_back_waits_again_and_one_sent_is_left_alone(own: Own) -> None:
    item = own.outbox.add("ask", "Wells", {"body": "How deep?"})
    own.outbox.withdraw(item.id)
    (one,) = own.removed.all()
    assert (one.kind, one.title) == ("outbox", "Wells")
    own.bring_back(one.id)
    assert own.outbox.item(item.id).state == "waiting"
    assert own.removed.all() == []
    own.outbox.withdraw(item.id)
    (one,) = own.removed.all()
    own._store.execute("UPDATE outbox SET state='received' WHERE id=?", (item.id,))
    with pytest.raises(NotEditable):
        own.bring_back(one.id)
    assert [kept.id for kept in own.removed.all()] == [one.id]
    own._store.execute("UPDATE outbox SET state='withdrawn' WHERE id=?", (item.id,))
    own.removed.forget([one.id])
    with pytest.raises(NotFound):
        own.outbox.item(item.id)


def test_files_stay_as_long_as_what_names_them_can_come_back(own: Own, tmp_path: Path) -> None:
    queue = Attachments.of(own, open_files(tmp_path, 1000))
    taken = []
    for name in ("detached", "asked", "stray"):
        (tmp_path / name).write_text(name)
        taken.append(queue.take(tmp_path / name))
    detached, asked, _stray = taken
    own.save_draft("reply:t", {"body": "See", "title": "T", "attachments": [detached.to_json()]})
    own.save_draft("reply:t", {"body": "See", "title": "T", "attachments": []})
    own.outbox.withdraw(own.outbox.add("ask", "Q", {"attachments": [asked.to_json()]}).id)
    long_ago = time.time() - 2 * 86_400
    for one in taken:
        os.utime(queue.files.root / one.hash[:2] / one.hash, (long_ago, long_ago))
    assert queue.tidy() == 1
    assert set(queue.files.hashes()) == {detached.hash, asked.hash}
    file = next(one for one in own.removed.all() if one.kind == "attachment")
    assert file.title == "detached"
    own.bring_back(file.id)
    assert (own.draft("reply:t") or {})["attachments"] == [detached.to_json()]
    own.save_draft("reply:t", {"body": "See", "title": "T", "attachments": []})
    own.removed.forget([one.id for one in own.removed.all()])
    assert queue.tidy() == 2


def test_an_undone_detaching_is_no_removal(own: Own) -> None:
    file = {"hash": "a" * 64, "name": "a.pdf", "size": 3}
    own.save_draft("ask", {"attachments": [file]})
    own.save_draft("ask", {"attachments": []})
    assert [one.kind for one in own.removed.all()] == ["attachment"]
    own.save_draft("ask", {"attachments": [file]})
    assert own.removed.all() == []


def test_it_is_emptied_after_thirty_days_and_by_no_jump_of_the_clock(own: Own) -> None:
    own.bookmark("r1", "One")
    own.unbookmark("r1")

    def look(stood: str) -> int:
        """The clock stood at `stood` at the last look, and another one is taken now."""
        own._store.execute("INSERT OR REPLACE INTO settings VALUES ('removed_looked', ?)", (json.dumps(stood),))
        own.removed.tidy()
        return len(own.removed.all())

    assert [look("1999-01-01T00:00:00Z") for _n in range(4)] == [1, 1, 1, 1]  # at most a week each
    assert [look("2099-01-01T00:00:00Z") for _n in range(9)] == [1] * 9
    assert look("no time") == 1
    assert look("1999-01-01T00:00:00Z") == 0


def test_the_last_thousand_are_kept(own: Own) -> None:
    with own._store.transaction() as store:
        for n in range(removed.MOST + 5):
            store.execute(
                "INSERT INTO removed (kind, key, title, removed_at, body) VALUES ('note', '', ?, '', '{}')", (n,)
            )
    own.removed.tidy()
    found = own.removed.all()
    assert (len(found), found[0].title, found[-1].title) == (removed.MOST, str(removed.MOST + 4), "5")
    assert own.removed.newest() == found[0].id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rows": 5},
        {"rows": [[1, 2, 3]]},
        {"rows": [["a"]]},
        {"rows": []},
        {"rows": [["a", "[]", "c", "d"]]},
        {"file": 1},
    ],
)
def test_what_cannot_be_read_changes_nothing(own: Own, body: dict[str, Any]) -> None:
    before = rows(own)
    for kind in (
        "saved",
        "note",
        "highlight",
        "draft",
        "attachment",
        "collection",
        "collected",
        "search",
        "outbox",
        "x",
    ):
        with own._store.transaction() as store:
            removed.keep(store, kind, "k", "T", body)
        with pytest.raises(NotFound):
            own.bring_back(own.removed.all()[0].id)
    assert rows(own) == before
