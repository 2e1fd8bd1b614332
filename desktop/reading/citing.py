"""Citations in the window: copied in a style, or saved as a file for a reference manager."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from desktop.context import Context
from desktop.notice_words import cited
from desktop.reading.printing import file_name
from desktop.reading.saving import save_file
from desktop.shelf import Shelf
from desktop.words import _, isolate, language
from resources_cache.citing.formats import bibtex, ris
from resources_cache.citing.formatted import STYLES, Citation, cite
from resources_cache.citing.sources import Source, source

FORMATS: dict[str, tuple[str, Callable[[Sequence[Source]], str]]] = {
    "RIS": ("ris", ris),
    "BibTeX": ("bib", bibtex),
}
Records = Callable[[Shelf], list[dict[str, Any]]]
"""Reads the resources that are cited, behind the window."""


class CiteMenu(QMenu):
    """Every style, which copies, and every format, which saves a file; `name` is what that is called at first."""

    def __init__(self, context: Context, owner: QWidget, records: Records, name: Callable[[], str]) -> None:
        super().__init__(owner)
        self._context, self._owner, self._records, self._name = context, owner, records, name
        for style, called in STYLES.items():
            self.addAction(_("Copy in the style {name}").format(name=isolate(called)), partial(self.copy, style))
        self.addSeparator()
        for form in FORMATS:
            self.addAction(_("Save as {name}").format(name=isolate(form)), partial(self.ask, form))

    def copy(self, style: str) -> None:
        """Put the citations into the clipboard, in the window's language."""
        records, lang = self._records, language()

        def formatted(shelf: Shelf) -> tuple[list[Citation], list[dict[str, Any]], str]:
            found = records(shelf)
            sources = [noted_source(shelf, record) for record in found]
            return cite(sources, style, lang), found, next((one.note for one in sources if one.note), "")

        def copied(told: tuple[list[Citation], list[dict[str, Any]], str]) -> None:
            entries, found, note = told
            if entries:
                put_on_clipboard("\n".join(one.text for one in entries), "<br>".join(one.html for one in entries))
                said = _("The citation is in the clipboard.")
                self._context.notices.said.emit(f"{said} {note}" if note else said)
                self._context.write(lambda shelf: shelf.own.memory.cite(found), lambda _done: None, self._owner)

        self._context.read(formatted, copied, self._owner, key="cite")

    def ask(self, form: str) -> None:
        """Ask where to, then save as RIS or BibTeX."""
        words = _("Save as {name}").format(name=form)
        chosen, _kind = QFileDialog.getSaveFileName(self._owner, words, file_name(self._name(), FORMATS[form][0]))
        if chosen:
            self.save(form, Path(chosen))

    def save(self, form: str, path: Path) -> None:
        """Write the file behind the window, and say so."""
        records, write = self._records, FORMATS[form][1]
        words = _("Saved {name}.").format(name=path.name)

        def saved(shelf: Shelf) -> None:
            found = records(shelf)
            save_file(path, write([noted_source(shelf, one) for one in found]).encode("utf-8"))
            shelf.own.memory.cite(found)

        self._context.write(
            saved,
            lambda _done: self._context.notices.said.emit(words),
            self._owner,
        )


def noted_source(shelf: Shelf, record: dict[str, Any]) -> Source:
    """What is cited of a record, with what became of it since as its note."""
    notice = record.get("notice")
    by = notice.get("by") if isinstance(notice, dict) else None
    newer = (shelf.library.get(by) or {}).get("title") if isinstance(by, str) else ""
    note = cited(record, [language()], str(newer or ""))
    return replace(source(record), note=note)


def put_on_clipboard(text: str, html: str = "") -> None:
    """Copy plain text, and the same as HTML for programs that take it."""
    data = QMimeData()
    data.setText(text)
    data.setHtml(html or escape(text).replace("\n", "<br>"))
    QGuiApplication.clipboard().setMimeData(data)
