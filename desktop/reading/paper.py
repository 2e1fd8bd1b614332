"""Printing and saving as a PDF: asks the person where to, then draws behind the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from desktop.context import Context
from desktop.reading.loading import Loaded
from desktop.reading.markup import Page
from desktop.reading.printing import Sheet, file_name, page_layout, print_sheet, save_pdf
from desktop.words import _, is_right_to_left
from resources_cache.citing.sources import source, source_lines


class Paper:
    """Puts what a reader shows on paper; `owner` is the reader."""

    def __init__(self, context: Context, owner: QWidget) -> None:
        self._context, self._owner = context, owner

    def source_of(self, loaded: Loaded) -> str:
        """Where it is from, in two or three lines."""
        return source_lines(source(loaded.record), loaded.hub)

    def sheet(self, loaded: Loaded, page: Page) -> Sheet:
        """The page, ready to be laid out in another thread."""
        return Sheet(
            html=page.html,
            title=loaded.title,
            source=self.source_of(loaded),
            page_words=_("Page {page} of {count}"),
            font=self._context.theme.reading_font(),
            right_to_left=is_right_to_left(page.lang),
            author=", ".join(map(str, loaded.record.get("authors") or [])),
        )

    def ask_name(self, loaded: Loaded, ending: str) -> Path | None:
        """Ask under which name to save; None where the person thought better of it."""
        name = file_name(loaded.title, ending)
        chosen, _kind = QFileDialog.getSaveFileName(self._owner, _("Save a copy"), name)
        return Path(chosen) if chosen else None

    def ask_pdf(self, loaded: Loaded, page: Page) -> None:
        """Ask where to, then save the page as a PDF."""
        if path := self.ask_name(loaded, "pdf"):
            self.save(loaded, page, path)

    def save(self, loaded: Loaded, page: Page, path: Path) -> None:
        """Save the page as a PDF, and say so when it is there."""
        sheet, words = self.sheet(loaded, page), _("Saved {name}.").format(name=path.name)
        self._context.write(
            lambda _shelf: save_pdf(sheet, path, _uses_letter()),
            lambda _pages: self._context.notices.said.emit(words),
            self._owner,
        )

    def print(self, loaded: Loaded, page: Page) -> None:
        """Ask for a printer, then print the page on it."""
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setPageLayout(page_layout(_uses_letter()))
        printer.setDocName(loaded.title)
        dialog = QPrintDialog(printer, self._owner)
        sheet = self.sheet(loaded, page)

        def accepted() -> None:
            self._context.write(
                lambda _shelf: print_sheet(sheet, printer),
                lambda pages: self._context.notices.said.emit(
                    _("Sent to the printer.") if pages else _("The printer took nothing. Save as PDF instead.")
                ),
                self._owner,
            )

        dialog.accepted.connect(accepted)
        dialog.finished.connect(dialog.deleteLater)
        QDialog.open(dialog)  # the class's own would want to be told of a slot


def _uses_letter() -> bool:
    return QLocale.system().measurementSystem() == QLocale.MeasurementSystem.ImperialUSSystem
