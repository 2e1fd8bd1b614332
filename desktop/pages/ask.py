"""Ask: one form for a question, a helpdesk request, a resource to find or a practice to share."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QDate, QTimer
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.amounts import iso_day
from desktop.card_rows import hit_row
from desktop.context import Context
from desktop.drafts import DraftSaver
from desktop.error_words import KnownError
from desktop.navigation import Place
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.state_words import ASK_KINDS
from desktop.theme import STEP
from desktop.widgets.basics import Choice, Column, DayField, Tick, button, hairline, heading, label, muted, title
from desktop.widgets.cards import CardList, CardRow
from desktop.widgets.fitting import BesideOrBelow, EqualColumns
from desktop.words import N_, _, available_languages, language, language_name

DRAFT = "ask"
_HINTS = {
    "question": (N_("What would you like to know?"), N_("Say what you tried, for whom it is, and where.")),
    "helpdesk": (N_("What do you need?"), N_("Say what the situation is and what an answer must cover.")),
    "resource": (
        N_("What should the hub find for you?"),
        N_("Say the subject, the country, the language, the year."),
    ),
    "practice": (
        N_("What worked?"),
        N_("Say what was done, where, with whom, what it cost, and what came of it."),
    ),
}


class AskPage(Page):
    """The form, and beside it what the shelf already answers; everything is saved as it is typed."""

    TITLE = N_("Ask")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.kind = "question"
        self._editing = ""
        self._restored = False
        # No QButtonGroup: it would take all but one of them off the Tab key.
        self.kinds: dict[str, QPushButton] = {}
        self.title_field = QLineEdit()
        self.body_field = QPlainTextEdit()
        self.theme_field = Choice(_("Theme"))
        self.language_field = Choice(
            _("Language"), [(code, language_name(code)) for code in available_languages()]
        )
        self.language_field.choose(language())
        self.needed_box = Tick(_("Needed by"))
        self.needed_field = DayField(_("Needed by"))
        self.needed_field.setDate(QDate.currentDate().addDays(14))
        self.needed_field.setMinimumDate(QDate.currentDate())
        self.needed_field.setEnabled(False)
        self.needed_box.toggled.connect(self.needed_field.setEnabled)
        self.decision_field = QLineEdit()
        self.confidential_box = Tick(_("Confidential: only the helpdesk team reads it"))
        self.anonymous_box = Tick(_("Without my name"))
        self.hits = CardList(_("Already answered?"), compact=True)
        self.hits.opened.connect(self._open_hit)
        self.hits_note = muted(_("While you type, what your shelf already holds about it appears here."))
        self.state = label("", "good")
        self.state.hide()
        self._draft = DraftSaver(context, DRAFT, self.content, self)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(250)
        self._look.timeout.connect(self._search)
        self._lay_out()
        for field in (self.title_field, self.decision_field):
            field.textChanged.connect(lambda _t: self._touched())
        self.body_field.textChanged.connect(self._touched)
        for box in (self.needed_box, self.confidential_box, self.anonymous_box):
            box.toggled.connect(lambda _on: self._draft.touched())
        for choice in (self.theme_field, self.language_field):
            choice.currentIndexChanged.connect(lambda _i: self._draft.touched())
        self._choose_kind("question")

    def _lay_out(self) -> None:
        form = Column(640, 3 * STEP)
        form.body.addWidget(title(_("Ask or share")))
        kinds = EqualColumns()
        for kind, (words, picture) in ASK_KINDS.items():
            made = button(_(words), "", picture)
            made.setCheckable(True)
            made.clicked.connect(lambda _checked=False, kind=kind: self._choose_kind(kind, touched=True))
            self.kinds[kind] = made
            kinds.addWidget(made)
        form.body.addLayout(kinds)
        form.body.addSpacing(STEP)
        self.title_label = label(_("Title"), "heading")
        self.body_label = label(_("Details"), "heading")
        self.body_hint = muted("")
        self._add(form, self.title_label, self.title_field, _("Title"))
        form.body.addWidget(self.body_label)
        form.body.addWidget(self.body_hint)
        form.body.addWidget(self.body_field)
        self.body_label.setBuddy(self.body_field)
        self.body_field.setAccessibleName(_("Details"))
        self.body_field.setTabChangesFocus(True)
        self.body_field.setMinimumHeight(QFontMetrics(self.body_field.font()).lineSpacing() * 6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * STEP)
        grid.setVerticalSpacing(STEP // 2)
        for place, (words, choice) in enumerate(
            ((_("Theme"), self.theme_field), (_("Language"), self.language_field))
        ):
            grid.addWidget(label(words, "heading"), 0, place)
            grid.addWidget(choice, 1, place)
            grid.setColumnStretch(place, 1)
        form.body.addLayout(grid)
        self.helpdesk_part = QWidget()
        part = QVBoxLayout(self.helpdesk_part)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(STEP)
        needed = QHBoxLayout()
        needed.addWidget(self.needed_box)
        needed.addWidget(self.needed_field)
        needed.addStretch(1)
        part.addLayout(needed)
        decision = label(_("Which decision will it inform?"), "heading")
        decision.setBuddy(self.decision_field)
        self.decision_field.setAccessibleName(_("Which decision will it inform?"))
        part.addWidget(decision)
        part.addWidget(self.decision_field)
        part.addWidget(self.confidential_box)
        form.body.addWidget(self.helpdesk_part)
        form.body.addWidget(self.anonymous_box)
        form.body.addSpacing(STEP)
        self.send_button = button(_("Send"), "primary", "send", self.send)
        line = QHBoxLayout()
        line.addWidget(self.send_button)
        line.addWidget(button(_("Empty the form"), "quiet", "", self._empty))
        line.addStretch(1)
        form.body.addLayout(line)
        form.body.addWidget(self.state)
        form.body.addWidget(
            muted(_("Saved as you type. It leaves once, with the next connection; the outbox shows where it is."))
        )
        form.body.addStretch(1)
        side = QWidget()
        side.setObjectName("page")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 3 * STEP, STEP, 0)
        head = QVBoxLayout()
        head.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        head.addWidget(heading(_("Already answered?")))
        head.addWidget(self.hits_note)
        column.addLayout(head)
        column.addWidget(self.hits, 1)
        side.setFixedWidth(296)
        whole = BesideOrBelow(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(form, 1)
        whole.addWidget(hairline(vertical=True))
        whole.addWidget(side)

    @staticmethod
    def _add(form: Column, words: QLabel, field: QLineEdit, name: str) -> None:
        words.setBuddy(field)
        field.setAccessibleName(name)
        form.body.addWidget(words)
        form.body.addWidget(field)

    def arrive(self, place: Place) -> None:
        chosen = self.theme_field.value()
        self.theme_field.set_items(
            [("", _("Not sure")), *((slug, self.context.theme_name(slug)) for slug in self.context.vocabulary)]
        )
        self.theme_field.choose(chosen)
        fill = dict(place.fill)
        if place.record:
            self._edit(place.record)
        elif fill:
            self.fill(fill)
            self._restored = True
        elif not self._restored:
            self._restored = True
            self._draft.restore(self._fill_draft)
        self.title_field.setFocus()

    def content(self) -> dict[str, Any]:
        """The form as it is: what is saved as a draft and, sent, becomes the body of the item."""
        helpdesk = self.kind == "helpdesk"
        return {
            "kind": self.kind,
            "title": self.title_field.text().strip(),
            "body": self.body_field.toPlainText().strip(),
            "lang": self.language_field.value(),
            "themes": [self.theme_field.value()] if self.theme_field.value() else [],
            "needed_by": iso_day(self.needed_field.date()) if helpdesk and self.needed_box.isChecked() else "",
            "decision": self.decision_field.text().strip() if helpdesk else "",
            "confidential": helpdesk and self.confidential_box.isChecked(),
            "anonymous": self.anonymous_box.isChecked(),
        }

    def fill(self, content: dict[str, Any]) -> None:
        """Put `content` into the form (missing fields: empty)."""
        self._choose_kind(str(content.get("kind") or "question"))
        self.title_field.setText(str(content.get("title") or ""))
        self.body_field.setPlainText(str(content.get("body") or ""))
        themes = content.get("themes") or []
        self.theme_field.choose((themes.split(",") if isinstance(themes, str) else themes)[0] if themes else "")
        self.language_field.choose(str(content.get("lang") or language()))
        self.decision_field.setText(str(content.get("decision") or ""))
        day = QDate.fromString(str(content.get("needed_by") or ""), "yyyy-MM-dd")
        self.needed_box.setChecked(day.isValid())
        if day.isValid():
            self.needed_field.setDate(day)
        self.confidential_box.setChecked(bool(content.get("confidential")))
        self.anonymous_box.setChecked(bool(content.get("anonymous")))
        self._search()

    def send(self) -> None:
        """Queue what is written; the form is emptied once the row is on the disk."""
        content, editing = self.content(), self._editing
        self.send_button.setEnabled(False)

        def queue(shelf: Shelf) -> str:
            from sync.questions import checked_question

            body = checked_question(content)
            outbox = shelf.own.outbox
            if editing:
                return outbox.submit(outbox.edit(editing, body["title"], body).id).state
            return outbox.add("ask", body["title"], body).state

        self.context.write(queue, self._queued, self, self._refused)

    def _queued(self, _state: str) -> None:
        self.send_button.setEnabled(True)
        self._empty()
        self.state.setText(_("It is in the outbox and leaves with the next connection."))
        self.state.setObjectName("good")
        self.state.show()
        self.context.notices.said.emit(_("It is in the outbox and leaves with the next connection."))
        self.context.notices.outbox_changed.emit()
        self.context.sync.nudge("outbox")

    def _refused(self, error: KnownError) -> None:
        self.send_button.setEnabled(True)
        if error.code == "not-a-question":
            self.context.notices.said.emit(_("Give it a title first: one line that says what you want to know."))
            self.title_field.setFocus()
        else:
            self.context.notices.problem.emit(error)

    def _empty(self) -> None:
        self._editing = ""
        kind = self.kind
        self.fill({"kind": kind})
        self.send_button.setText(_("Send"))
        self._draft.forget()
        self.state.hide()

    def _edit(self, item: str) -> None:
        def loaded(body: dict[str, Any]) -> None:
            self._editing, self._restored = item, True
            self.fill(body)
            self.send_button.setText(_("Send the change"))

        def read(shelf: Shelf) -> dict[str, Any]:
            found = shelf.own.outbox.item(item)
            return {**found.body, "title": found.title}

        self.context.read(read, loaded, self, key="edit")

    def _fill_draft(self, content: dict[str, Any]) -> None:
        if not self.title_field.text() and not self.body_field.toPlainText():
            self.fill(content)

    def _choose_kind(self, kind: str, *, touched: bool = False) -> None:
        self.kind = kind if kind in ASK_KINDS else "question"
        for name, made in self.kinds.items():
            made.setChecked(name == self.kind)
        first, hint = _HINTS[self.kind]
        self.title_label.setText(_(first))
        self.title_field.setAccessibleName(_(first))
        self.body_hint.setText(_(hint))
        self.helpdesk_part.setVisible(self.kind == "helpdesk")
        self.anonymous_box.setVisible(self.kind in ("question", "practice"))
        if touched:
            self._draft.touched()

    def _touched(self) -> None:
        self.state.hide()
        self._draft.touched()
        self._look.start()

    def _search(self) -> None:
        words = f"{self.title_field.text()} {self.body_field.toPlainText()[:300]}".strip()
        if len(words) < 3:
            self._show_hits([])
            return

        def read(shelf: Shelf) -> list[CardRow]:
            return [hit_row(hit, compact=True) for hit in shelf.library.search(words, limit=12).results]

        self.context.read(read, self._show_hits, self, key="hits")

    def _show_hits(self, rows: list[CardRow]) -> None:
        self.hits.set_rows(rows)
        typed = bool(self.title_field.text().strip())
        self.hits_note.setVisible(not rows)
        self.hits_note.setText(
            _("Nothing on your shelf speaks of this yet: a good question to ask.")
            if typed
            else _("While you type, what your shelf already holds about it appears here.")
        )

    def _open_hit(self, row: CardRow) -> None:
        self._draft.flush()
        if row.place is not None:
            self.context.navigator.go(row.place)
