"""Moving to a new PC and one's own computers, in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QLabel, QPushButton

from desktop.app import Application
from desktop.error_words import words_of_code
from desktop.navigation import Place
from desktop.pages.moving import MovingPage, passphrase_words
from resources_cache.own import Own
from sync.protocol.devices import DeviceEntry

Make = Callable[..., Application]
Settle = Callable[[Application], None]
PHRASE = "rain on a tin roof"


def page_of(application: Application, settle: Settle) -> MovingPage:
    application.context.navigator.go(Place("moving"))
    settle(application)
    page = application.window.stack.currentWidget()
    assert isinstance(page, MovingPage)
    return page


def note(page: MovingPage) -> str:
    return page._note.text()


def test_how_good_a_passphrase_is_is_said_by_its_length() -> None:
    said = [
        passphrase_words(one) for one in ("", "seven77", "eight888", "aaaaaaaaaaaaaaaaaaaaaaaaa", PHRASE + "ing")
    ]
    assert said[0].startswith("At least eight")
    assert said[1:] == ["Too short still.", said[3], "It will do. Longer is better: add a word or two.", "Good."]
    assert said[2] == said[3]


def test_a_shelf_is_moved_out_and_taken_back(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path
) -> None:
    application = make_window(home)
    page = page_of(application, settle)
    page.new_phrase.field.setText(PHRASE)
    assert page.new_phrase.quality.text() == passphrase_words(PHRASE)
    page.make_file(tmp_path / "amina.hubshelf-move")
    settle(application)
    assert "was read back whole" in note(page)
    assert page.again_button.isVisible()
    assert not page.make_button.isVisible()
    with Own(home / "own.db") as own:
        assert own.setting("moved_out")
        before = own.device().epoch

    # The same file on a PC where nobody works yet, first with a slip in the passphrase.
    new = tmp_path / "new"
    new.mkdir()
    (new / "window.json").write_text('{"introduced": true, "language": "en"}')
    other = make_window(new)
    opening = page_of(other, settle)
    opening.old_phrase.field.setText(PHRASE + "s")
    opening.open_file(tmp_path / "amina.hubshelf-move")
    settle(other)
    assert words_of_code("wrong-passphrase").sentence in note(opening)
    anew: list[int] = []
    other.context.notices.open_anew.disconnect()  # it ends the event loop, which is the test's here
    other.context.notices.open_anew.connect(lambda: anew.append(1))
    opening.old_phrase.field.setText(PHRASE)
    opening.open_file(tmp_path / "amina.hubshelf-move")
    settle(other)
    assert anew
    with Own(home / "own.db") as old, Own(new / "own.db") as own:
        assert {one.id for one in own.outbox.items()} == {one.id for one in old.outbox.items()}
        assert own.setting("hub_name") == "Sample hub"

    page.again_button.click()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.setting("moved_out") is None
        assert own.device().epoch > before
    assert page.make_button.isVisible()


def test_other_computers_can_lose_their_access_and_this_one_cannot(
    make_window: Make, settle: Settle, home: Path
) -> None:
    page = page_of(make_window(home), settle)
    now = "2026-11-20T10:00:00Z"
    page.devices.show_devices(
        [
            DeviceEntry("d-2", "Room 12", "Linux", now, now),
            DeviceEntry("d-1", "Laptop", "Windows", now, now, this=True),
            DeviceEntry("d-0", "Old laptop", "", now, now, revoked=now, moved=True),
        ]
    )
    shown = [one.text() for one in page.devices.findChildren(QLabel)]
    assert not any("Old laptop" in one for one in shown)
    (first, second) = (one for one in shown if "Laptop" in one or "Room 12" in one)
    assert "Laptop" in first
    assert "Room 12" in second
    named = [one.accessibleName() for one in page.devices.findChildren(QPushButton)]
    assert [one for one in named if one.startswith("Take its access away")] == ["Take its access away: Room 12"]
