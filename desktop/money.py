"""What data costs in money, where the person or an IT team has said what one MB costs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QLocale

from desktop.words import _, isolate, language, locale_of

SETTING = "price_per_mb"
"""The setting of own.db: an amount and a currency, such as `0.05 USD`; none or anything else: no price."""
_AMOUNT = r"(?P<amount>\d{1,9}(?:[.,٫]\d{1,6})?)"
_CURRENCY = r"(?P<currency>[^\W\d_]{0,8}[$€£¥₦₵₹]|[^\W\d_]{1,8})"
_WRITTEN = (re.compile(rf"{_AMOUNT}\s*{_CURRENCY}"), re.compile(rf"{_CURRENCY}\s*{_AMOUNT}"))
_GROUPED = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
"""One thousand, or one and no more? Who writes `1,000` is asked again, not charged a thousandth."""


@dataclass(frozen=True)
class DataPrice:
    """`amount`: what 1,000,000 bytes cost, in `currency` as the person writes it."""

    amount: float
    currency: str

    @staticmethod
    def read(written: object) -> DataPrice | None:
        """The price in `0.05 USD`, `US$ 0.05` or `٠٫٠٥ USD`; None for anything else, and for nothing."""
        if not isinstance(written, str) or len(written) > 40:
            return None
        tried = (way.fullmatch(written.strip()) for way in _WRITTEN)
        found = next((match for match in tried if match is not None), None)
        if found is None or _GROUPED.fullmatch(found["amount"]):
            return None
        amount = float(found["amount"].replace(",", ".").replace("٫", "."))
        return DataPrice(amount, found["currency"]) if amount else None

    def words(self, count: int) -> str:
        """What `count` bytes cost: `0.42 USD`, or `less than 0.01 USD`."""
        cost = self.amount * count / 1e6
        text = QLocale(locale_of(language())).toString(max(cost, 0.01), "f", 2)
        money = isolate(f"{text} {self.currency}")
        return _("less than {money}").format(money=money) if cost < 0.01 else money
