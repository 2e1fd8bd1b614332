"""A request of one's own in the window: where it is by day, what one says of the answer, and its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop.app import Application
from desktop.navigation import Place
from desktop.reading import request_page
from desktop.words import use_language
from resources_cache.library import Library
from resources_cache.own import Own
from sync.delivery import operations

Make = Callable[..., Application]
Settle = Callable[[Application], None]
ANSWERED = "01920000-9999-7000-8000-000000000001"

RECORD: dict[str, Any] = {
    "id": "q1",
    "type": "request",
    "kind": "helpdesk",
    "title": "A costing",
    "body": "For 900 schools.",
    "lang": "en",
    "state": "delivered",
    "created": "2026-11-02T09:00:00Z",
    "updated": "2026-11-09T09:00:00Z",
    "history": [
        ["triaged", "2026-11-02T15:00:00Z"],
        ["assigned", "2026-11-03T09:00:00Z"],
        ["waiting", "2026-11-04T09:00:00Z"],
        ["delivered", "2026-11-09T09:00:00Z"],
    ],
}


def opened(application: Application, settle: Settle, record: str = ANSWERED) -> Any:
    application.context.navigator.go(Place("outbox", record=record))
    settle(application)
    settle(application)
    page: Any = application.window.stack.currentWidget()
    return page.reader


def test_the_timeline_names_each_step_with_its_day() -> None:
    html = request_page.timeline(RECORD)
    steps = ["Received by the hub", "Read by the team", "Given to an expert", "Waiting for you", "Answered"]
    places = [html.index(step) for step in steps]
    assert places == sorted(places)
    assert "9 November 2026" in html
    assert "after 7 days" in html
    assert "after 1 day<" in html
    assert html.count("●") == 1
    assert "Say below whether it helped" in html


@pytest.mark.parametrize(("lang", "words"), [("fr", "novembre"), ("ar", "نوفمبر")])
def test_the_timeline_speaks_the_readers_language(lang: str, words: str) -> None:
    use_language(lang)
    html = request_page.timeline(RECORD)
    assert words in html
    assert "Received" not in html
    assert "after" not in html


def test_a_hub_of_before_tells_where_it_began_and_where_it_is() -> None:
    old = {key: value for key, value in RECORD.items() if key != "history"}
    html = request_page.timeline(old)
    assert "Received by the hub" in html
    assert "Answered" in html
    assert "Given to an expert" not in html


@pytest.mark.parametrize(
    "history",
    [
        7,
        "x",
        [7],
        [["waiting"]],
        [["waiting", 7]],
        [{"a": 1}],
        [["<b>x</b>", "<i>"]] * 500,
        [["waiting", "x" * 9999]],
    ],
)
def test_a_history_that_is_none_does_no_harm(history: object) -> None:
    html = request_page.page({**RECORD, "history": history}, [], request_page.Matters()).html
    assert "A costing" in html
    assert "<i>" not in html
    assert html.count("○") <= 61


def test_what_is_said_of_an_answer_leaves_through_the_outbox_and_may_change(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    reader = opened(application, settle)
    verdict = reader.request.verdict
    assert verdict.isVisible()
    assert not verdict.more.isVisible()
    verdict.choices["partly"].click()
    verdict.words.setText("The costs are missing.")
    verdict.publish.setChecked(True)
    verdict.send_button.click()
    settle(application)
    said = "It helped partly"
    assert said in reader.text.toPlainText()
    assert "The community may read question and answer" in reader.text.toPlainText()
    with Own(home / "own.db") as own:
        (item,) = [item for item in own.outbox.items(["waiting"]) if item.kind == "rate"]
        (operation,) = operations([item], 1)
        assert operation.kind == "rate"
        assert dict(operation.body) == {
            "target": ANSWERED, "satisfied": "partly", "body": "The costs are missing.", "publish": True,
        }  # fmt: skip
    verdict.choices["yes"].click()
    verdict.publish.setChecked(False)
    verdict.send_button.click()
    settle(application)
    with Own(home / "own.db") as own:
        (same,) = [item for item in own.outbox.items(["waiting"]) if item.kind == "rate"]
        assert (same.id, same.body["satisfied"], same.body["publish"]) == (item.id, "yes", False)
        own.outbox.begin_sending([same.id])
    verdict.choices["no"].click()
    verdict.send_button.click()
    settle(application)
    with Own(home / "own.db") as own:
        rates = [item for item in own.outbox.items() if item.kind == "rate"]
        assert [item.body["satisfied"] for item in rates] == ["no", "yes"], "what left stays, the new one follows"


def test_what_an_older_hub_refuses_is_told_in_words_and_may_be_said_anew(
    make_window: Make, settle: Settle, home: Path
) -> None:
    with Own(home / "own.db") as own:
        body = {"target": ANSWERED, "satisfied": "yes", "publish": False}
        item = own.outbox.add("rate", "Which tablets?", body)
        own.outbox.begin_sending([item.id])
        own.outbox.set_aside(
            item.id,
            {
                "type": "urn:hubshelf:problem:unknown-operation",
                "title": "This hub does not know this kind of message yet.",
                "status": 422,
                "action": "drop",
                "detail": "",
            },
        )
    application = make_window(home)
    application.context.navigator.go(Place("outbox", record=item.id))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    words = " ".join(part.text() for part in page.item_view.findChildren(QLabel))
    assert "does not know" in words
    assert "It helped" in words
    page.item_view._edit()
    settle(application)
    verdict = page.reader.request.verdict
    assert verdict.isVisible()
    verdict.choices["yes"].click()
    verdict.send_button.click()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.outbox.item(item.id).state == "withdrawn"
        assert [one.state for one in own.outbox.items() if one.kind == "rate"] == ["waiting"]


def test_half_a_verdict_is_there_after_a_restart(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    verdict = opened(application, settle).request.verdict
    verdict.choices["no"].click()
    qtbot.keyClicks(verdict.words, "It speaks of other")
    application.window.close()
    application.stop()
    again = make_window(home)
    verdict = opened(again, settle).request.verdict
    assert verdict.words.text() == "It speaks of other"
    assert verdict.choices["no"].isChecked()
    verdict.send_button.click()
    settle(again)
    with Own(home / "own.db") as own:
        assert own.draft(f"rate:{ANSWERED}") is None


def test_what_has_no_answer_is_not_asked_about_and_can_be_called_off(
    make_window: Make, settle: Settle, home: Path
) -> None:
    with Library(home / "library.db") as library:
        open_one = {**RECORD, "id": "q-open", "state": "assigned", "history": RECORD["history"][:2]}
        library.apply_personal([open_one], 1, 3)
    application = make_window(home)
    reader = opened(application, settle, "q-open")
    assert not reader.request.verdict.isVisible()
    reader.request.no_longer.click()
    assert "no longer need" in reader.reply.field.toPlainText()
    reader.reply.field.setPlainText("Something of my own")
    reader.request.no_longer.click()
    assert reader.reply.field.toPlainText() == "Something of my own"


def test_what_waits_on_the_person_is_on_home_and_ones_own_reply_is_no_answer(
    make_window: Make, settle: Settle, home: Path
) -> None:
    with Library(home / "library.db") as library:
        asked_back = {**RECORD, "id": "q-back", "title": "Asked back", "state": "waiting"}
        followed = {**RECORD, "id": "q-own", "title": "Followed up", "state": "in-progress"}
        mine = {"id": "r9", "type": "reply", "request": "q-own", "author": "A", "body": "Please.", "mine": True}
        library.apply_personal([asked_back, followed, mine], 1, 3)
    application = make_window(home)
    settle(application)
    page: Any = application.window.pages["home"]
    rows = {row.title: row for row in page.list.cards.rows}
    assert [(badge.text, badge.tone) for badge in rows["Asked back"].badges] == [("Waiting for you", "warn")]
    assert "Followed up" not in rows
    reader = opened(application, settle, "q-own")
    assert not reader.request.verdict.isVisible()


def test_what_is_over_takes_no_reply(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        library.apply_personal([{**RECORD, "id": "q-over", "state": "closed"}], 1, 3)
    application = make_window(home)
    reader = opened(application, settle, "q-over")
    assert not reader.reply.isVisible()
    assert "ask a new question" in reader.text.toPlainText()


def test_a_confidential_answer_is_never_offered_to_the_community(
    make_window: Make, settle: Settle, home: Path
) -> None:
    with Library(home / "library.db") as library:
        secret = {**RECORD, "id": "q-secret", "confidential": True}
        reply = {"id": "r9", "type": "reply", "request": "q-secret", "author": "Team", "body": "Here."}
        library.apply_personal([secret, reply], 1, 3)
    application = make_window(home)
    verdict = opened(application, settle, "q-secret").request.verdict
    verdict.choices["yes"].click()
    assert not verdict.publish.isVisible()
    verdict.send_button.click()
    settle(application)
    with Own(home / "own.db") as own:
        (item,) = [item for item in own.outbox.items(["waiting"]) if item.kind == "rate"]
        assert item.body["publish"] is False


def test_the_files_of_a_request_say_how_far_they_are(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path, put_pdf: Callable[[Path], str]
) -> None:
    from desktop import attachments
    from desktop.shelf import Shelf

    source = tmp_path / "plan.csv"
    source.write_text("a plan\n" * 1000)
    put_pdf(home)
    printed = next(path for path in (home / "files").glob("*/*") if path.is_file())
    shown = tmp_path / "plan.pdf"
    shown.write_bytes(printed.read_bytes())
    with Shelf(home) as shelf:
        files = list(attachments.take(shelf, [source, shown], [], 10).copied)
        reply = {"target": ANSWERED, "title": "T", "body": "The plan.", "attachments": files}
        item = shelf.own.outbox.add("reply", "T", reply)
        shelf.own.outbox.begin_sending([item.id])
        shelf.own.outbox.receive(item.id, {"received": "2026-11-20T10:00:00Z"})
        path = attachments.path_of(shelf, files[0]["hash"])
        assert path.read_text() == "a plan\n" * 1000
    application = make_window(home)
    tools = opened(application, settle).request
    pdf = next(part for part in tools.findChildren(QPushButton) if part.text() == "Read the PDF")
    pdf.click()
    settle(application)
    view = tools.parent()
    while not hasattr(view, "find_bar"):
        view = view.parent()
    assert view._stack.currentWidget() is not view.text
    assert view._stack.currentWidget().isVisible()
    next(part for part in tools.findChildren(QPushButton) if part.text() == "Show the text").click()
    assert view._stack.currentWidget() is view.text
    assert any("plan.csv" in part.text() and "waits" in part.text() for part in tools.findChildren(QLabel))
