"""A person's way through the window, on a real shelf: reading, searching, writing, and finding it all again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.list_page import ListPage
from desktop.reading.pdf_view import PdfView
from resources_cache.library import Cursor, Library
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def titles(page: Any) -> list[str]:
    return [row.title for row in page.list.cards.rows]


def go(application: Application, settle: Settle, place: Place) -> Any:
    application.context.navigator.go(place)
    settle(application)
    return application.window.stack.currentWidget()


def listed(application: Application, settle: Settle, name: str) -> ListPage:
    page = go(application, settle, Place(name))
    assert isinstance(page, ListPage)
    return page


def test_home_says_what_came_and_what_waits(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    settle(application)
    page: Any = application.window.pages["home"]
    sections = [row.title for row in page.list.cards.rows if row.section]
    assert sections[:3] == ["Answers to you", "Where you stopped reading", "Waiting to go"]
    assert "Which tablets survive three rainy seasons?" in titles(page)
    assert "2 waiting to go" in application.window.pill.text()
    assert "In step 2 h ago" in application.window.pill.text()
    assert application.window.rail.buttons["outbox"].count == 3


def test_only_home_is_made_at_the_start(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    settle(application)
    assert list(application.window.pages) == ["home"]


def test_the_library_filters_with_counts(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "library")
    with Library(home / "library.db") as library:
        total = library.browse(("resource",)).total
        french = dict(library.facets()["lang"])["fr"]
    assert page.list.cards.total == total == len(titles(page))
    choice = page.filters["lang"]
    words = [choice.itemText(i) for i in range(choice.count())]
    assert f"Français ({french})" in words
    choice.choose("fr")
    settle(application)
    assert page.list.cards.total == french
    page.clear_filters()
    settle(application)
    assert page.list.cards.total == total


def test_a_long_list_comes_page_by_page(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        many = [
            {
                "id": f"x{n:04}",
                "type": "resource",
                "title": f"Title {n:04}",
                "lang": "en",
                "updated": "2020-01-01T00:00:00Z",
            }
            for n in range(300)
        ]
        library.apply("public/cards/xx", many, Cursor(1, 1))
    application = make_window(home)
    page = listed(application, settle, "library")
    cards = page.list.cards
    assert cards.rowCount() == cards.total > 300, "the list is as long as it is from the first moment"
    assert len(cards.rows) < cards.total, "not everything is read at once"
    seen: dict[int, str] = {}
    bar = page.list.verticalScrollBar()
    for step in range(21):
        bar.setValue(bar.maximum() * step // 20)
        page.list.grab()
        settle(application)
        seen |= {row: card.id for row in range(cards.total) if (card := cards.card(row)) is not None}
    with Library(home / "library.db") as library:
        wanted = [card.id for card in library.browse(("resource",), None, "newest", 0, 1000).items]
    assert [seen[row] for row in range(cards.total)] == wanted, "each row is what it should be, wherever one looks"


def test_reading_a_resource_and_going_back(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "library")
    row = page.list.cards.rows[3]
    page.list.opened.emit(row)
    settle(application)
    assert page.reader.record == row.id
    text = page.reader.text.toPlainText()
    assert text.startswith(row.title)
    assert "Summary" in text
    application.context.navigator.back()
    settle(application)
    assert not page.panes.reading
    application.context.navigator.back()
    assert application.window.stack.currentWidget() is application.window.pages["home"]
    application.context.navigator.forward()
    application.context.navigator.forward()
    settle(application)
    assert page.panes.reading
    assert page.reader.record == row.id


def test_reading_goes_on_where_it_stopped(make_window: Make, settle: Settle, home: Path, qtbot: Any) -> None:
    application = make_window(home)
    home_page: Any = go(application, settle, Place("home"))
    row = next(row for row in home_page.list.cards.rows if row.place and row.place.resume)
    home_page.list.opened.emit(row)
    settle(application)
    page = application.window.stack.currentWidget()
    assert isinstance(page, ListPage)
    assert page.reader.text.place() == pytest.approx(0.42, abs=0.05)
    page.reader.text.go_to(0.8)
    qtbot.wait(1000)
    settle(application)
    with Own(home / "own.db") as own:
        assert own.reading_place(row.id) == pytest.approx(0.8, abs=0.05)


def test_find_in_the_text(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "library")
    page.list.opened.emit(next(r for r in page.list.cards.rows if "procurement" in r.title))
    settle(application)
    page.reader.find_bar.open()
    page.reader.find_bar.field.setText("devices")
    count = page.reader.text.toPlainText().lower().count("devices")
    assert count > 1
    assert page.reader.find_bar._count.text() == f"{count} places"
    assert page.reader.text.textCursor().selectedText().lower() == "devices"
    page.reader.find_bar.field.setText("zzzz")
    assert page.reader.find_bar._count.text() == "Not found"


def test_text_size_sticks(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "library")
    page.list.opened.emit(page.list.cards.rows[0])
    settle(application)
    before = page.reader.text.document().defaultFont().pointSizeF()
    page.reader._larger.click()
    assert page.reader.text.document().defaultFont().pointSizeF() > before
    assert json.loads((home / "window.json").read_text())["reading_scale"] == 110


def test_a_pdf_of_the_shelf_opens(
    make_window: Make, settle: Settle, home: Path, qtbot: Any, put_pdf: Callable[[Path], str]
) -> None:
    record = put_pdf(home)
    application = make_window(home)
    page: Any = go(application, settle, Place("library", record=record))
    page.reader.files.open_first()
    settle(application)
    view = page.reader.file.view
    assert isinstance(view, PdfView)
    assert view._document.pageCount() == 3
    assert page.reader._stack.currentWidget() is view
    page.reader.find_bar.open()
    page.reader.find_bar.field.setText("curriculum")
    qtbot.waitUntil(lambda: view.find_words("curriculum") > 0, timeout=5000)


def test_saving_a_resource(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "library")
    row = page.list.cards.rows[-1]
    page.list.opened.emit(row)
    settle(application)
    page.reader._save.click()
    settle(application)
    assert row.title in titles(listed(application, settle, "shelf"))
    page.reader.cite_menu.copy("apa")
    settle(application)
    assert row.title in QGuiApplication.clipboard().text()


def test_search_as_one_types(make_window: Make, settle: Settle, home: Path, qtbot: Any) -> None:
    application = make_window(home)
    settle(application)
    window = application.window
    window.activateWindow()
    box = window.search
    box.setFocus()
    qtbot.keyClicks(box, "tablettes")
    qtbot.wait(150)
    settle(application)
    assert box.popup.isVisible()
    marked = [row for row in box.list.cards.rows if "\x02" in row.title]
    assert marked, "found words are marked"
    qtbot.keyClick(box, Qt.Key.Key_Down)
    first = box.list.current_row()
    assert first is not None
    qtbot.keyClick(box, Qt.Key.Key_Return)
    settle(application)
    assert application.context.navigator.here.record == first.id
    box.clear()
    qtbot.keyClicks(box, "school")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    settle(application)
    page = window.stack.currentWidget()
    assert isinstance(page, ListPage)
    assert page.list.cards.total > 5
    assert "school" in page.count.text()


def test_a_word_typed_wrong_is_mended_and_may_be_searched_as_typed(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("search", query="shcools"))
    assert page._instead.isVisible()
    assert "schools" in page._instead.text()
    assert page.list.cards.total > 5
    qtbot.mouseClick(page._typed, Qt.MouseButton.LeftButton)
    settle(application)
    assert page._body.currentWidget() is page._nothing
    assert not page._instead.isVisible()
    page = go(application, settle, Place("search", query="school"))
    assert not page._instead.isVisible()


def test_a_search_is_saved_says_what_is_new_and_is_forgotten(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("search", query="school"))
    qtbot.mouseClick(page._save, Qt.MouseButton.LeftButton)
    settle(application)
    shelf: Any = go(application, settle, Place("shelf"))
    qtbot.mouseClick(shelf._tabs["searches"], Qt.MouseButton.LeftButton)
    settle(application)
    assert [(row.title, row.badges) for row in shelf.list.cards.rows] == [("school", ())]
    with Library(home / "library.db") as library:
        day = "2099-01-01T00:00:00Z"
        library.apply(
            "later", [{"id": "new", "type": "resource", "title": "A school", "updated": day}], Cursor(1, 1)
        )
    assert "school" in titles(go(application, settle, Place("home")))
    shelf = go(application, settle, Place("shelf"))
    row = shelf.list.cards.rows[0]
    assert [badge.text for badge in row.badges] == ["1 new"]
    shelf.list.opened.emit(row)
    settle(application)
    page = application.window.stack.currentWidget()
    assert "1 new" in page._news.text()
    qtbot.mouseClick(page._new, Qt.MouseButton.LeftButton)
    settle(application)
    assert titles(page) == ["A school"]
    qtbot.mouseClick(page._new, Qt.MouseButton.LeftButton)
    settle(application)
    assert page.list.cards.total > 5
    with Own(home / "own.db") as own:
        assert own.searches()[0].seen == day
    qtbot.mouseClick(page._save, Qt.MouseButton.LeftButton)
    settle(application)
    with Own(home / "own.db") as own:
        assert own.searches() == []


def test_notes_and_what_waits_are_found_too(make_window: Make, settle: Settle, home: Path) -> None:
    with Own(home / "own.db") as own, Library(home / "library.db") as library:
        about = library.search("school").results[0]
        own.set_note(about.id, "Quokka budget, ask Amina")
        item = own.outbox.add("ask", "Who keeps a quokka?", {"kind": "question", "body": "Nobody here knows."})
    application = make_window(home)
    page: Any = go(application, settle, Place("search", query="quokka"))
    rows = {row.kind: row for row in page.list.cards.rows}
    assert set(rows) == {"note", "item"}
    assert rows["note"].title == about.title
    page.list.opened.emit(rows["note"])
    settle(application)
    assert page.reader.record == about.id
    page.list.opened.emit(rows["item"])
    settle(application)
    here = application.context.navigator.here
    assert (here.page, here.record) == ("outbox", item.id)


def test_what_was_found_by_another_name_says_so(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        name = {"id": "v:c", "type": "concept", "labels": {"en": ["School"], "nl": ["Quadrivium"]}}
        library.apply("public/vocabularies", [name], Cursor(1, 1))
    application = make_window(home)
    page = go(application, settle, Place("search", query="quadrivium"))
    rows = page.list.cards.rows
    assert rows
    assert all("also: \u2068School\u2069" in row.meta for row in rows)


def test_a_search_that_finds_nothing_offers_to_ask(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("search", query="zzzzqqq"))
    assert page._body.currentWidget() is page._nothing


def test_a_question_is_saved_as_typed_and_leaves_through_the_outbox(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    application.context.sync.start()
    page: Any = go(application, settle, Place("ask"))
    qtbot.keyClicks(page.title_field, "Solar panels for schools")
    qtbot.wait(500)
    settle(application)
    with Own(home / "own.db") as own:
        draft = own.draft("ask")
        assert draft is not None
        assert draft["title"] == "Solar panels for schools"
    assert page.hits.cards.rowCount() > 0, "already answered? looks while one types"
    page.send()
    settle(application)
    assert page.title_field.text() == ""
    with Own(home / "own.db") as own:
        item = own.outbox.items(["waiting"])[0]
        assert (item.title, item.body["kind"]) == ("Solar panels for schools", "question")
        assert own.draft("ask") is None
    assert "3 waiting to go" in application.window.pill.text()
    engine: Any = application.context.sync._engine
    assert "wake outbox" in engine.calls, "what was queued may leave at once"


def test_a_draft_is_there_after_a_restart(make_window: Make, settle: Settle, home: Path, qtbot: Any) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.title_field.setText("Half a thought")
    page.body_field.setPlainText("and the rest of it")
    application.window.close()  # at once: the pause after typing is not over yet
    application.stop()
    again = make_window(home)
    page = go(again, settle, Place("ask"))
    assert page.title_field.text() == "Half a thought"
    assert page.body_field.toPlainText() == "and the rest of it"


def test_a_question_without_a_title_is_kept_and_explained(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page: Any = go(application, settle, Place("ask"))
    page.body_field.setPlainText("only a body")
    page.send()
    settle(application)
    assert page.body_field.toPlainText() == "only a body"
    assert "title" in application.window.banner._words.text()


def test_a_reply_lies_over_the_thread_until_the_hub_has_it(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "discussions")
    row = page.list.cards.rows[2]
    page.list.opened.emit(row)
    settle(application)
    page.reader.reply.field.setPlainText("We tried this in Kaolack.")
    page.reader.reply._send.click()
    settle(application)
    text = page.reader.text.toPlainText()
    assert "We tried this in Kaolack." in text
    assert "Waiting for a connection" in text
    assert page.reader.reply.field.toPlainText() == ""
    with Own(home / "own.db") as own:
        item = own.outbox.items(["waiting"])[0]
        assert item.kind == "reply"
        assert item.body["target"] == row.id


def test_the_outbox_changes_and_takes_back_what_has_not_left(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    page: Any = listed(application, settle, "outbox")
    row = next(r for r in page.list.cards.rows if r.title.startswith("How many tablets"))
    page.list.opened.emit(row)
    page.item_view._edit()
    settle(application)
    ask: Any = application.window.stack.currentWidget()
    assert ask.title_field.text() == row.title
    ask.title_field.setText("How many tablets per panel?")
    ask.send()
    settle(application)
    page = listed(application, settle, "outbox")
    assert "How many tablets per panel?" in titles(page)
    assert row.title not in titles(page)
    page.list.opened.emit(next(r for r in page.list.cards.rows if r.title == "How many tablets per panel?"))
    page.item_view._withdraw()
    settle(application)
    assert "How many tablets per panel?" not in titles(page)


def test_what_was_offered_cannot_be_changed_any_more(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page: Any = listed(application, settle, "outbox")
    for row in page.list.cards.rows:
        if row.kind == "item" and row.badges[0].text in ("Sending", "Received by the hub", "Answered"):
            page.list.opened.emit(row)
            settle(application)
            names = {
                b.accessibleName()
                for b in page.item_view.findChildren(type(application.window.pill))
                if b.isVisible()
            }
            assert not names & {"Change", "Take back", "Send again"}
    refused = next(r for r in page.list.cards.rows if r.title == "Connectivity prices")
    page.list.opened.emit(refused)
    settle(application)
    page.item_view._submit()
    settle(application)
    with Own(home / "own.db") as own:
        assert "Connectivity prices" in [item.title for item in own.outbox.items(["waiting"])]


def test_an_expert_can_be_asked_for_an_introduction(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = listed(application, settle, "people")
    page.list.opened.emit(page.list.cards.rows[0])
    settle(application)
    page.reader._ask.click()
    settle(application)
    ask: Any = application.window.stack.currentWidget()
    assert ask.kind == "helpdesk"
    assert page.list.cards.rows[0].title in ask.title_field.text()


def test_a_citation_jumps_to_its_message(make_window: Make, settle: Settle, home: Path) -> None:
    from PySide6.QtCore import QUrl

    application = make_window(home)
    with Library(home / "library.db") as library:
        thread = next(c.id for c in library.threads().items if c.lang == "en")
    page: Any = go(application, settle, Place("discussions", record=thread))
    page.reader.text._follow(QUrl("#message-5"))
    assert page.reader.text.place() > 0
    assert page.reader.text.extraSelections(), "the message is marked"


def test_links_outside_show_where_they_go(make_window: Make, settle: Settle, home: Path, qtbot: Any) -> None:
    from PySide6.QtCore import QUrl
    from PySide6.QtWidgets import QLabel

    from desktop.reading.outside import OutsideDialog, open_outside

    application = make_window(home)
    settle(application)
    open_outside(application.window, QUrl("https://sample.hubshelf.example/x"))
    dialog = application.window.findChild(OutsideDialog)
    assert dialog is not None
    assert dialog.isVisible()
    assert "https://sample.hubshelf.example/x" in [w.text() for w in dialog.findChildren(QLabel)]
    dialog.reject()
    qtbot.wait(10)
    open_outside(application.window, QUrl("file:///etc/passwd"))
    assert application.window.findChild(OutsideDialog) is None


def test_first_run_is_shown_where_there_is_no_hub(make_window: Make, settle: Settle, tmp_path: Path) -> None:
    application = make_window(tmp_path / "new")
    settle(application)
    page: Any = application.window.stack.currentWidget()
    assert page is application.window.pages["first-run"]
    assert not application.window.rail.isVisible()
    page._choose_language("en")
    page.address.setText("http://203.0.113.5/")
    page.code.setText("ABCD-EFGH-JKMN")
    page.connect_button.click()
    settle(application)
    assert "not protected" in page._note.text(), "an unprotected address is refused with words"
    page._later()
    settle(application)
    home_page: Any = application.window.stack.currentWidget()
    assert home_page is application.window.pages["home"]
    assert home_page._empty is not None
    assert json.loads((tmp_path / "new" / "window.json").read_text())["introduced"] is True


@pytest.mark.parametrize("name", ["library", "discussions", "people", "shelf", "outbox", "search", "sync"])
def test_empty_places_explain_themselves(make_window: Make, settle: Settle, tmp_path: Path, name: str) -> None:
    application = make_window(tmp_path / "new")
    page: Any = go(application, settle, Place(name))
    if isinstance(page, ListPage):
        assert page._body.currentWidget() is page._nothing


def test_arabic_is_really_mirrored(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    settle(application)
    assert application.window.rail.x() == 0
    application.context.preferences.language = "ar"
    application.context.notices.look_changed.emit()
    settle(application)
    window = application.window
    assert window.rail.x() > window.width() / 2
    assert window.pill.mapTo(window, window.pill.rect().topLeft()).x() < window.width() / 2
    assert window.rail.buttons["home"].text() == "الرئيسية"
    application.context.preferences.language = "en"
    application.context.notices.look_changed.emit()
    settle(application)
    assert application.window.rail.x() == 0


def test_a_problem_is_told_in_words_with_a_step(make_window: Make, settle: Settle, home: Path) -> None:
    from resources_cache.errors import DiskFull

    application = make_window(home)
    settle(application)
    application.context.notices.problem.emit(DiskFull("no room"))
    banner = application.window.banner
    assert "disk of this computer is full" in banner._words.text()
    banner._action.click()
    settle(application)
    assert application.context.navigator.here.page == "shelf"


def test_an_answered_question_is_one_row_with_its_answer(make_window: Make, settle: Settle, home: Path) -> None:
    title = "Sharing content servers between schools"
    with Own(home / "own.db") as own, Library(home / "library.db") as library:
        item = next(item for item in own.outbox.items() if item.title == title)
        asked = {"id": item.id, "type": "request", "kind": "practice", "title": title, "state": "delivered"}
        reply = {"id": "r9", "type": "reply", "request": item.id, "author": "Team", "body": "Well done."}
        library.apply_personal([asked, reply], 1, 3)
    application = make_window(home)
    page = listed(application, settle, "outbox")
    assert titles(page).count(title) == 1
    page.list.opened.emit(next(row for row in page.list.cards.rows if row.title == title))
    settle(application)
    assert "Well done." in page.reader.text.toPlainText()


def test_a_refused_code_is_said_to_be_the_code(make_window: Make, settle: Settle, tmp_path: Path) -> None:
    from sync.errors import HubProblem
    from sync.protocol.problems import Problem

    application = make_window(tmp_path / "new")
    page: Any = go(application, settle, Place("first-run", tab="hub"))
    page._refused(HubProblem(Problem("code-unknown", "No.", "auth", 403)))
    assert "did not accept this code" in page._note.text()
    page._refused(HubProblem(Problem("busy", "Later.", "retry", 503)))
    assert "cannot answer properly" in page._note.text()
    assert page.connect_button.isEnabled()


def test_what_arrives_meanwhile_does_not_keep_the_record_before(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    settle(application)
    with Library(home / "library.db") as library:
        first, second = (card.id for card in library.browse(("resource",), None, "newest", 0, 2).items)
    application.context.navigator.open_record("resource", first)
    settle(application)
    reader: Any = application.window.page("library")
    assert reader.reader.record == first
    reader.reader.open(second)
    application.context.sync.arrived.emit()  # before it is read
    settle(application)
    assert reader.reader.record == second
