"""The reader: one record with its tool line, find, files, notes, and for a discussion the reply."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.amounts import number
from desktop.context import Context
from desktop.icons import icon
from desktop.navigation import Place, place_of
from desktop.reading import citing, loading
from desktop.reading.colour_words import COLOUR_WORDS, in_colour
from desktop.reading.edition_view import EditionView
from desktop.reading.file_line import FileLine
from desktop.reading.file_views import FileViews
from desktop.reading.markup import Page
from desktop.reading.notes_panel import NotesPanel
from desktop.reading.notice_line import NoticeLine
from desktop.reading.outside import open_outside
from desktop.reading.paper import Paper
from desktop.reading.pencil import Pencil
from desktop.reading.reply_box import ReplyBox
from desktop.reading.request_page import is_over
from desktop.reading.request_tools import RequestTools
from desktop.reading.selection_bar import patch
from desktop.reading.unreadable import Unreadable
from desktop.shelf import Shelf
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import ICON, Choice, EmptyPlace, button, hairline, muted, tool
from desktop.widgets.find_bar import FindBar
from desktop.widgets.fitting import fit_tools, offer_spare
from desktop.words import _, language_name

if TYPE_CHECKING:
    from resources_cache.own import Bookmark


_RESUME_FROM, _RESUME_TO = 0.03, 0.97
_BESIDE_FROM = 720  # pixels of the reader from which the notes stand beside the text, not below it
_NOTES_WIDTH = 300


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
        self._opening: tuple[str, bool] | None = None
        self._page = Page("")
        self.text = EditionView(context.theme)
        self.text.inner.connect(context.navigator.open_record)
        self.text.beside.connect(lambda kind, record: context.open_beside(place_of(kind, record)))
        self.text.outside.connect(lambda url: open_outside(self, url))
        self.text.placed.connect(self._keep_place)
        context.notices.closing.connect(self.text.tell_place)
        self.find_bar = FindBar()
        self.find_bar.wanted.connect(self._find)
        self.find_bar.closed.connect(self._unfind)
        self.files = FileLine(context)
        self.files.show_file.connect(self._open_file)
        self.files.show_text.connect(self._show_text)
        self._reading_file: dict[str, str] = {}  # by record, the file in which one was reading it
        self.reply = ReplyBox(context)
        self.reply.queued.connect(lambda: self.refresh())
        self.request = RequestTools(context)
        self.request.queued.connect(lambda: self.refresh())
        self.request.show_file.connect(self._open_file)
        self.request.show_text.connect(self._show_text)
        self.request.suggested.connect(self.reply.suggest)
        self._resume = self._resume_line()
        self.notice = NoticeLine(context)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self.file = FileViews(context, self._stack, self)
        self.file.shown.connect(self._file_shown)
        self.file.leaving.connect(self._put_pencil_back)
        self.file.refused.connect(self._file_refused)
        self.notes = NotesPanel()
        self.notes.shut.connect(lambda: self.show_notes(False))
        self.pencil = Pencil(context, self.text, self.notes, self)
        self.paper = Paper(context, self)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._stack)
        self._split.addWidget(self.notes)
        self._split.setStretchFactor(0, 1)
        self.notes.hide()
        self._tools = self._tool_line()
        self._connect_pencil()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self._tools, hairline(), self.notice, self.find_bar, self.files, self._resume):
            column.addWidget(part)
        column.addWidget(self._split, 1)
        column.addWidget(self.request)
        column.addWidget(self.reply)
        keys: tuple[tuple[QKeySequence.StandardKey | str, Callable[[], object]], ...] = (
            (QKeySequence.StandardKey.Find, self.find_bar.open),
            (QKeySequence.StandardKey.ZoomIn, partial(self._resize_text, 10)),
            (QKeySequence.StandardKey.ZoomOut, partial(self._resize_text, -10)),
            (QKeySequence.StandardKey.Print, self.print),
            ("Ctrl+Shift+H", self.pencil.highlight),
            ("Ctrl+Shift+N", self.pencil.note),
            ("Ctrl+Shift+Q", self.copy_with_source),
            ("F7", self.toggle_caret),
        )
        for key, action in keys:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda action=action: action())
        context.sync.arrived.connect(self.refresh)

    @property
    def record(self) -> str:
        """The id of the record shown, or ""."""
        return self._loaded.id if self._loaded else ""

    def open(self, record: str, *, resume: bool = False) -> None:
        """Read a record from the shelf and show it; at the place where reading stopped with `resume`."""
        self._opening = (record, resume)
        self._context.read(
            lambda shelf: loading.load(shelf, record),
            lambda found: self._show(found, resume=resume),
            self,
            key="open",
        )

    def refresh(self) -> None:
        """Read the shown record again (something new arrived, or a reply was queued), keeping the place."""
        if self._opening is not None:
            record, resume = self._opening  # what is shown is about to go: to read that again would keep it
            self.open(record, resume=resume)
        elif (now := self.record) and self.isVisible():
            self._context.read(
                lambda shelf: loading.load(shelf, now),
                lambda found: self._show(found, again=True),
                self,
                key="open",
            )

    def _show(self, loaded: loading.Loaded | None, *, resume: bool = False, again: bool = False) -> None:
        self._opening = None
        if loaded is None:
            if not again:
                self._show_missing()
            return
        if again and self._loaded is not None and loaded == self._loaded:
            return
        variant = self._variant.value() if again else ""
        if not again:
            self.file.leave()
            self._stack.setCurrentWidget(self.text)
            if not self.find_bar.isHidden():
                self.find_bar.shut()  # it speaks of another text
        self._loaded = loaded
        self._variant.set_items([(code, language_name(code)) for code in loaded.variants])
        if not again:
            self._variant.choose(str(loaded.record.get("lang") or ""))
        self._variant.setVisible(loaded.kind == "resource" and len(loaded.variants) > 1)
        self._save.setChecked(loaded.saved)
        self._dress_save()
        self._cite.setVisible(loaded.kind == "resource")
        self._report.setVisible(self._reportable())
        self._ask.setVisible(loaded.kind in ("resource", "expert"))
        self._ask.setText(_("Ask for an introduction") if loaded.kind == "expert" else _("Ask about this"))
        self._ask.setAccessibleName(self._ask.text())
        self.notice.show_notice(loaded)
        self.files.show_files(loaded.id, loaded.files)
        self.request.show_request(loaded)
        answerable = loaded.kind in ("thread", "request") and not is_over(loaded.record)
        self.reply.show_target(loaded if answerable else None)
        self._show_page(variant, keep_place=again)
        if resume:
            self.text.go_to(loaded.place)
            self.files.open_file(self._reading_file.get(loaded.id, loaded.in_file))
        stopped = _RESUME_FROM < loaded.place < _RESUME_TO
        self._resume.setVisible(stopped and not resume and not again and loaded.kind == "resource")
        self._resume_words.setText(
            _("You stopped reading at {percent} %.").format(percent=round(loaded.place * 100)) if stopped else ""
        )
        self._fit_tools()
        if not again:
            self.opened.emit(loaded.id)
        self._context.tabs.name(loaded.id, loaded.title)

    def _show_page(self, variant: str = "", *, keep_place: bool = False) -> None:
        assert self._loaded is not None
        page = loading.page_of(self._loaded, self._context, variant)
        self.text.setAccessibleName(self._loaded.title or _("Text"))
        self.text.show_page(page, keep_place=keep_place)
        self._page = page
        marked = self._loaded if self._loaded.kind == "resource" else None
        self.pencil.show(marked, page.lang)
        if marked is None:
            self.notes.hide()
        for part in (self._notes, *self._of_texts):
            part.setVisible(marked is not None)
        menu = QMenu(self._contents)
        for name, words in page.contents:
            menu.addAction(words.replace("&", "&&"), partial(self._jump, name))
        self._contents.setMenu(menu)
        self._contents.setVisible(bool(page.contents))

    def _show_missing(self) -> None:
        self.file.leave()
        self._loaded = None
        self.notice.hide()
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
        self._cite = tool(_("Cite"), "cite")
        self._cite.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.cite_menu = citing.CiteMenu(
            self._context,
            self,
            lambda _shelf: [loaded.record] if (loaded := self._loaded) else [],
            lambda: self._loaded.title if self._loaded else "",
        )
        self._cite.setMenu(self.cite_menu)
        self._notes = tool(_("Notes"), "note", lambda: self.show_notes(self.notes.isHidden()))
        self._notes.setCheckable(True)
        self._more = tool(_("More"), "more", bare=True)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(self._more_menu(QMenu(self._more)))
        self._contents = tool(_("Contents"), "contents")
        self._contents.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._find_tool = tool(_("Find"), "search", self.find_bar.open)
        self._ask = tool(_("Ask about this"), "ask", self._ask_about)
        self._smaller = tool(_("Smaller text"), "smaller", lambda: self._resize_text(-10), bare=True)
        self._larger = tool(_("Larger text"), "larger", lambda: self._resize_text(10), bare=True)
        self._wide = tool(_("Whole page"), "expand", self.widened.emit, bare=True)
        self._variant = Choice(_("Language of the text"))
        self._variant.currentIndexChanged.connect(lambda _i: self._show_page(self._variant.value()))
        self._spare = (self._wide, self._smaller, self._larger, self._find_tool)
        offer_spare(self._more.menu(), self._spare)
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(STEP, 4, STEP, 4)
        line.setSpacing(2)
        line.addWidget(self._close)
        line.addStretch(1)
        for part in (self._variant, self._save, self._notes, self._cite, self._ask, self._contents):
            line.addWidget(part)
        for part in (self._find_tool, self._smaller, self._larger, self._more, self._wide):
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
        self._fit_notes()

    def _fit_tools(self) -> None:
        """Words beside the icons where there is room for them; the tooltip and the name stay otherwise."""
        worded = [self._ask, self._cite, self._find_tool, self._contents, self._notes, self._save, self._close]
        fit_tools(self._tools, self.width(), worded, self._spare)

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

        def keep(shelf: Shelf) -> list[Bookmark]:
            if saved:
                shelf.own.bookmark(loaded.id, loaded.title)
                shelf.own.memory.keep([loaded.record] if not loaded.gone else [])
                return []
            return shelf.own.unbookmark_all([loaded.id])

        def kept(gone: list[Bookmark]) -> None:
            if gone:
                self._context.notices.undoable.emit(_("Taken off My shelf."), lambda: self._put_back(gone))
            else:
                self._context.notices.said.emit(_("Saved to My shelf."))

        self._context.write(keep, kept, self)

    def _put_back(self, gone: list[Bookmark]) -> None:
        def back(_done: None) -> None:
            if self._loaded is not None and self._loaded.id == gone[0].id:
                self._save.setChecked(True)
                self._dress_save()

        self._context.write(lambda shelf: shelf.own.put_bookmarks_back(gone), back, self)

    def _dress_save(self) -> None:
        saved = self._save.isChecked()
        words = _("Saved") if saved else _("Save")
        self._save.setText(words)
        self._save.setAccessibleName(words)
        self._save.setToolTip(words)
        tone = colours().accent if saved else colours().muted
        self._save.setIcon(icon("saved" if saved else "save", tone, in_text(ICON)))

    def show_notes(self, shown: bool = True) -> None:
        """Show or hide the side list of highlights and notes."""
        shown = shown and self.pencil.active
        self.notes.setVisible(shown)
        self._notes.setChecked(shown)
        self._fit_notes(afresh=True)
        if shown:
            self.notes.list.setFocus() if self.notes.list.isVisible() else self.notes.whole.setFocus()
        else:
            self.notes.leave()
            (self.file.view or self.text).setFocus()

    def copy_with_source(self) -> None:
        """Copy the selected words (if any) with author, title, year and address below them."""
        if self._loaded is None:
            return
        words = self.pencil.sheet.selected_words()
        lines = self.paper.source_of(self._loaded)
        citing.put_on_clipboard(f"{words}\n\n{lines}" if words else lines)
        said = _("Copied, with its source.") if words else _("The source is in the clipboard.")
        self._context.notices.said.emit(said)

    def _copy(self) -> None:
        citing.put_on_clipboard(self.pencil.sheet.selected_words())

    def toggle_caret(self) -> None:
        """Select with the keyboard, or scroll with it again."""
        self.text.set_caret(not self.text.caret)
        self.text.setFocus()
        if self.text.caret:
            said = _("Arrow keys move the caret now; with Shift they select. F7 ends this.")
        else:
            said = _("Arrow keys scroll the text again.")
        self._context.notices.said.emit(said)

    def print(self) -> None:
        """Ask for a printer, and print the text."""
        if self._loaded is not None:
            self.paper.print(self._loaded, self._page)

    def save_pdf(self) -> None:
        """Ask where to, and save the text as a PDF."""
        if self._loaded is not None:
            self.paper.ask_pdf(self._loaded, self._page)

    def _save_notes(self) -> None:
        if self._loaded is not None and (path := self.paper.ask_name(self._loaded, "md")):
            self.pencil.save(path, self.paper.source_of(self._loaded))

    def _connect_pencil(self) -> None:
        self.pencil.counted.connect(self._count_notes)
        self.pencil.opened.connect(self._open_notes)
        self.pencil.other_language.connect(self._read_in)
        self.pencil.other_file.connect(self._read_file)
        self.pencil.menu_wanted.connect(self._text_menu)
        self.pencil.bar.copied.connect(self.copy_with_source)
        self.notes.saved.connect(self._save_notes)
        self.text.menu_wanted.connect(self._text_menu)

    def _open_notes(self) -> None:
        if self.notes.isHidden():
            self.notes.show()
            self._notes.setChecked(True)
            self._fit_notes(afresh=True)

    def _read_in(self, lang: str) -> None:
        if self._loaded is not None and lang in self._loaded.variants:
            self._variant.choose(lang)

    def _put_pencil_back(self) -> None:
        self.pencil.put_back()

    def _read_file(self, hash_: str) -> None:
        if hash_:
            self.files.open_file(hash_)
        else:
            self._show_text()

    def _count_notes(self, count: int) -> None:
        words = _("Notes ({count})").format(count=number(count)) if count else _("Notes")
        self._notes.setText(words)
        self._notes.setAccessibleName(words)
        self._notes.setToolTip(words)
        self._fit_tools()

    def _fit_notes(self, *, afresh: bool = False) -> None:
        """The notes stand beside the text where both have room, else below it; a share once dragged stays."""
        beside = self.width() >= in_text(_BESIDE_FROM)
        turned = beside != (self._split.orientation() == Qt.Orientation.Horizontal)
        self._split.setOrientation(Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical)
        if not self.notes.isHidden() and (turned or afresh):
            whole = self.width() if beside else self._split.height()
            notes = in_text(_NOTES_WIDTH) if beside else whole // 2
            self._split.setSizes([max(1, whole - notes), notes])

    def _more_menu(self, menu: QMenu) -> QMenu:
        menu.addAction(_("Copy with source"), self.copy_with_source)
        note = menu.addAction(_("Note"), self.pencil.note)
        menu.addAction(_("Select with the keyboard"), self.toggle_caret)
        menu.addSeparator()
        menu.addAction(_("Print"), self.print)
        menu.addAction(_("Save as PDF"), self.save_pdf)
        saved = menu.addAction(_("Save the notes as Markdown"), self._save_notes)
        menu.addSeparator()
        self._report = menu.addAction(_("Report a problem"), lambda: self.report())
        self._of_texts = (note, saved)
        return menu

    def _text_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        some = self.pencil.sheet.selected() is not None
        if some:
            menu.addAction(_("Copy"), self._copy)
            menu.addAction(_("Copy with source"), self.copy_with_source)
            if self.pencil.active:
                menu.addSeparator()
                for colour in COLOUR_WORDS:
                    menu.addAction(patch(colour), in_colour(colour), partial(self.pencil.highlight, colour))
                menu.addAction(_("Note"), self.pencil.note)
            menu.addSeparator()
        if self.file.view is not None:
            if some:
                menu.popup(where)
            return
        address = self.text.anchorAt(self.text.viewport().mapFromGlobal(where))
        if address.startswith(("http://", "https://", "mailto:")):
            menu.addAction(_("Copy the link’s address"), partial(citing.put_on_clipboard, address))
        menu.addAction(_("Select everything"), self.text.selectAll)
        if self._reportable() and self._loaded is not None:
            from desktop.reading.report_box import message_at

            thread = self._loaded.kind == "thread"
            message = message_at(self.text, where, self._loaded) if thread else ""
            menu.addAction(
                _("Report this message") if message else _("Report a problem"), lambda: self.report(message)
            )
        menu.popup(where)

    def _reportable(self) -> bool:
        loaded = self._loaded
        if loaded is None or loaded.gone:
            return False
        return loaded.kind == "resource" or (loaded.kind == "thread" and bool(loaded.record.get("messages")))

    def report(self, message: str = "") -> None:
        """Ask what is wrong, and queue it for the moderators; `message`: the one that is meant."""
        from desktop.reading.report_box import ReportDialog

        if self._loaded is not None and self._reportable():
            dialog = ReportDialog(self._context, self, self._loaded, message, self.refresh)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

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
        theme.reading_scale = preferences.reading_scale = max(50, min(250, theme.reading_scale + step))
        self._context.save_preferences()
        if self._loaded:
            self._show_page(self._variant.value(), keep_place=True)
        if self.file.view is not None:
            self.file.view.resize_by(1.2 if step > 0 else 1 / 1.2)

    def _reader(self) -> Callable[..., int]:
        return (self.file.view or self.text).find_words

    def _find(self, words: str, backward: bool, fresh: bool) -> None:
        self.find_bar.show_count(self._reader()(words, backward=backward, fresh=fresh))

    def _unfind(self) -> None:
        self._reader()("")
        (self.file.view or self.text).setFocus()

    def _open_file(self, entry: loading.FileEntry, path: Path | None = None) -> None:
        if self._loaded is not None:
            record = self._loaded.id if self._loaded.kind == "resource" else ""
            self.file.open(entry, record, self._loaded.title, path)

    def _file_shown(self) -> None:
        from desktop.reading.book_view import BookView
        from desktop.reading.pdf_view import PdfView

        self._resume.hide()
        self.files.showing_file(self.file.hash)
        view = self.file.view
        if isinstance(view, PdfView):
            self.pencil.take_up(view.pages, self.file.hash)
        elif isinstance(view, BookView):
            self.pencil.take_up(view.text, self.file.hash)
        self._reading_file[self.record] = self.file.hash
        if view is not None:
            view.setFocus()

    def _file_refused(self, why: Unreadable) -> None:
        self.files.refused(why)
        if self.file.view is None:
            self._show_text()

    def _show_text(self) -> None:
        self._reading_file[self.record] = ""
        self.file.leave()
        self._stack.setCurrentWidget(self.text)
        self.files.showing_file("")
        self.request.showing_text()

    def outside(self, address: str) -> None:
        """Offer to open an address in the person's browser."""
        open_outside(self, QUrl(address))
