"""What the next sync would cost, in bytes, minutes and money, and the price of a MB as people write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.numbers import get_currency_precision

from desktop.app import Application
from desktop.money import SETTING, DataPrice, decimals
from desktop.navigation import Place
from desktop.pages.sync import SyncPage, _sync_words
from desktop.pages.sync_price import Asked, price_words
from resources_cache.own import Own
from sync.prices import Price

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.mark.parametrize(
    ("written", "amount", "currency"),
    [
        ("0.05 USD", 0.05, "USD"),
        (" 0,05 € ", 0.05, "€"),
        ("12 XOF", 12.0, "XOF"),
        ("٠٫٠٥ USD", 0.05, "USD"),
        ("US$ 0.05", 0.05, "US$"),
        ("0.125 R$", 0.125, "R$"),
    ],
)
def test_a_price_is_read_as_people_write_it(written: str, amount: float, currency: str) -> None:
    assert DataPrice.read(written) == DataPrice(amount, currency)


@pytest.mark.parametrize(
    "written",
    ["", "cheap", "1,000 XOF", "1.000 XOF", "0.05", "-1 USD", "0 USD", "1e9 USD", "1 " + "A" * 50, 5, None],
)
def test_what_is_no_price_is_none(written: object) -> None:
    assert DataPrice.read(written) is None


@pytest.mark.parametrize(
    ("price", "count", "words"),
    [
        ("25 XOF", 1_500_000, "38 XOF"),
        ("25 xof", 10_000, "less than 1 xof"),
        ("2 KES", 1_234_000, "2.47 KES"),
        ("0.05 TND", 1_234_000, "0.062 TND"),
        ("0.05 TND", 1_000, "less than 0.001 TND"),
        ("0.05 $", 1_000_000, "0.05 $"),
        ("30 FCFA", 2_000_000, "60 FCFA"),
    ],
)
def test_money_has_the_decimals_of_its_currency(price: str, count: int, words: str) -> None:
    read = DataPrice.read(price)
    assert read is not None
    assert read.words(count).replace("\u2068", "").replace("\u2069", "") == words


def test_the_decimals_are_those_that_cldr_has_for_coins_in_use() -> None:
    """Babel carries CLDR, which says what is used: of those it agrees with ISO 4217 about."""
    codes = (
        "USD",
        "EUR",
        "KES",
        "NGN",
        "ETB",
        "XOF",
        "XAF",
        "RWF",
        "UGX",
        "GNF",
        "BIF",
        "DJF",
        "KMF",
        "TND",
        "KWD",
        "JOD",
    )
    for code in codes:
        assert decimals(code) == get_currency_precision(code), code


def test_bytes_minutes_and_money_stand_in_one_line() -> None:
    price = Price(2_000_000, 3, 240)
    bare = price_words(Asked(price, None))
    assert bare == "The next sync moves 2.0 MB · about 4 min"
    assert "0.50 USD" in price_words(Asked(price, DataPrice(0.25, "USD")))
    assert "less than " in price_words(Asked(Price(1000, 1, None), DataPrice(0.25, "USD")))
    assert price_words(Asked(Price(0, 0, None), None)) == "Nothing is new, and nothing waits to be sent."


def test_the_price_of_a_megabyte_is_kept_and_a_wrong_one_is_not(
    make_window: Make, settle: Settle, home: Path
) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("sync"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    assert isinstance(page, SyncPage)
    field = page._price.field
    field.setText("cheap")
    field.editingFinished.emit()
    settle(application)
    assert page._price._note.text().startswith("Write an amount")
    with Own(home / "own.db") as own:
        assert own.setting(SETTING) is None
    field.setText("0.05 USD")
    field.editingFinished.emit()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.setting(SETTING) == "0.05 USD"


def test_the_history_tells_a_question_about_the_price_from_a_sync() -> None:
    assert _sync_words({"kind": "price", "records": 0}) == "Asked what it would cost"
    assert _sync_words({"records": 0}) == "Nothing new"
    assert _sync_words({"kind": "file", "records": 0}) == "A file that you asked for"
