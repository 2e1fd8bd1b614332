"""What the button beside an error does: one place for the steps that the table of errors names."""

from __future__ import annotations

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.error_words import KnownError, Trouble, details
from desktop.navigation import PAGES, Place
from desktop.shelf import Shelf
from desktop.words import _

_PLACES = {
    "enrol": Place("first-run", tab="hub"),
    "free-space": Place("shelf", tab="files"),
    "sync-page": Place("sync"),
}


class NextSteps(QObject):
    """Takes the steps of `error_table.Step` for the whole window."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context

    def take(self, step: str, told: Trouble | KnownError | None = None) -> None:
        """Do what `step` names for the error it stands beside; without a way to repeat, `again` is a sync."""
        notices, navigator = self._context.notices, self._context.navigator
        if step in _PLACES:
            navigator.go(_PLACES[step])
        elif step in PAGES and step != "sync":
            navigator.go(Place(step))
        elif step == "again" and isinstance(told, Trouble):
            told.again()
        elif step in ("again", "sync"):
            self._context.sync.sync_now()
        elif step == "sign-in":
            self._context.read(_portal, self._sign_in, self, key="portal")
        elif step == "proxy-login":
            self._ask_login()
        elif step == "let-remove":
            self._context.write(_let_remove, lambda _done: self._context.sync.sync_now(), self)
        elif step == "repair":
            notices.open_anew.emit()
        elif step == "report":
            notices.report_wanted.emit()
        elif step == "copy" and told is not None:
            error = told.error if isinstance(told, Trouble) else told
            QGuiApplication.clipboard().setText(details(error))
            notices.said.emit(_("The details are in the clipboard."))

    def _ask_login(self) -> None:
        from desktop.pages.proxy_sheet import ProxySheet

        def keep(name: str, password: str) -> None:
            def kept(_place: str) -> None:
                self._context.sync.sync_now()

            self._context.write(lambda shelf: _keep_login(shelf, name, password), kept, self)

        parent = self.parent()
        ProxySheet(parent if isinstance(parent, QWidget) else None, keep).open()

    def _sign_in(self, address: str) -> None:
        if not address:
            self._context.sync.sync_now()
        elif not QDesktopServices.openUrl(QUrl(address)):
            self._context.notices.said.emit(_("Open a web browser and sign in to the network there."))


def _keep_login(shelf: Shelf, name: str, password: str) -> str:
    from sync.proxies import keep_login

    return keep_login(shelf.home, name, password)


def _let_remove(shelf: Shelf) -> None:
    from sync.running import LET_REMOVE

    shelf.own.set_setting(LET_REMOVE, True)


def _portal(shelf: Shelf) -> str:
    """The hub's host without protection: a network that asks people to sign in answers there with its own page.

    Its answer over https would only be a warning of the browser. "" without a hub.
    """
    from urllib.parse import urlsplit

    host = urlsplit(str(shelf.own.setting("hub_url") or "")).hostname
    return f"http://[{host}]/" if host and ":" in host else f"http://{host}/" if host else ""
