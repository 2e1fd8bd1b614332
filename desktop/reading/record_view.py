"""The reader: one record with its tool line, find, files, and for a discussion the reply."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from desktop.context import Context
from desktop.icons import icon
from desktop.navigation import Place
from desktop.reading import loading, markup
from desktop.reading.edition_view import EditionView
from desktop.reading.file_line import FileLine
from desktop.reading.outside import open_outside
from desktop.reading.reply_box import ReplyBox
from desktop.shelf import Shelf
from desktop.theme import STEP, colours
from desktop.widgets.basics import Choice, EmptyPlace, button, hairline, muted, tool
from desktop.widgets.find_bar import FindBar
from desktop.words import _, language_name

if TYPE_CHECKING:
    from desktop.reading.pdf_view import PdfView

_RESUME_FROM, _RESUME_TO = 0.03, 0.97
_NARROW = 640


class RecordView(QFrame):
    """Shows one record; `closed` when the person is done, `widened` when they want the whole page for it."""

    closed = Signal()
    widened = Signal()
    opened = Signal(str)  # the record that is shown now

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("reading")
        self._context = context
        self._loaded: loading.Loaded | None = None
        self._pdf: PdfView | None = None
        self.text = EditionView(context.theme)
        self.text.inner.connect(context.navigator.open_record)
        self.text.outside.connect(lambda url: open_outside(self, url))
        self.text.placed.connect(self._keep_place)
        self.find_bar = FindBar()
        self.find_bar.wanted.connect(self._find)
        self.find_bar.closed.connect(self._unfind)
        self.files = FileLine(context)
        self.files.show_file.connect(self._show_pdf)
        self.files.show_text.connect(self._show_text)
        self.reply = ReplyBox(context)
        self.reply.queued.connect(lambda: self.refresh())
        self._resume = self._resume_line()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._tools = self._tool_line()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self._tools, hairline(), self.find_bar, self.files, self._resume):
            column.addWidget(part)
        column.addWidget(self._stack, 1)
        column.addWidget(self.reply)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.find_bar.open)
        for keys, step in ((QKeySequence.StandardKey.ZoomIn, 10), (QKeySequence.StandardKey.ZoomOut, -10)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self._resize_text, step))
        context.sync.arrived.connect(self.refresh)

    @property
    def record(self) -> str:
        """The id of the record shown, or ""."""
        return self._loaded.id if self._loaded else ""

    def open(self, record: str, *, resume: bool = False) -> None:
        """Read a record from the shelf and show it; at the place where reading stopped with `resume`."""
        self._context.read(
            lambda shelf: loading.load(shelf, record),
            lambda found: self._show(found, resume=resume),
            self,
            key="open",
        )

    def refresh(self) -> None:
        """Read the shown record again (something new arrived, or a reply was queued), keeping the place."""
        if (now := self.record) and self.isVisible():
            self._context.read(
                lambda shelf: loading.load(shelf, now),
                lambda found: self._show(found, again=True),
                self,
                key="open",
            )

    def _show(self, loaded: loading.Loaded | None, *, resume: bool = False, again: bool = False) -> None:
        if loaded is None:
            if not again:
                self._show_missing()
            return
        if again and self._loaded is not None and loaded == self._loaded:
            return
        variant = self._variant.value() if again else ""
        self._loaded = loaded
        self._variant.set_items([(code, language_name(code)) for code in loaded.variants])
        if not again:
            self._variant.choose(str(loaded.record.get("lang") or ""))
        self._variant.setVisible(loaded.kind == "resource" and len(loaded.variants) > 1)
        self._save.setChecked(loaded.saved)
        self._dress_save()
        self._cite.setVisible(loaded.kind == "resource")
        self._ask.setVisible(loaded.kind in ("resource", "expert"))
        self._ask.setText(_("Ask for an introduction") if loaded.kind == "expert" else _("Ask about this"))
        self._ask.setAccessibleName(self._ask.text())
        self.files.show_files(loaded.id, loaded.files)
        self.reply.show_target(loaded if loaded.kind in ("thread", "request") else None)
        self._show_page(variant, keep_place=again)
        if resume:
            self.text.go_to(loaded.place)
        stopped = _RESUME_FROM < loaded.place < _RESUME_TO
        self._resume.setVisible(stopped and not resume and not again and loaded.kind == "resource")
        self._resume_words.setText(
            _("You stopped reading at {percent} %.").format(percent=round(loaded.place * 100)) if stopped else ""
        )
        self._fit_tools()
        if not again:
            self._stack.setCurrentWidget(self.text)
            self.opened.emit(loaded.id)

    def _show_page(self, variant: str = "", *, keep_place: bool = False) -> None:
        assert self._loaded is not None
        page = loading.page_of(self._loaded, self._context, variant)
        self.text.setAccessibleName(self._loaded.title or _("Text"))
        self.text.show_page(page, keep_place=keep_place)
        menu = QMenu(self._contents)
        for name, words in page.contents:
            menu.addAction(words.replace("&", "&&"), partial(self._jump, name))
        self._contents.setMenu(menu)
        self._contents.setVisible(bool(page.contents))

    def _show_missing(self) -> None:
        self._loaded = None
        missing = EmptyPlace(
            "library",
            _("This is not on your shelf."),
            _("It may have been withdrawn by the hub, or it is in a language or theme you do not keep."),
            _("Open Sync"),
            lambda: self._context.navigator.go(Place("sync")),
        )
        self._stack.addWidget(missing)
        self._stack.setCurrentWidget(missing)

    def _tool_line(self) -> QWidget:
        self._close = tool(_("Back to the list"), "back", self.closed.emit)
        self._save = tool(_("Save"), "save", self._toggle_saved)
        self._save.setCheckable(True)
        self._cite = tool(_("Copy citation"), "cite", self._copy_citation)
        self._contents = tool(_("Contents"), "contents")
        self._contents.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._find_tool = tool(_("Find"), "search", self.find_bar.open)
        self._ask = tool(_("Ask about this"), "ask", self._ask_about)
        self._smaller = tool(_("Smaller text"), "smaller", lambda: self._resize_text(-10), bare=True)
        self._larger = tool(_("Larger text"), "larger", lambda: self._resize_text(10), bare=True)
        self._wide = tool(_("Whole page"), "expand", self.widened.emit, bare=True)
        self._variant = Choice(_("Language of the text"))
        self._variant.currentIndexChanged.connect(lambda _i: self._show_page(self._variant.value()))
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(STEP, 4, STEP, 4)
        line.setSpacing(2)
        line.addWidget(self._close)
        line.addStretch(1)
        for part in (self._variant, self._save, self._cite, self._ask, self._contents, self._find_tool):
            line.addWidget(part)
        for part in (self._smaller, self._larger, self._wide):
            line.addWidget(part)
        return holder

    def _resume_line(self) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(3 * STEP, 4, 2 * STEP, 4)
        self._resume_words = muted("", wrap=False)
        line.addWidget(self._resume_words)
        line.addWidget(button(_("Continue there"), "quiet", "", self._continue))
        line.addStretch(1)
        holder.hide()
        return holder

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_tools()

    def _fit_tools(self) -> None:
        """Words beside the icons where there is room for them; the tooltip and the name stay otherwise."""
        worded = [self._ask, self._cite, self._find_tool, self._contents, self._save, self._close]
        for made in worded:
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for made in worded:
            if self._tools.layout().sizeHint().width() <= self.width():  # type: ignore[union-attr]  # it has one
                break
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            made.setToolTip(made.accessibleName())

    def _continue(self) -> None:
        if self._loaded:
            self.text.go_to(self._loaded.place)
        self._resume.hide()
        self.text.setFocus()

    def _jump(self, anchor: str) -> None:
        self._show_text()
        self.text.jump(anchor)
        self.text.setFocus()

    def _keep_place(self, place: float) -> None:
        if (loaded := self._loaded) and loaded.kind == "resource" and place > _RESUME_FROM:
            self._context.write(lambda shelf: shelf.own.set_reading_place(loaded.id, place), lambda _d: None, self)

    def _toggle_saved(self) -> None:
        if (loaded := self._loaded) is None:
            return
        saved = self._save.isChecked()
        self._dress_save()

        def keep(shelf: Shelf) -> None:
            if saved:
                shelf.own.bookmark(loaded.id, loaded.title)
            else:
                shelf.own.unbookmark(loaded.id)

        words = _("Saved to My shelf.") if saved else _("Taken off My shelf.")
        self._context.write(keep, lambda _done: self._context.notices.said.emit(words), self)

    def _dress_save(self) -> None:
        saved = self._save.isChecked()
        words = _("Saved") if saved else _("Save")
        self._save.setText(words)
        self._save.setAccessibleName(words)
        self._save.setToolTip(words)
        self._save.setIcon(icon("saved" if saved else "save", colours().accent if saved else colours().muted))

    def _copy_citation(self) -> None:
        if self._loaded:
            QGuiApplication.clipboard().setText(markup.citation(self._loaded.record))
            self._context.notices.said.emit(_("The citation is in the clipboard."))

    def _ask_about(self) -> None:
        if (loaded := self._loaded) is None:
            return
        expert = loaded.kind == "expert"
        words = _("Introduction to {name}") if expert else _("About: {title}")
        themes = ",".join(loaded.record.get("themes") or [])
        fill = (
            ("kind", "helpdesk" if expert else "question"),
            ("title", words.format(name=loaded.title, title=loaded.title)),
            ("themes", themes),
        )
        self._context.navigator.go(Place("ask", fill=fill))

    def _resize_text(self, step: int) -> None:
        theme, preferences = self._context.theme, self._context.preferences
        theme.reading_scale = preferences.reading_scale = max(70, min(250, theme.reading_scale + step))
        self._context.save_preferences()
        if self._loaded:
            self._show_page(self._variant.value(), keep_place=True)

    def _reader(self) -> Callable[..., int]:
        if self._pdf is not None and self._stack.currentWidget() is self._pdf:
            return self._pdf.find_words
        return self.text.find_words

    def _find(self, words: str, backward: bool, fresh: bool) -> None:
        self.find_bar.show_count(self._reader()(words, backward=backward, fresh=fresh))

    def _unfind(self) -> None:
        self._reader()("")
        self.text.setFocus()

    def _show_pdf(self, path: Path) -> None:
        if self._pdf is None:
            from desktop.reading.pdf_view import PdfView

            self._pdf = PdfView()
            self._stack.addWidget(self._pdf)
        if self._pdf.open(path):
            self._stack.setCurrentWidget(self._pdf)
            self._resume.hide()
            self.files.showing_file(True)
        else:
            self.files.refused()

    def _show_text(self) -> None:
        self._stack.setCurrentWidget(self.text)
        self.files.showing_file(False)

    def outside(self, address: str) -> None:
        """Offer to open an address in the person's browser."""
        open_outside(self, QUrl(address))
