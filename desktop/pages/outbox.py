"""Outbox: everything a person wrote to the hub, where it is, and what the hub said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from desktop import attachments, report_words
from desktop.amounts import ago, date, size
from desktop.attachments import Attached
from desktop.card_rows import item_row, request_row
from desktop.context import Context
from desktop.error_words import words_of_refusal
from desktop.icons import pixmap
from desktop.navigation import Place
from desktop.pages.list_page import Listing, ListPage
from desktop.reading.request_page import said_words, who_reads
from desktop.shelf import Shelf
from desktop.state_words import OUTBOX_STATES, item_kind, outbox_state
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import (
    Column,
    EmptyPlace,
    FlowLayout,
    button,
    clear,
    hairline,
    heading,
    label,
    muted,
    title,
    tool,
)
from desktop.widgets.cards import CardRow
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from resources_cache.outbox import Item

_MEANINGS = {
    "draft": N_("Only on this computer until you send it."),
    "waiting": N_("It leaves by itself with the next connection. You can still change it or take it back."),
    "sending": N_(
        "It was offered to the hub, which has not confirmed it yet. "
        "It is offered again until it has; it arrives once."
    ),
    "received": N_("The hub has it and keeps it. Its answer will appear on Home."),
    "answered": N_("There is an answer."),
    "attention": N_(
        "The hub could not take it as it is. Nothing is lost: correct it and send it again, or take it back."
    ),
}


def _why(problem: dict[str, Any]) -> str:
    """Why the hub did not take it: our words for what we know, else the hub's own."""
    if (words := words_of_refusal(problem)) is not None:
        return f"{words.sentence} {words.next_step}"
    why = str(problem.get("detail") or problem.get("title") or _("The hub gave no reason."))
    return _("The hub says: {why}").format(why=isolate(why))


