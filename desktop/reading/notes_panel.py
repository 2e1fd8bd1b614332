"""The side list of a text: every highlight and note, in the order of the text; edit, delete, undo, save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.amounts import number
from desktop.drafts import PAUSE_MS
from desktop.reading.colour_words import COLOUR_WORDS, colour_word
from desktop.theme import STEP
from desktop.widgets.basics import Choice, FlowLayout, button, hairline, heading, muted, tool
from desktop.widgets.cards import Badge, CardList, CardRow
from desktop.words import _, language_name
from resources_cache.annotations import MAX_NOTE, Annotation

WHOLE = "whole"
"""The id of the row that is the note on the whole text."""


class NotesPanel(QWidget):
    """Shows what it is given, and says what the person does; it keeps nothing but what is being typed."""

    chosen = Signal(str)  # a row's id
    written = Signal(str, str)  # id, the note as it is typed, a few times a second
    coloured = Signal(str, str)  # id, colour
    removed = Signal(str)
    undone = Signal()
    saved = Signal()  # all of them as a file
    shut = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.list = CardList(_("Highlights and notes"))
        self.list.opened.connect(self._opened)
        self.field = QPlainTextEdit()
        self.field.setAccessibleName(_("Your note"))
        self.field.setPlaceholderText(_("Write a note. It is saved as you type."))
        self.field.setTabChangesFocus(True)
        self.field.textChanged.connect(self._typed)
        self.colour = Choice(_("Colour"), [(name, _(words)) for name, words in COLOUR_WORDS.items()])
        self.colour.currentIndexChanged.connect(lambda _i: self._coloured())
        self._delete = button(_("Delete"), "quiet", "remove", self._remove)
        self._about = muted(_("Note on the whole text"))
        self.editor = self._editor()
        self._undo_words = muted(_("Deleted."), wrap=False)
        self._undo = QWidget()
        line = QHBoxLayout(self._undo)
        line.setContentsMargins(2 * STEP, 0, STEP, 0)
        line.addWidget(self._undo_words)
        line.addStretch(1)
        line.addWidget(button(_("Undo"), "quiet", "", self.undone.emit))
        self._undo.hide()
        self._empty = muted(_("Select words in the text, then choose a colour below them."))
        self._empty.setContentsMargins(2 * STEP, STEP, 2 * STEP, STEP)
        foot = QWidget()
        flow = FlowLayout(2)
        foot.setLayout(flow)
        self.whole = button(_("Note on the whole text"), "quiet", "note", lambda: self.edit(WHOLE))
        self.save = button(_("Save as Markdown"), "quiet", "download", self.saved.emit)
        flow.addWidget(self.whole)
        flow.addWidget(self.save)
        head = QHBoxLayout()
        head.setContentsMargins(2 * STEP, STEP, STEP, STEP)
        head.addWidget(heading(_("Notes")), 1)
        head.addWidget(tool(_("Close the notes"), "close", self.shut.emit, bare=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        column.addWidget(self._undo)
        column.addWidget(self.editor)
        column.addWidget(hairline())
        column.addWidget(foot)
        self._id = ""
        self._notes: dict[str, str] = {}
        self._colours: dict[str, str] = {}
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        # Of the list alone: in the field below it it is the field's own.
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.activated.connect(self._remove_row)
        self.editor.hide()

    def show_notes(
        self,
        here: Iterable[Annotation],
        elsewhere: Iterable[Annotation],
        lost: Iterable[Annotation],
        whole: str,
        file: str = "",
        parts: Mapping[str, str] | None = None,
    ) -> None:
        """Show the annotations of this text in its order, those in other languages, and those that fit no more.

        `file`: the hash of the file that is shown, "" for the text; what stands in others comes after it.
        `parts`: how the parts of a file are called by its hash, else under "page".
        """
        names = {"page": _("Page {page}")} | dict(parts or {})
        here, elsewhere, lost = list(here), list(elsewhere), list(lost)
        rows = [CardRow(id=WHOLE, title=_("Note on the whole text"), line=whole, lines=3)] if whole else []
        rows += [_row(one, names) for one in here]
        if lost:
            rows.append(CardRow(title=_("Not in this version any more"), section=True))
            rows += [_row(one, names) for one in lost]
        in_texts = [one for one in elsewhere if not one.file]
        in_files = [one for one in elsewhere if one.file]
        if in_texts:
            title = _("In the text") if file else _("In another language")
            rows.append(CardRow(title=title, section=True))
            rows += [_row(one, names, lang=not file) for one in in_texts]
        if in_files:
            rows.append(CardRow(title=_("In another file") if file else _("In a file"), section=True))
            rows += [_row(one, names) for one in in_files]
        place = self.list.verticalScrollBar().value()
        self.list.set_rows(rows)
        self.list.verticalScrollBar().setValue(place)
        self._notes = {one.id: one.note for one in (*here, *elsewhere, *lost)}
        self._colours = {one.id: one.colour for one in (*here, *elsewhere, *lost)}
        self._notes[WHOLE] = whole
        self.list.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self.save.setVisible(bool(rows))
        if self._id and self._id not in self._notes:
            self.leave()

    def edit(self, id_: str, *, focus: bool = True) -> None:
        """Open the note of a row, ready to type."""
        if id_ not in self._notes:
            return
        if id_ != self._id:
            self.flush()
            self._id = id_
            self.field.blockSignals(True)
            self.field.setPlainText(self._notes[id_])
            self.field.blockSignals(False)
        whole = id_ == WHOLE
        self._about.setVisible(whole)
        self.colour.setVisible(not whole)
        self._delete.setVisible(not whole or bool(self._notes[id_]))
        if not whole:
            self.colour.blockSignals(True)
            self.colour.choose(self._colours[id_])
            self.colour.blockSignals(False)
        self._fit()
        self.editor.show()
        self.list.choose(id_)
        if focus:
            self.field.setFocus()

    def leave(self) -> None:
        """Save what is being typed, and close the editor."""
        self.flush()
        self._id = ""
        self.editor.hide()

    def flush(self) -> None:
        """Tell now what was typed and not told yet."""
        if self._pause.isActive():
            self._pause.stop()
            self._tell()

    def offer_undo(self, words: str) -> None:
        """Offer to take back a deletion; "" for none."""
        self._undo_words.setText(words)
        self._undo.setVisible(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _editor(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(2 * STEP, STEP, 2 * STEP, STEP)
        column.setSpacing(STEP)
        column.addWidget(self._about)
        column.addWidget(self.field)
        line = QHBoxLayout()
        line.addWidget(self.colour)
        line.addStretch(1)
        line.addWidget(self._delete)
        column.addLayout(line)
        return made

    def _fit(self) -> None:
        """The field takes a third of the panel, so that list and buttons stay in sight on a small screen."""
        line = self.field.fontMetrics().lineSpacing()
        self.field.setFixedHeight(max(2 * line + 2 * STEP, min(8 * line, self.height() // 4)))

    def _opened(self, row: CardRow) -> None:
        self.edit(row.id, focus=False)
        self.chosen.emit(row.id)

    def _typed(self) -> None:
        if len(self.field.toPlainText()) > MAX_NOTE:
            self.field.setPlainText(self.field.toPlainText()[:MAX_NOTE])  # not taken, rather than lost later
        if not self._pause.isActive():  # also while somebody types without a pause
            self._pause.start()

    def _tell(self) -> None:
        if self._id:
            self.written.emit(self._id, self.field.toPlainText())

    def _coloured(self) -> None:
        if self._id and self._id != WHOLE:
            self.flush()
            self.coloured.emit(self._id, self.colour.value())

    def _remove_row(self) -> None:
        row = self.list.current_row()
        if row is not None and row.id:
            self.flush()
            self.removed.emit(row.id)

    def _remove(self) -> None:
        if self._id:
            self.flush()
            self.removed.emit(self._id)

    def take_back(self) -> bool:
        """Bring back the note that was deleted last, by Ctrl+Z of the window; returns whether there was one."""
        offered = not self._undo.isHidden()
        if offered:
            self.undone.emit()
        return offered


def _row(one: Annotation, parts: Mapping[str, str], *, lang: bool = False) -> CardRow:
    badges = [Badge(colour_word(one.colour), swatch=one.colour)]
    if one.file:
        part = parts.get(one.file, parts["page"])
        badges.append(Badge(part.format(page=number(one.page + 1))))
    if lang:
        badges.append(Badge(language_name(one.lang)))
    return CardRow(id=one.id, title=_short(one.anchor.quote), line=_short(one.note), lines=3, badges=tuple(badges))


def _short(text: str) -> str:
    return " ".join(text[:400].split())
