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
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF FCFA CFA FBU FDJ FRW USH",
    3: "BHD IQD JOD KWD LYD OMR TND DT",
    4: "CLF UYW",
}
"""Decimals of the currencies that have not 2 (ISO 4217, list one, "minor unit"), and names that people write
instead of the code. A sign stands for too many currencies to tell, and has 2."""
_DECIMALS_OF = {name: count for count, names in _DECIMALS.items() for name in names.split()}


def decimals(currency: str) -> int:
    """How many decimals amounts of this currency have, 0 to 4."""
    return _DECIMALS_OF.get(currency.upper(), 2)


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
        """What `count` bytes cost, in the decimals of the currency: `0.42 USD`, `12 XOF`, `less than 0.01 USD`."""
        digits = decimals(self.currency)
        cost, least = self.amount * count / 1e6, 10.0**-digits
        text = QLocale(locale_of(language())).toString(max(cost, least), "f", digits)
        money = isolate(f"{text} {self.currency}")
        return _("less than {money}").format(money=money) if cost < least else money
