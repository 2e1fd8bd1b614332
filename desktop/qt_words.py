"""Qt's own words (dialogs for files, menus of fields, calendars) in the window's language, where Qt has them.

Qt ships its translations as `qtbase_*.qm`. Portuguese is there as Brazil writes it; Kiswahili is not there at all:
then Qt's words stay English, and every word of Hubshelf's own is still in the person's language.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from shiboken6 import isValid

from desktop.words import locale_of

_FILES = {"pt": "qtbase_pt_BR"}


class QtWords:
    """The translation of Qt's own words that is in force for `qt`; at most one in a process at a time."""

    _translator: QTranslator | None = None

    def __init__(self, qt: QCoreApplication) -> None:
        self._qt = qt

    def use(self, code: str) -> bool:
        """Speak language `code`; returns whether Qt has words in it (English it always has)."""
        if QtWords._translator is not None and isValid(QtWords._translator):
            self._qt.removeTranslator(QtWords._translator)
        QtWords._translator = None
        QLocale.setDefault(QLocale(locale_of(code)))
        if code == "en":
            return True
        translator = QTranslator(self._qt)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if not translator.load(_FILES.get(code, f"qtbase_{code}"), folder):
            return False
        self._qt.installTranslator(translator)
        QtWords._translator = translator
        return True
