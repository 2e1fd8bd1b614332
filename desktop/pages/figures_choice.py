"""Whether this computer tells its hub how it does, and exactly what that would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from desktop.amounts import ago, number, size
from desktop.context import Context
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, Tick, button, heading, label, muted
from desktop.widgets.managed import managed_note, show_managed
from desktop.words import _, isolate, ngettext

_MB = 1_000_000


@dataclass(frozen=True)
class Figures:
    """Whether it is told, whether an administrator decided that, what would be told now, and when it was last
    (UTC, "" for never)."""

    allowed: bool = False
    locked: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""


def read_figures(shelf: Shelf) -> Figures:
    """Raises CacheError."""
    from sync.telling import TOLD, about, is_allowed

    told = shelf.own.setting(TOLD)
    return Figures(
        is_allowed(shelf.home, shelf.own),
        shelf.own.is_locked("usage_figures"),
        about(shelf.home, shelf.own).to_json(),
        str(told.get("at", "")) if isinstance(told, dict) else "",
    )


def save_choice(shelf: Shelf, allowed: bool) -> None:
    """Keep a person's answer; nobody asked where an administrator decided. Raises CacheError."""
    if not shelf.own.is_locked("usage_figures"):
        shelf.own.set_setting("usage_figures", allowed)


class FiguresChoice(QWidget):
    """The section of the Preferences; `refresh` reads anew."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.tell = Tick(_("Tell the hub once a day how this computer does"))
        self.tell.clicked.connect(self._save)
        self.managed = managed_note()
        self.show_button = button(_("What is told"), "quiet", "", self._unfold)
        self.what = label("", "notice")
        self.what.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(heading(_("For those who look after your computers")))
        column.addWidget(self.tell)
        column.addWidget(self.managed)
        column.addWidget(
            muted(_("It helps them see who is stuck. What you read, write and look for is never told."))
        )
        line = FlowLayout()
        line.addWidget(self.show_button)
        column.addLayout(line)
        column.addWidget(self.what)

    def refresh(self) -> None:
        """Show how it stands now."""
        self._context.read(read_figures, self._show, self, key="figures", failure=lambda _error: None)

    def _show(self, found: Figures) -> None:
        self.tell.setChecked(found.allowed)
        show_managed(found.locked, self.managed, self.tell)
        self.what.setText(in_words(found))

    def _unfold(self) -> None:
        self.what.setVisible(self.what.isHidden())
        QTimer.singleShot(0, self, self._come_into_view)

    def _come_into_view(self) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None:
            above.ensureWidgetVisible(self.what, 0, 2 * STEP)

    def _save(self) -> None:
        allowed = self.tell.isChecked()
        self._context.write(lambda shelf: save_choice(shelf, allowed), lambda _none: self.refresh(), self)


def in_words(found: Figures) -> str:
    """Each thing that is told, on a line of its own."""
    about = found.about
    failed = {str(code): int(count) for code, count in dict(about.get("failed") or {}).items()}
    lines = [
        _("Version {version} on {system}").format(
            version=isolate(str(about.get("version"))), system=isolate(str(about.get("system")))
        ),
        _("Last in step: {when}").format(when=isolate(str(about.get("in_step") or "–"))),
        _("Room left: {free}; your shelf takes {size}").format(
            free=size(int(about.get("free_mb") or 0) * _MB), size=size(int(about.get("shelf_mb") or 0) * _MB)
        ),
    ]
    lines += [
        ngettext("{count} sync ended with {code}", "{count} syncs ended with {code}", count).format(
            count=number(count), code=isolate(code)
        )
        for code, count in failed.items()
    ]
    if found.told:
        lines.append(_("Told last: {ago}").format(ago=isolate(ago(found.told))))
    return "\n".join(lines)
