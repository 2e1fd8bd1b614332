"""What a person writes is saved as it is typed, a moment after each letter, and at once when the window closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer

from desktop.context import Context

PAUSE_MS = 300


class DraftSaver(QObject):
    """Saves one form under `key` in own.db; an empty form leaves no draft behind."""

    def __init__(self, context: Context, key: str, content: Callable[[], dict[str, Any]], parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._content = context, content
        self.key = key
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._save)
        context.notices.closing.connect(self.flush)

    def touched(self) -> None:
        """Something was typed. Who types without a pause is saved all the same, every `PAUSE_MS`."""
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Save now what is not saved yet."""
        if self._timer.isActive():
            self._timer.stop()
            self._save()

    def forget(self) -> None:
        """The form was sent: no draft remains."""
        self._timer.stop()
        key = self.key
        self._context.write(lambda shelf: shelf.own.drop_draft(key), lambda _done: None, self)

    def throw_away(self) -> None:
        """The form was emptied: what was saved of it is among what was removed."""
        self._timer.stop()
        key = self.key
        self._context.write(lambda shelf: shelf.own.delete_draft(key), lambda _done: None, self)

    def restore(self, fill: Callable[[dict[str, Any]], None]) -> None:
        """Read the draft of this key and give it to `fill`, where there is one."""
        key = self.key
        self._context.read(
            lambda shelf: shelf.own.draft(key), lambda found: fill(found) if found else None, self, key="draft"
        )

    def _save(self) -> None:
        key, content = self.key, self._content()
        if any(value for name, value in content.items() if name in ("title", "body", "decision", "attachments")):
            self._context.write(lambda shelf: shelf.own.save_draft(key, content), lambda _done: None, self)
        else:
            self.throw_away()
