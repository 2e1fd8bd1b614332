"""The person's own computers as the hub knows them, each with what takes its access away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.amounts import ago, date
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, clear, hairline, label, muted
from desktop.words import _, isolate

if TYPE_CHECKING:
    from sync.protocol.devices import DeviceEntry


def ask_devices(shelf: Shelf, revoke: str = "") -> Sequence[DeviceEntry]:
    """Ask the hub for the list, after `revoke` (an id) lost its access. Raises SyncError."""
    from sync.own_devices import own_devices

    with closing(shelf.home.connect(shelf.home.hub_url)) as transport:
        return own_devices(shelf.home, transport, revoke=revoke)


class DevicesList(QWidget):
    """Asked for by a button, since it needs a connection; computers without access are left out."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(STEP)
        self.show_button = button(_("Show my computers"), "", "sync", self._ask)
        line = FlowLayout()
        line.addWidget(self.show_button)
        self._column.addLayout(line)
        self._note = muted(_("This asks the hub: a few kilobytes."))
        self._column.addWidget(self._note)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(STEP)
        self._column.addLayout(self._rows)

    def show_devices(self, found: Sequence[DeviceEntry]) -> None:
        """Show the computers that have access, this one first."""
        self.show_button.setEnabled(True)
        clear(self._rows)
        shown = sorted((one for one in found if not one.revoked), key=lambda one: not one.this)
        self._note.setText(_("What loses its access stops syncing, and lets go of what is only for members."))
        for one in shown:
            self._rows.addWidget(hairline())
            self._rows.addWidget(label(isolate(one.name or _("A computer without a name")), "heading"))
            known = _("since {date}").format(date=date(one.created)) if one.created else ""
            seen = _("last contact {ago}").format(ago=ago(one.seen)) if one.seen else _("no contact yet")
            parts = [
                _("this computer") if one.this else "",
                isolate(one.system) if one.system else "",
                known,
                seen,
            ]
            self._rows.addWidget(muted(" · ".join(part for part in parts if part)))
            if not one.this:
                line = FlowLayout()
                words = _("Take its access away")
                take = button(words, "", "remove", lambda one=one: self._ask_first(one))  # type: ignore[misc]
                take.setAccessibleName(f"{words}: {one.name}")
                line.addWidget(take)
                self._rows.addLayout(line)

    def _ask(self, revoke: str = "") -> None:
        self.show_button.setEnabled(False)
        self._note.setText(_("Asking the hub."))
        self._context.fetch(lambda shelf: ask_devices(shelf, revoke), self.show_devices, self, self._failed)

    def _failed(self, error: KnownError) -> None:
        self.show_button.setEnabled(True)
        words = words_for(error)
        self._note.setText(f"{words.sentence} {words.next_step}")

    def _ask_first(self, one: DeviceEntry) -> None:
        from desktop.widgets.question import ask_first

        ask_first(
            self,
            _("Take the access of this computer away?"),
            _(
                "{name} stops syncing at its next contact and lets go of what is only for members. "
                "What was written there stays there, and can be read."
            ).format(name=isolate(one.name or _("A computer without a name"))),
            _("Take its access away"),
            lambda: self._ask(one.id),
        )
