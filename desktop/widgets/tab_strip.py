"""The row of open tabs, above the page; there only while there are several."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QTabBar

from desktop.context import Context
from desktop.navigation import Place
from desktop.theme import colours, in_text
from desktop.widgets.basics import tool
from desktop.widgets.rail import AT_FOOT, PLACES
from desktop.words import N_, _, isolate

_OTHERS = {"search": N_("Search"), "sync": N_("Sync"), "keys": N_("All keys")}
_NARROWEST = 120  # pixels, at 100 % of text
_WIDEST = 32
"""Characters of a title that are shown; the whole of it is in the tooltip and in the name."""


def page_words(place: Place) -> str:
    """What a page is called."""
    named = {page: words for page, words, _picture in (*PLACES, *AT_FOOT)} | _OTHERS
    return _(named.get(place.page, "Hubshelf")) if place.page != "search" or not place.query else place.query


class TabLine(QTabBar):
    """A row of tabs on which the focus is seen."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus() and self.currentIndex() >= 0:
            painter = QPainter(self)
            painter.setPen(QColor(colours().accent))
            painter.drawRect(self.tabRect(self.currentIndex()).adjusted(1, 1, -2, -3))
            painter.end()


class TabStrip(TabLine):
    """Shows the tabs of the context, and tells them what the person does."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._shown: list[str] = []
        self.setAccessibleName(_("Open tabs"))
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setMovable(True)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.currentChanged.connect(lambda at: context.tabs.show(at) if at >= 0 else None)
        self.tabMoved.connect(lambda old, new: context.tabs.move(old, new))
        context.tabs.changed.connect(self._show)
        self._show()

    def minimumTabSizeHint(self, index: int) -> QSize:
        # Some letters of each title; where they are too many, arrows lead to the others.
        whole = self.tabSizeHint(index)
        return QSize(min(whole.width(), in_text(_NARROWEST)), whole.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            if (at := self.tabAt(event.position().toPoint())) >= 0:
                self._context.tabs.close(at)
            return
        super().mouseReleaseEvent(event)

    def _show(self) -> None:
        tabs = self._context.tabs
        names = [title or page_words(place) for title, place in tabs.places]
        self.blockSignals(True)
        if names != self._shown:
            while self.count() > len(names):
                self.removeTab(self.count() - 1)
            while self.count() < len(names):
                self.addTab("")
            for at, name in enumerate(names):
                self._name(at, name)
            self._shown = names
        self.setCurrentIndex(tabs.current)
        self.blockSignals(False)
        self.setVisible(len(names) > 1)

    def _name(self, at: int, name: str) -> None:
        short = name if len(name) <= _WIDEST else f"{name[: _WIDEST - 1].rstrip()}…"
        self.setTabText(at, isolate(short).replace("&", "&&"))
        self.setTabToolTip(at, name)
        self.setAccessibleTabName(at, name)
        words = _("Close the tab “{title}”").format(title=isolate(name))
        shut = tool(words, "close", bare=True)
        shut.setToolTip(_("Close the tab"))
        shut.clicked.connect(lambda _checked=False: self._close(shut))
        side = QTabBar.ButtonPosition.RightSide  # the bar itself turns it round where one reads from the right
        if (old := self.tabButton(at, side)) is not None:
            old.deleteLater()
        self.setTabButton(at, side, shut)

    def _close(self, button: object) -> None:
        for at in range(self.count()):
            if self.tabButton(at, QTabBar.ButtonPosition.RightSide) is button:
                self._context.tabs.close(at)
                return
