"""What is taken away in the window comes back as it was: the same row, at the same place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.app import Application
from desktop.navigation import Place
from desktop.widgets.attachment_field import AttachmentField
from resources_cache.cards import Filters
from resources_cache.errors import NotEditable
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.fixture
def application(home: Path, make_window: Make, settle: Settle) -> Application:
    made = make_window(home)
    settle(made)
    return made


def undo(application: Application, settle: Settle, words: str) -> None:
    banner: Any = application.window.banner
    assert words in banner._words.text()
    assert banner._undo.isVisible()
    banner._undo.click()
    settle(application)
    assert not banner.isVisible()


def test_a_saved_resource(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        before = own.bookmarks()
    application.context.navigator.open_record("resource", before[1].id)
    settle(application)
    page: Any = application.window.page("library")
    page.reader._save.click()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.bookmarks() == [before[0], before[2]]
    undo(application, settle, "Taken off My shelf.")
    with Own(home / "own.db") as own:
        assert own.bookmarks() == before
    assert page.reader._save.isChecked()


def test_a_saved_search(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        for words in ("tablets", "solar", "water"):
            own.save_search(words, Filters(lang="en"), "2026-05-01T00:00:00Z")
    application.context.navigator.go(Place("search", query="solar", fill=(("lang", "en"),)))
    settle(application)
    page: Any = application.window.page("search")
    with Own(home / "own.db") as own:
        before = own.searches()  # to open one is to look at it
    page._toggle_saved()
    settle(application)
    with Own(home / "own.db") as own:
        assert [one.words for one in own.searches()] == [one.words for one in before if one.words != "solar"]
    undo(application, settle, "Forgotten.")
    with Own(home / "own.db") as own:
        assert own.searches() == before


def test_a_question_that_waits(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        waiting = next(item for item in own.outbox.items(["waiting"]))
    application.context.navigator.go(Place("outbox", record=waiting.id))
    settle(application)
    page: Any = application.window.page("outbox")
    page.item_view._withdraw()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.outbox.item(waiting.id).state == "withdrawn"
        later = own.outbox.add("ask", "Asked meanwhile", {"kind": "question", "body": "x"})
    undo(application, settle, "Taken back. It was not sent.")
    with Own(home / "own.db") as own:
        back = own.outbox.item(waiting.id)
        assert (back.state, back.title, back.body, back.created) == (
            "waiting", waiting.title, waiting.body, waiting.created,
        )  # fmt: skip
        assert [one.id for one in own.outbox.pending()][-2:] == [later.id, waiting.id]


def test_what_was_sent_meanwhile_does_not_come_back(home: Path) -> None:
    with Own(home / "own.db") as own:
        item = own.outbox.items(["waiting"])[0]
        own.outbox.withdraw(item.id)
        assert own.outbox.bring_back(item).state == "waiting"
        with pytest.raises(NotEditable):
            own.outbox.bring_back(item)


def test_an_attached_file(application: Application, settle: Settle) -> None:
    files = [{"hash": f"{n}" * 64, "name": f"{n}.pdf", "size": 10 + n} for n in range(3)]
    field = AttachmentField(application.context)
    field.set_files(files)
    field._remove(1)
    assert field.files == [files[0], files[2]]
    undo(application, settle, "is not attached any more.")
    assert field.files == files
    field.deleteLater()


def test_what_is_said_next_ends_the_offer(application: Application) -> None:
    done: list[str] = []
    banner: Any = application.window.banner
    application.context.notices.undoable.emit("Gone.", lambda: done.append("back"))
    assert banner._undo.isVisible()
    application.context.notices.said.emit("Something else.")
    assert not banner._undo.isVisible()
    banner._bring_back()
    assert done == []
