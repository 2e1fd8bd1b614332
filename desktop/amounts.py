"""Sizes, times and dates as people say them, in the window's language."""

from __future__ import annotations

from datetime import UTC, datetime
from datetime import date as Date

from PySide6.QtCore import QDate, QLocale

from desktop.words import _, language, locale_of, ngettext


def _locale() -> QLocale:
    return QLocale(locale_of(language()))


def number(value: int) -> str:
    """12345 → `12,345` as the language groups digits."""
    return _locale().toString(value)


def size(count: int) -> str:
    """Bytes as a person reads them: `840 B`, `12 KB`, `1.2 MB`."""
    if count < 1000:
        return _("{count} B").format(count=count)
    if count < 1_000_000:
        return _("{count} KB").format(count=number(round(count / 1000)))
    unit, text = (1e6, _("{count} MB")) if count < 1e9 else (1e9, _("{count} GB"))
    return text.format(count=_locale().toString(count / unit, "f", 1))


def duration(seconds: float) -> str:
    """About how long: `less than a minute`, `about 4 min`, `about 2 h`."""
    if seconds < 60:
        return _("less than a minute")
    if seconds < 5400:
        return _("about {count} min").format(count=round(seconds / 60))
    return _("about {count} h").format(count=round(seconds / 3600))


def moment(text: str) -> datetime | None:
    """The UTC time of an ISO 8601 string, or None where there is none to read."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ago(text: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 time was: `just now`, `5 min ago`, `2 h ago`, `3 days ago`, then the date."""
    then = moment(text)
    if then is None:
        return ""
    passed = ((now or datetime.now(UTC)) - then).total_seconds()
    if passed < 90:
        return _("just now")
    if passed < 5400:
        return _("{count} min ago").format(count=round(passed / 60))
    if passed < 86400:
        return _("{count} h ago").format(count=round(passed / 3600))
    days = round(passed / 86400)
    if days < 14:
        return ngettext("{count} day ago", "{count} days ago", days).format(count=days)
    return date(text)


def date(text: str) -> str:
    """The day of an ISO 8601 time, written out: `14 September 2026`."""
    then = moment(text)
    if then is None:
        return text
    local = then.astimezone()
    months = _locale().monthName(local.month)
    return _("{day} {month} {year}").format(day=local.day, month=months, year=local.year)


def short_day(day: Date) -> str:
    """A day in few letters, as the language writes it: `27 Oct`."""
    locale = _locale()
    month = locale.monthName(day.month, QLocale.FormatType.ShortFormat)
    return _("{day} {month}").format(day=locale.toString(day.day), month=month)


def weekday(day: Date) -> str:
    """The day of the week in few letters: `Mon`."""
    return _locale().dayName(day.isoweekday(), QLocale.FormatType.ShortFormat)


def day_range(starts: str, ends: str) -> str:
    """`14 September 2026` or `14 September 2026 – 16 September 2026`."""
    first, last = date(starts), date(ends) if ends else ""
    return first if not last or first == last else f"{first} – {last}"


def iso_day(day: QDate) -> str:
    """A calendar day as the wire writes it: `2026-09-14`."""
    return day.toString("yyyy-MM-dd")
