"""What data costs in money, where the person or an IT team has said what one MB costs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QLocale

from desktop.words import _, isolate, language, locale_of

SETTING = "price_per_mb"
"""The setting of own.db: an amount and a currency, such as `0.05 USD`; none or anything else: no price."""
_WRITTEN = re.compile(r"(\d{1,9}(?:[.,٫]\d{1,6})?)\s*([^\W\d_]{1,8}|[$€£¥₦₵₹])", re.UNICODE)


@dataclass(frozen=True)
class DataPrice:
    """`amount`: what 1,000,000 bytes cost, in `currency` as the person writes it."""

    amount: float
    currency: str

    @staticmethod
    def read(written: object) -> DataPrice | None:
        """The price in `0.05 USD`, `0,05 €` or `٠٫٠٥ USD`; None for anything else, and for a price of nothing."""
        found = _WRITTEN.fullmatch(written.strip()) if isinstance(written, str) and len(written) < 40 else None
        if found is None:
            return None
        amount = float(found[1].replace(",", ".").replace("٫", "."))
        return DataPrice(amount, found[2]) if amount else None

    def words(self, count: int) -> str:
        """What `count` bytes cost: `0.42 USD`, or `less than 0.01 USD`."""
        cost = self.amount * count / 1e6
        text = QLocale(locale_of(language())).toString(max(cost, 0.01), "f", 2)
        money = isolate(f"{text} {self.currency}")
        return _("less than {money}").format(money=money) if cost < 0.01 else money
