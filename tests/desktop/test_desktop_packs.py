"""What the window says of a shelf that lives on sticks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QAbstractButton, QLabel

from desktop.app import Application
from desktop.navigation import Place
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def test_a_shelf_that_was_filled_by_a_pack_is_not_asked_for_a_hub(
    make_window: Make, settle: Settle, tmp_path: Path
) -> None:
    path = tmp_path / "island"
    path.mkdir()
    with Own(path / "own.db") as own:
        own.set_setting("by_pack", {"published": "2026-05-03T08:00:00Z", "at": "2026-05-04T08:00:00Z"})
    application = make_window(path)
    settle(application)
    assert application.window.stack.currentWidget() is application.window.pages["home"]


def test_the_outbox_says_what_was_left_on_a_stick(make_window: Make, settle: Settle, home: Path) -> None:
    with Own(home / "own.db") as own:
        item = own.outbox.add("ask", "Who pays for the radios?", {"kind": "question", "body": "?"})
        own.outbox.leave_by_hand([item.id])
    application = make_window(home)
    settle(application)
    application.context.navigator.go(Place("outbox", record=item.id))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    said = [one.text() for one in page.findChildren(QLabel) if one.isVisible()]
    assert any("Left on a stick on" in one and "not yet confirmed" in one for one in said)
    assert "Waiting for a connection" in said
    buttons = [one.text() for one in page.findChildren(QAbstractButton) if one.isVisible()]
    assert not {"Change", "Take back"} & set(buttons)


def test_home_says_of_a_file_that_came_that_it_is_here(
    make_window: Make, settle: Settle, home: Path, put_pdf: Callable[[Path], str]
) -> None:
    with_file = put_pdf(home)
    application = make_window(home)
    settle(application)
    page: Any = application.window.pages["home"]
    spoken = {row.id: row.spoken() for row in page.list.cards.rows}
    assert "File here" in spoken[with_file]
    assert "On the hub" not in spoken[with_file]