class ItemView(QWidget):
    """One queued item: its state in words, what it says, its receipt or problem, and what can be done."""

    def __init__(self, context: Context, back: Callable[[], None], changed: Callable[[], None]) -> None:
        super().__init__()
        self._context, self._changed = context, changed
        self._column = Column(640, 3 * STEP)
        self.item: Item | None = None
        self._uploads: list[Attached] = []
        self._told: dict[str, Any] | None = None
        line = QHBoxLayout()
        line.setContentsMargins(STEP, 4, STEP, 4)
        line.addWidget(tool(_("Back to the list"), "back", back))
        line.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(line)
        whole.addWidget(hairline())
        whole.addWidget(self._column, 1)

    def show_item(self, item: Item, uploads: Sequence[Attached] = (), told: dict[str, Any] | None = None) -> None:
        """Show `item` as it is now, how far its attachments are, and what the hub has told of a report."""
        if item == self.item and list(uploads) == self._uploads and told == self._told:
            return
        self.item, self._uploads, self._told = item, list(uploads), told
        body = self._column.body
        clear(body)
        body.addWidget(title(item.title))
        kind = item_kind(item.kind, item.body)
        written = _("written {ago}").format(ago=ago(item.created))
        body.addWidget(muted(f"{kind} · {written}"))
        __, picture, tone = OUTBOX_STATES[item.state]
        state = QHBoxLayout()
        drawing = QLabel()
        drawing.setPixmap(pixmap(picture, getattr(colours(), tone), in_text(20)))
        state.addWidget(drawing)
        words = label(outbox_state(item.state), "heading")
        state.addWidget(words, 1)
        body.addSpacing(STEP)
        body.addLayout(state)
        meanings = {**_MEANINGS, **(report_words.MEANINGS if item.kind == "report" else {})}
        left = item.carried if item.state in ("waiting", "sending") else None
        meaning = _("Left on a stick on {day}, not yet confirmed.").format(day=date(left)) if left else ""
        body.addWidget(label(report_words.outcome(told) or meaning or _(meanings[item.state])))
        if left:
            body.addWidget(
                muted(
                    _(
                        "It cannot be changed or taken back any more: the stick may have reached the hub already. "
                        "If a link comes first it leaves by itself, and arrives once."
                    )
                )
            )
        if item.problem:
            body.addWidget(label(_why(item.problem), "notice"))
        buttons = FlowLayout()
        introduces = item.kind == "introduce"  # said anew in Preferences, not changed here
        if item.state in ("draft", "waiting", "attention") and not left and not introduces:
            if item.kind != "report":
                buttons.addWidget(button(_("Change"), "primary", "draft", self._edit))
            if item.state in ("draft", "attention"):
                buttons.addWidget(button(_("Send again") if item.problem else _("Send"), "", "send", self._submit))
            buttons.addWidget(button(_("Take back"), "", "remove", self._withdraw))
        if item.kind != "ask" and not introduces:
            buttons.addWidget(button(_("Open what it is about"), "", "discussions", self._open_target))
        buttons.addStretch(1)
        body.addLayout(buttons)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        if item.kind == "report":
            body.addWidget(label(report_words.reason(item.body)))
        for said in said_words(item.body):
            body.addWidget(label(said))
        details = item.body.get("email" if introduces else "body")
        body.addWidget(label(str(details or _("No details were given."))))
        for one in uploads:
            parts = [isolate(one.name), isolate(size(one.size)), isolate(attachments.state_words(one))]
            body.addWidget(label(" · ".join(part for part in parts if part), "warn" if one.why else "muted"))
        for name, value in (
            (_("Needed by"), date(str(item.body.get("needed_by") or "")) if item.body.get("needed_by") else ""),
            (_("Decision it informs"), str(item.body.get("decision") or "")),
            (_("Who reads it"), who_reads(item.body)),
        ):
            if value:
                body.addWidget(muted(f"{name}: {value}"))
        if item.receipt:
            body.addSpacing(STEP)
            body.addWidget(heading(_("Receipt of the hub")))
            when = str(item.receipt.get("received") or item.receipt.get("created") or item.updated)
            body.addWidget(
                muted(_("Received {date} · number {number}").format(date=date(when), number=item.id[-12:]))
            )
        body.addStretch(1)

    def _edit(self) -> None:
        if (item := self.item) is None:
            return
        if item.kind == "ask":
            self._context.navigator.go(Place("ask", record=item.id))
        elif item.kind == "rate":
            self._open_target()
        else:
            self._do(write_again, _("Taken back. Its words are where you wrote them."), self._open_target)

    def _open_target(self) -> None:
        if self.item is None:
            return
        target = str(self.item.body.get("target") or "")

        def found(kind: str) -> None:
            self._context.navigator.open_record(kind, target)

        def kind_of(shelf: Shelf) -> str:
            kind = str((shelf.library.get(target) or {}).get("type") or "thread")
            return "thread" if kind == "message" else kind  # a message is read in its discussion

        self._context.read(kind_of, found, self, key="kind")

    def _submit(self) -> None:
        self._do(lambda shelf, item: shelf.own.outbox.submit(item), _("It leaves with the next connection."))

    def _withdraw(self) -> None:
        if (item := self.item) is None:
            return
        context = self._context

        def changed(_done: object) -> None:
            context.notices.outbox_changed.emit()
            context.sync.nudge("outbox")

        def bring_back() -> None:
            # Of the page, not of this view: another item may be shown by now.
            context.write(lambda shelf: shelf.own.outbox.bring_back(item), changed, context.notices)

        def offer() -> None:
            context.notices.undoable.emit(_("Taken back. It was not sent."), bring_back)

        self._do(lambda shelf, id_: shelf.own.outbox.withdraw(id_), "", offer)

    def _do(
        self, action: Callable[[Shelf, str], object], words: str, after: Callable[[], None] | None = None
    ) -> None:
        if (item := self.item) is None:
            return

        def done(_result: object) -> None:
            if words:
                self._context.notices.said.emit(words)
            self._context.notices.outbox_changed.emit()
            self._context.sync.nudge("outbox")
            if after is not None:
                after()
            self._changed()

        self._context.write(lambda shelf: action(shelf, item.id), done, self)


def write_again(shelf: Shelf, id_: str) -> None:
    """Take a reply back and put its words where it was written, below what is begun there by now.

    Raises NotFound, NotEditable (it has left; nothing is changed), CacheError.
    """
    outbox = shelf.own.outbox
    item = outbox.item(id_)
    key = f"reply:{item.body.get('target')}"
    begun = shelf.own.draft(key) or {}
    words = "\n\n".join(str(one) for one in (begun.get("body"), item.body.get("body")) if one)
    files = [*(begun.get("attachments") or []), *(item.body.get("attachments") or [])]
    outbox.withdraw(id_, instead=True)  # its words stay in the outbox's own row, whatever happens next
    shelf.own.save_draft(key, {"body": words, "title": item.title, "attachments": files})


