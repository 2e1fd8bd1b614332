"""Ask: one form for a question, a helpdesk request, a resource to find or a practice to share."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QDate
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.amounts import iso_day
from desktop.context import Context
from desktop.drafts import DraftSaver
from desktop.error_words import KnownError
from desktop.navigation import Place
from desktop.pages import ask_templates
from desktop.pages.already_answered import AlreadyAnswered
from desktop.pages.ask_kinds import Kinds
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.state_words import ASK_KINDS
from desktop.theme import STEP
from desktop.widgets.attachment_field import AttachmentField
from desktop.widgets.basics import Choice, Column, DayField, Tick, button, hairline, label, muted, title
from desktop.widgets.cards import CardRow, plain
from desktop.widgets.fitting import BesideOrBelow
from desktop.words import N_, _, available_languages, isolate, language, language_name

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
        self.kinds = Kinds()
        self.kinds.chosen.connect(lambda kind: self._choose_kind(kind, touched=True))
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
        self.anonymous_hint = muted(_("The community does not learn who asks; only the facilitators see it."))
        self.attachments = AttachmentField(context)
        self.attachments.offer_drops_on(self.body_field, self)
        self.side = AlreadyAnswered(context)
        self.side.opened.connect(self._open_hit)
        self.side.answers_me.connect(self._put_away)
        self.hits = self.side.hits
        self._kept: dict[str, Any] = {}
        self.state = label("", "good")
        self.undo_button = button(_("Undo"), "quiet", "", self._undo)
        self.state.hide()
        self.undo_button.hide()
        self._draft = DraftSaver(context, DRAFT, self.content, self)
        self._lay_out()
        for field in (self.title_field, self.decision_field):
            field.textChanged.connect(lambda _t: self._touched())
        self.body_field.textChanged.connect(self._touched)
        for box in (self.needed_box, self.confidential_box, self.anonymous_box):
            box.toggled.connect(lambda _on: self._draft.touched())
        for choice in (self.theme_field, self.language_field):
            choice.currentIndexChanged.connect(lambda _i: self._draft.touched())
        self.attachments.changed.connect(self._touched)
        self._choose_kind("question")

    def _lay_out(self) -> None:
        form = Column(640, 3 * STEP)
        form.body.addWidget(title(_("Ask or share")))
        form.body.addWidget(self.kinds)
        form.body.addSpacing(STEP)
        self.title_label = label(_("Title"), "heading")
        self.body_label = label(_("Details"), "heading")
        self.body_hint = muted("")
        self._add(form, self.title_label, self.title_field, _("Title"))
        over_body = QHBoxLayout()
        over_body.addWidget(self.body_label, 1)
        self.template_button = button(_("Start from a template"), "quiet", "text", self._template)
        over_body.addWidget(self.template_button)
        form.body.addLayout(over_body)
        form.body.addWidget(self.body_hint)
        form.body.addWidget(self.body_field)
        self.body_label.setBuddy(self.body_field)
        self.body_field.setAccessibleName(_("Details"))
        self.body_field.setTabChangesFocus(True)
        self.body_field.setMinimumHeight(QFontMetrics(self.body_field.font()).lineSpacing() * 6)
        form.body.addWidget(self.attachments)
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
        form.body.addWidget(self.anonymous_hint)
        form.body.addSpacing(STEP)
        self.send_button = button(_("Send"), "primary", "send", self.send)
        line = QHBoxLayout()
        line.addWidget(self.send_button)
        line.addWidget(button(_("Empty the form"), "quiet", "", self._throw_away))
        line.addStretch(1)
        form.body.addLayout(line)
        told = QHBoxLayout()
        told.addWidget(self.state, 1)
        told.addWidget(self.undo_button)
        form.body.addLayout(told)
        form.body.addWidget(
            muted(_("Saved as you type. It leaves once, with the next connection; the outbox shows where it is."))
        )
        form.body.addStretch(1)
        whole = BesideOrBelow(self, self.side.set_below)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(form, 1)
        whole.addWidget(hairline(vertical=True))
        whole.addWidget(self.side)

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
            self._begin(fill)
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
            "attachments": self.attachments.files,
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
        self.attachments.set_files(content.get("attachments"))
        self._search()

    def send(self) -> None:
        """Queue what is written; the form is emptied once the row is on the disk."""
        content, editing = self.content(), self._editing
        if self.attachments.busy:
            self.context.notices.said.emit(_("The files are still being copied: a moment."))
            return
        content["body"] = ask_templates.filled(content["body"])
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
        self._tell(_("It is in the outbox and leaves with the next connection."))
        self.context.notices.said.emit(_("It is in the outbox and leaves with the next connection."))
        self.context.notices.outbox_changed.emit()
        self.context.sync.nudge("outbox")

    def _tell(self, words: str, *, undo: bool = False) -> None:
        self.state.setText(words)
        self.state.show()
        self.undo_button.setVisible(undo)

    def _refused(self, error: KnownError) -> None:
        self.send_button.setEnabled(True)
        if error.code == "not-a-question":
            self.context.notices.said.emit(_("Give it a title first: one line that says what you want to know."))
            self.title_field.setFocus()
        elif error.code == "not-editable" and self._editing:
            self._left_meanwhile(self._editing)
        else:
            self.context.notices.problem.emit(error)

    def _left_meanwhile(self, item: str) -> None:
        """A sync took the question while it was being changed: the change becomes a reply to it, not yet sent."""
        content = self.content()
        key = f"reply:{item}"

        def keep(shelf: Shelf) -> None:
            before = str((shelf.own.draft(key) or {}).get("body") or "")
            words = "\n\n".join(part for part in (before, content["title"], content["body"]) if part)
            files = content["attachments"]
            shelf.own.save_draft(key, {"body": words, "title": content["title"], "attachments": files})

        def kept(_done: None) -> None:
            self._empty()
            self.context.notices.said.emit(
                _("It had left already. Your change waits as a reply to it: send it if need be.")
            )
            self.context.navigator.go(Place("outbox", record=item))

        self.context.write(keep, kept, self)

    def _throw_away(self) -> None:
        """The person wants none of it; it can be brought back from My shelf."""
        self._draft.flush()
        key = self._draft.key
        self.context.write(lambda shelf: shelf.own.delete_draft(key), lambda _done: None, self)
        self._empty()

    def _empty(self) -> None:
        was_editing, self._editing = bool(self._editing), ""
        self.side.set_closing(True)
        kind = self.kind
        self.fill({"kind": kind})
        self.send_button.setText(_("Send"))
        self._draft.forget()
        self.state.hide()
        self.undo_button.hide()
        if was_editing:
            # What was begun before the change is there again.
            self._draft.key = DRAFT
            self._draft.restore(self._fill_draft)

    def _edit(self, item: str) -> None:
        if item == self._editing:
            return
        self._draft.flush()

        def loaded(body: dict[str, Any]) -> None:
            # A draft of its own: what was begun before stays as it is.
            self._draft.key = f"edit:{item}"
            self._editing, self._restored = item, True
            self.side.set_closing(False)
            self.fill(body)
            self.send_button.setText(_("Send the change"))

        def read(shelf: Shelf) -> dict[str, Any]:
            found = shelf.own.outbox.item(item)
            return shelf.own.draft(f"edit:{item}") or {**found.body, "title": found.title}

        self.context.read(read, loaded, self, key="edit")

    def _begin(self, fill: dict[str, str]) -> None:
        """Fill the form from elsewhere; what was being written is kept in the outbox as a draft."""
        self._draft.flush()

        def put_aside(shelf: Shelf) -> bool:
            begun = shelf.own.draft(DRAFT) or {}
            words = str(begun.get("title") or "")
            if not (
                ask_templates.filled(str(begun.get("body") or ""))
                or begun.get("attachments")
                or (words and words != fill.get("title"))
            ):
                return False
            shelf.own.outbox.add("ask", words or _("Without a title yet"), begun, state="draft")
            shelf.own.drop_draft(DRAFT)
            return True

        def ready(kept: bool) -> None:
            self._editing, self._draft.key, self._restored = "", DRAFT, True
            self.side.set_closing(True)
            self.send_button.setText(_("Send"))
            self.fill(dict(fill))
            if kept:
                self._tell(_("What you had begun is in the outbox as a draft."))
                self.context.notices.outbox_changed.emit()

        self.context.write(put_aside, ready, self)

    def _template(self) -> None:
        """Put the kind's headings below what is written."""
        self.body_field.setPlainText(ask_templates.begun(self.body_field.toPlainText(), self.kind))
        self.body_field.setFocus()

    def _put_away(self, row: CardRow) -> None:
        """The shelf has the answer: nothing is sent, and the question can be had back."""
        self._kept = self.content()
        self._throw_away()
        name = isolate(plain(row.title))
        self._tell(_("“{title}” answers you: your question was put away.").format(title=name), undo=True)
        self.undo_button.setFocus()

    def _undo(self) -> None:
        self.state.hide()
        self.undo_button.hide()
        self.fill(self._kept)
        self._draft.touched()
        self.title_field.setFocus()

    def _fill_draft(self, content: dict[str, Any]) -> None:
        if not (self.title_field.text() or self.body_field.toPlainText() or self._editing):
            self.fill(content)

    def _choose_kind(self, kind: str, *, touched: bool = False) -> None:
        self.kind = kind if kind in ASK_KINDS else "question"
        self.kinds.choose(self.kind)
        first, hint = _HINTS[self.kind]
        self.title_label.setText(_(first))
        self.title_field.setAccessibleName(_(first))
        self.body_hint.setText(_(hint))
        self.helpdesk_part.setVisible(self.kind == "helpdesk")
        for part in (self.anonymous_box, self.anonymous_hint):
            part.setVisible(self.kind in ("question", "practice"))
        if touched:
            self._draft.touched()

    def _touched(self) -> None:
        self.state.hide()
        self.undo_button.hide()
        self._draft.touched()
        self.side.ask(self._words())

    def _words(self) -> str:
        # The headings of a template say nothing of what is asked.
        written = ask_templates.filled(self.body_field.toPlainText())
        return f"{self.title_field.text()} {written[:300]}".strip()

    def _search(self) -> None:
        self.side.ask(self._words())
        self.side.search()

    def _open_hit(self, row: CardRow) -> None:
        self._draft.flush()
        if row.place is not None:
            self.context.navigator.go(row.place)
