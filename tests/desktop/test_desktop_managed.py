"""What an administrator decided, as people meet it: grey in the window, refused on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.first_run import FirstRunPage
from desktop.pages.keep_chooser import KeepChooser, Kept, save_choice
from desktop.pages.preferences import PreferencesPage
from desktop.pages.sync import SyncPage
from desktop.shelf import Shelf
from desktop.words import language, use_language
from resources_cache.own import Own
from sync.machine_files import VARIABLE
from sync.offers import StreamOffer
from tests.programs import command

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "machine"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def decide(machine: Path, name: str = "policies.json", **keys: object) -> None:
    path = machine / name
    path.write_text(json.dumps(keys))
    path.chmod(0o644)


def page(application: Application, settle: Settle, place: Place) -> object:
    application.context.navigator.go(place)
    settle(application)
    return application.window.stack.currentWidget()


def test_the_sync_page_is_grey_where_it_was_decided(
    make_window: Make, settle: Settle, home: Path, machine: Path
) -> None:
    decide(machine, daily_limit_kb=2_000, allowed_hours=["20:00-06:00"], lan_sharing=False)
    found = page(make_window(home), settle, Place("sync"))
    assert isinstance(found, SyncPage)
    assert (found._limit.isEnabled(), found._limit.value()) == (False, "2000000")
    assert (found._hours.isEnabled(), found._hours.value()) == (False, "night")
    assert found._texts.isEnabled()
    assert found._managed[found._limit].text() == "Managed by your administrator."
    assert not found._managed[found._limit].isHidden()
    assert found._managed[found._texts].isHidden()
    assert found._limit.accessibleDescription() == "Managed by your administrator."
    assert not found.in_the_office.share.isEnabled()
    assert not found.in_the_office.locked.isHidden()


def test_the_language_of_the_window_is_decided(
    make_window: Make, settle: Settle, home: Path, machine: Path
) -> None:
    decide(machine, interface_language="fr")
    application = make_window(home)
    assert language() == "fr"
    found = page(application, settle, Place("preferences"))
    assert isinstance(found, PreferencesPage)
    assert not found.language_field.isEnabled()
    assert found.managed.text() == "Géré par votre administrateur."
    assert not found.managed.isHidden()
    found.scheme_field.choose("dark")  # what is not decided is still the person's
    settle(application)
    assert application.context.preferences.scheme == "dark"
    assert application.context.preferences.language in ("", "en")  # theirs again once nobody decides
    use_language("en")


def test_the_first_run_has_the_hub_that_was_decided(
    make_window: Make, settle: Settle, tmp_path: Path, machine: Path
) -> None:
    decide(machine, hub_url="https://hub.ministry.example", lan_sharing=True)
    found = page(make_window(tmp_path / "new"), settle, Place("first-run", tab="hub"))
    assert isinstance(found, FirstRunPage)
    assert (found.address.text(), found.address.isEnabled()) == ("https://hub.ministry.example", False)
    assert not found.managed.isHidden()
    assert found.code.isEnabled()
    found._show_step(2)
    assert found.share.isHidden()


def test_a_default_is_filled_in_and_can_be_changed(
    make_window: Make, settle: Settle, tmp_path: Path, machine: Path
) -> None:
    decide(machine, "defaults.json", hub_url="https://hub.ministry.example", lan_sharing=True)
    found = page(make_window(tmp_path / "new"), settle, Place("first-run", tab="hub"))
    assert isinstance(found, FirstRunPage)
    assert (found.address.text(), found.address.isEnabled()) == ("https://hub.ministry.example", True)
    assert found.managed.isHidden()
    found._show_step(2)
    assert found.share.isChecked()


def test_the_languages_of_the_content_are_decided(
    make_window: Make, settle: Settle, home: Path, machine: Path
) -> None:
    decide(machine, languages=["fr"])
    application = make_window(home)
    settle(application)
    chooser = KeepChooser(application.context)
    chooser.setParent(application.window)
    offers = [StreamOffer(f"public/cards/{code}", "cards", code, "", 1_000, 1) for code in ("en", "fr")]
    chooser.show_offers(Kept(offers, ["fr"], None, True), first_time=True)
    assert {code: (box.isChecked(), box.isEnabled()) for code, box in chooser._languages.items()} == {
        "en": (False, False),
        "fr": (True, False),
    }
    with Shelf(home) as shelf:
        save_choice(["en"], ["data-and-evidence"], shelf)
        assert shelf.own.setting("languages") == ["fr"]
        assert shelf.own.setting("themes") == ["data-and-evidence"]


def test_the_first_run_asks_for_no_language_that_was_decided(
    make_window: Make, settle: Settle, tmp_path: Path, machine: Path
) -> None:
    decide(machine, interface_language="en")
    application = make_window(tmp_path / "new")
    found = page(application, settle, Place("first-run", tab="language"))
    assert isinstance(found, FirstRunPage)
    choices = [one for one in found.findChildren(QPushButton) if one.isCheckable()]
    assert [one.text() for one in choices if one.isEnabled()] == ["English"]
    QTest.mouseClick(next(one for one in choices if one.isEnabled()), Qt.MouseButton.LeftButton)
    assert application.context.preferences.language == ""


def test_the_command_line_says_who_decided_and_refuses(tmp_path: Path, machine: Path) -> None:
    decide(
        machine,
        daily_limit_kb=500,
        lan_sharing=True,
        hub_url="https://hub.a.example",
        site_code="ABCD-EFGH-JKMN",
        x=1,
    )
    decide(machine, "defaults.json", low_data=True)
    home = tmp_path / "home"

    def shown() -> dict[str, tuple[object, str, bool]]:
        answer = command("hubshelf", "--show-policy", home=home)
        assert answer["problems"] == [f"“x” in {machine / 'policies.json'} is no policy that this version knows."]
        return {row["name"]: (row["value"], row["origin"], row["locked"]) for row in answer["keys"]}

    assert shown()["daily_limit_kb"] == (500, "locked", True)
    assert shown()["low_data"] == (True, "default", False)
    assert shown()["site_code"] == ("set", "locked", True)  # a report need not spread it
    assert not home.exists()  # it only says
    for arguments in (
        ["set", "daily_limit_kb", "9000"],
        ["set", "daily_limit_kb", "--forget"],
        ["neighbours", "off"],
        ["enrol", "https://hub.b.example", "ABCD-EFGH-JKMN"],
    ):
        error = command("hubshelf", *arguments, home=home, expect=1)["error"]
        assert error["code"] == "setting-locked", arguments
        assert "administrator" in error["message"]
    assert command("hubshelf", "set", "low_data", "false", home=home)["origin"] == "yours"
    assert shown()["low_data"] == (False, "yours", False)
    command("hubshelf", "set", "low_data", "--forget", home=home)
    assert shown()["low_data"] == (True, "default", False)


@pytest.mark.parametrize(
    "wrong",
    [
        ["set", "nothing", "1"],
        ["set", "low_data", "perhaps"],
        ["set", "low_data"],
        ["set", "hub_url", "https://hub.example"],
        ["set", "ca_bundle", "/etc/x.pem"],
    ],
)
def test_what_cannot_be_chosen_is_wrong_usage(tmp_path: Path, wrong: list[str]) -> None:
    assert command("hubshelf", *wrong, home=tmp_path / "home", expect=2)["error"]["code"] == "usage"


def test_what_was_chosen_on_the_command_line_is_what_the_window_has(
    make_window: Make, settle: Settle, home: Path
) -> None:
    command("hubshelf", "set", "allowed_hours", "20:00-06:00", home=home)
    with Own(home / "own.db") as own:
        assert own.setting("allowed_hours") == [["20:00", "06:00"]]
    found = page(make_window(home), settle, Place("sync"))
    assert isinstance(found, SyncPage)
    assert found._hours.value() == "night"