class OutboxPage(ListPage):
    """Items newest first, then the requests that only the hub knows (asked from another computer)."""

    TITLE = N_("Outbox")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.add_head_button(button(_("Ask or share"), "", "ask", lambda: context.navigator.go(Place("ask"))))
        self.item_view = ItemView(context, self.panes.close_reader, self._item_changed)
        self._readers = QStackedWidget()
        self._items: dict[str, Item] = {}
        self._uploads: dict[str, list[Attached]] = {}
        self._told: dict[str, dict[str, Any] | None] = {}
        self.panes.put_reader(self._readers)
        self._readers.addWidget(self.reader)
        self._readers.addWidget(self.item_view)
        context.notices.outbox_changed.connect(self.refresh)
        # While files go up, their rows are read again, at most once in two seconds.
        self._progress = QTimer(self)
        self._progress.setSingleShot(True)
        self._progress.setInterval(2000)
        self._progress.timeout.connect(self._show_progress)
        context.sync.changed.connect(self._sync_changed)

    def arrive(self, place: Place) -> None:
        if place.record:
            record = place.record

            def known(shelf: Shelf) -> Item | None:
                if (shelf.library.get(record) or {}).get("type") not in (None, "report"):
                    return None  # the hub has it: its own page shows the answers too
                return next((item for item in shelf.own.outbox.items() if item.id == record), None)

            self.context.read(known, lambda item: self._open_found(record, item), self, key="item")
            self.refresh()
        else:
            super().arrive(place)
        self.list.setFocus()

    def _open_found(self, record: str, item: Item | None) -> None:
        self.panes.open_reader()
        if item is not None:
            self._items[item.id] = item
            self._show_item(item.id)
        else:
            self._readers.setCurrentWidget(self.reader)
            self.reader.open(record)
        self.list.choose(record)

    def query(self) -> Callable[[Shelf, int], Listing]:
        def read(shelf: Shelf, offset: int) -> Listing:
            items = shelf.own.outbox.items()
            uploads = {item.id: attachments.uploads_of(shelf, item.body) for item in items}
            page = shelf.library.browse(("request",), None, "newest", 0, 200)
            requests = {card.id: shelf.library.get(card.id) for card in page.items}
            rows = []
            told = {item.id: shelf.library.get(item.id) for item in items if item.kind == "report"}
            for item in items:
                # What the hub knows of it says more than our receipt: its state there and the answers.
                effect = str((item.receipt or {}).get("effect") or item.id)
                record = requests.pop(effect, None) if item.state in ("received", "answered") else None
                came = report_words.outcome_badge(told.get(item.id))
                row = request_row(record) if record else item_row(item, came)
                badge = attachments.badge(uploads[item.id])
                rows.append(replace(row, badges=(*row.badges, badge)) if badge else row)
            rows += [request_row(record) for record in requests.values() if record]
            behind = {item.id: (item, uploads[item.id], told.get(item.id)) for item in items}
            return Listing(len(rows), rows, {}, behind)

        return read

    def _show(self, offset: int, listing: Listing) -> None:
        self._items = {id_: item for id_, (item, *__) in listing.behind.items()}
        self._uploads = {id_: uploads for id_, (_i, uploads, _t) in listing.behind.items()}
        self._told = {id_: told for id_, (*__, told) in listing.behind.items()}
        super()._show(offset, listing)
        shown = self.item_view.item
        if shown is not None and shown.id in self._items and self._readers.currentWidget() is self.item_view:
            self._show_item_as_it_is(shown.id)

    def _sync_changed(self) -> None:
        on_their_way = any(
            one.state in ("waiting", "sending") for found in self._uploads.values() for one in found
        )
        if on_their_way and self.isVisible() and not self._progress.isActive():
            self._progress.start()

    def _show_progress(self) -> None:
        if self.isVisible():
            self.refresh()
            if self._readers.currentWidget() is self.reader:
                self.reader.refresh()

    def count_words(self, total: int) -> str:
        waiting = sum(item.state in ("waiting", "sending") for item in self._items.values())
        return (
            ngettext("{count} waiting to go", "{count} waiting to go", waiting).format(count=waiting)
            if waiting
            else ""
        )

    def nothing(self) -> QWidget:
        return EmptyPlace(
            "outbox",
            _("You have not sent anything yet."),
            _(
                "Questions, replies and requests wait here until a connection takes them, "
                "and stay with their receipts."
            ),
            _("Ask a question"),
            lambda: self.context.navigator.go(Place("ask")),
        )

    def _row_opened(self, row: CardRow) -> None:
        self.panes.open_reader()
        self.context.navigator.note(record=row.id)
        if row.kind == "item":
            self._show_item(row.id)
        else:
            self._readers.setCurrentWidget(self.reader)
            self.reader.open(row.id)

    def _show_item(self, item: str) -> None:
        if item in self._items:
            self.panes.open_reader()
            self._readers.setCurrentWidget(self.item_view)
            self._show_item_as_it_is(item)

    def _show_item_as_it_is(self, item: str) -> None:
        self.item_view.show_item(self._items[item], self._uploads.get(item, []), self._told.get(item))

    def _item_changed(self) -> None:
        self.item_view.item = None
        self.panes.close_reader()
        self.refresh()
