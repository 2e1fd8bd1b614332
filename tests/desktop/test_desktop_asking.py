"""Asking in the window: files that go along, templates, what answers already, and changes that come too late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from desktop import attachments
from desktop.app import Application
from desktop.navigation import Place
from desktop.pages import ask_templates
from desktop.words import use_language
from resources_cache.attachments import open_files
from resources_cache.own import Own
from sync.protocol import uploads as wire

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def go(application: Application, settle: Settle, place: Place) -> Any:
    application.context.navigator.go(place)
    settle(application)
    return application.window.stack.currentWidget()


def drop(field: Any, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    field.dropEvent(QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, data, buttons, keys))


def wording(field: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(part.text() for part in field.findChildren(QLabel) if part.isVisibleTo(field))


def test_files_are_copied_ordered_and_sent_whatever_becomes_of_the_originals(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path
) -> None:
    plan, budget = tmp_path / "plan.pdf", tmp_path / "budget.csv"
    plan.write_bytes(b"%PDF-1.4 the plan" * 100)
    budget.write_text("item,cost\n" * 6000)
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.title_field.setText("Does this plan hold?")
    drop(page.attachments, plan, budget)
    settle(application)
    plan.unlink()
    budget.write_text("something else")
    assert [one["name"] for one in page.attachments.files] == ["plan.pdf", "budget.csv"]
    assert "60 KB" in wording(page.attachments)
    assert "less than a minute" in wording(page.attachments)
    page.attachments._move(1, -1)
    settle(application)
    application.window.close()
    application.stop()
    again = make_window(home)
    page = go(again, settle, Place("ask"))
    assert [one["name"] for one in page.attachments.files] == ["budget.csv", "plan.pdf"]
    page.send()
    settle(again)
    assert page.attachments.files == []
    with Own(home / "own.db") as own:
        item = next(item for item in own.outbox.items(["waiting"]) if item.title == "Does this plan hold?")
        names = [one["name"] for one in item.body["attachments"]]
        kept = open_files(home, wire.FILE)
        assert names == ["budget.csv", "plan.pdf"]
        assert kept.path(item.body["attachments"][0]["hash"]).read_text() == "item,cost\n" * 6000
    page = go(again, settle, Place("outbox"))
    row = next(row for row in page.list.cards.rows if row.title == "Does this plan hold?")
    assert [badge.text for badge in row.badges] == ["Waiting for a connection", "2 files"]
    page.list.opened.emit(row)
    settle(again)
    assert "budget.csv" in wording(page.item_view)


def test_limits_are_said_before_anything_is_sent(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    assert "Up to 10 files of at most 25 MB each" in wording(page.attachments)
    large, empty, folder = tmp_path / "film.mp4", tmp_path / "empty.txt", tmp_path / "photos"
    with large.open("wb") as file:
        file.truncate(wire.FILE + 1)
    empty.touch()
    folder.mkdir()
    small = tmp_path / "small.txt"
    small.write_text("small")
    drop(page.attachments, large, empty, folder, tmp_path / "gone.txt", small)
    settle(application)
    assert [one["name"] for one in page.attachments.files] == ["small.txt"], "one that cannot go stops no other"
    said = page.attachments.note.text()
    assert "film.mp4\u2069 has 26.2 MB; at most 25 MB" in said
    assert "empty.txt\u2069 is empty" in said
    assert "photos\u2069 is a folder" in said
    assert "gone.txt\u2069 cannot be read" in said
    many = [tmp_path / f"{number}.txt" for number in range(11)]
    for number, path in enumerate(many):
        path.write_text(f"file {number}")
    drop(page.attachments, *many)
    settle(application)
    assert len(page.attachments.files) == wire.PER_OPERATION
    assert "10 files are attached already" in page.attachments.note.text()
    assert not page.attachments.choose_button.isEnabled()
    page.attachments._remove(0)
    assert page.attachments.choose_button.isEnabled()
    drop(page.attachments, many[0])
    settle(application)
    assert len(page.attachments.files) == 9, "the same bytes go once"


def test_the_field_knows_the_bounds_of_the_wire() -> None:
    from desktop.widgets import attachment_field

    assert attachment_field.MOST == wire.PER_OPERATION
    assert wire.FILE - 2_000_000 < 25_000_000 <= wire.FILE
    assert attachments.most_words() == "25 MB"


def test_a_draft_of_nothing_but_a_file_is_kept(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path, qtbot: Any
) -> None:
    source = tmp_path / "photo.txt"
    source.write_text("a photo")
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    drop(page.attachments, source)
    settle(application)
    qtbot.wait(400)
    settle(application)
    with Own(home / "own.db") as own:
        draft = own.draft("ask")
        assert draft is not None
        assert draft["attachments"][0]["name"] == "photo.txt"


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
@pytest.mark.parametrize("kind", sorted(ask_templates.HEADINGS))
def test_a_template_never_takes_the_place_of_what_was_typed(kind: str, lang: str) -> None:
    use_language(lang)
    typed = "We have 40 schools.\n\n  and a river"
    text = ask_templates.begun(typed, kind)
    assert text.startswith(typed)
    assert all(line in text for line in ask_templates.headings(kind))
    assert ask_templates.begun(text, kind) == text
    assert ask_templates.filled(text) == typed
    first = ask_templates.headings(kind)[0]
    answered = text.replace(first, f"{first}\nfor teachers")
    assert ask_templates.filled(answered) == f"{typed}\n\n{first}\nfor teachers"


def test_the_template_button_adds_below(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page._choose_kind("practice")
    page.title_field.setText("Radio lessons")
    page.body_field.setPlainText("It worked.")
    page.template_button.click()
    text = page.body_field.toPlainText()
    assert text.startswith("It worked.\n\nWhat was done:")
    page.send()
    settle(application)
    with Own(home / "own.db") as own:
        item = next(item for item in own.outbox.items(["waiting"]) if item.title == "Radio lessons")
        assert item.body["body"] == "It worked."


def test_what_answers_already_says_why_and_puts_the_question_away_with_an_undo(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.title_field.setText("Solar tablets for schools")
    page.body_field.setPlainText("How many?")
    qtbot.waitUntil(lambda: page.hits.cards.rowCount() > 0, timeout=5000)
    row = page.hits.cards.rows[0]
    assert "speaks of" in row.meta
    assert not page.side.enough.isEnabled()
    page.hits.choose(row.id)
    page.side.enough.click()
    settle(application)
    assert page.title_field.text() == ""
    assert "answers you" in page.state.text()
    with Own(home / "own.db") as own:
        assert own.draft("ask") is None
        assert not [item for item in own.outbox.items() if item.title == "Solar tablets for schools"]
    page.undo_button.click()
    qtbot.wait(400)
    settle(application)
    assert (page.title_field.text(), page.body_field.toPlainText()) == ("Solar tablets for schools", "How many?")
    with Own(home / "own.db") as own:
        assert (own.draft("ask") or {})["body"] == "How many?"


def waiting_item(home: Path) -> str:
    with Own(home / "own.db") as own:
        return next(item.id for item in own.outbox.items(["waiting"]) if item.kind == "ask")


def test_changing_what_waits_leaves_what_was_begun_alone(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.title_field.setText("Half a thought")
    settle(application)
    item = waiting_item(home)
    go(application, settle, Place("ask", record=item))
    assert page.title_field.text().startswith("How many tablets")
    page.body_field.setPlainText("Changed, not sent yet.")
    qtbot.wait(400)
    settle(application)
    with Own(home / "own.db") as own:
        assert (own.draft("ask") or {})["title"] == "Half a thought"
        assert (own.draft(f"edit:{item}") or {})["body"] == "Changed, not sent yet."
    page.send()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.outbox.item(item).body["body"] == "Changed, not sent yet."
        assert own.draft(f"edit:{item}") is None
    assert page.title_field.text() == "Half a thought"


def test_a_change_that_comes_after_a_sync_took_the_question_becomes_a_reply(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    item = waiting_item(home)
    page: Any = go(application, settle, Place("ask", record=item))
    page.body_field.setPlainText("One more thing: the river floods in May.")
    with Own(home / "own.db") as own:
        before = own.outbox.item(item).body
        own.outbox.begin_sending([item])
    page.send()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.outbox.item(item).body == before, "what left is what the hub gets"
        kept = own.draft(f"reply:{item}") or {}
        assert "the river floods in May." in kept["body"]
    assert application.context.navigator.here.page == "outbox"


def test_asking_about_something_keeps_what_was_being_written(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.title_field.setText("Half a thought")
    page.body_field.setPlainText("and the rest")
    go(application, settle, Place("ask", fill=(("kind", "question"), ("title", "About: a guide"))))
    assert page.title_field.text() == "About: a guide"
    with Own(home / "own.db") as own:
        (draft,) = [item for item in own.outbox.items(["draft"]) if item.title == "Half a thought"]
        assert draft.body["body"] == "and the rest"


def test_a_reply_taken_back_is_where_it_was_written(make_window: Make, settle: Settle, home: Path) -> None:
    with Own(home / "own.db") as own:
        thread = next(item for item in own.outbox.items(["sending"]) if item.kind == "reply").body["target"]
        reply = own.outbox.add("reply", "A thread", {"target": thread, "title": "A thread", "body": "We tried."})
        own.save_draft(f"reply:{thread}", {"body": "Begun", "title": "A thread"})
    application = make_window(home)
    page: Any = go(application, settle, Place("outbox", record=reply.id))
    page.item_view._edit()
    settle(application)
    settle(application)
    with Own(home / "own.db") as own:
        assert own.outbox.item(reply.id).state == "withdrawn"
        assert (own.draft(f"reply:{thread}") or {})["body"] == "Begun\n\nWe tried."
    shown: Any = application.window.stack.currentWidget()
    assert shown.reader.reply.field.toPlainText() == "Begun\n\nWe tried."


def test_how_far_files_are_is_never_rounded_up_to_all() -> None:
    assert attachments.percent(999_999, 1_000_000) == 99
    assert attachments.percent(0, 0) == 100
    one = attachments.Attached("a" * 64, "a.pdf", 1000, "application/pdf", True, "sending", 400)
    badge = attachments.badge([one])
    assert badge is not None
    assert badge.text == "1 file: 40 % sent"
    assert attachments.state_words(one) == "40 % sent"
