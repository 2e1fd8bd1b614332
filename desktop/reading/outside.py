"""Links that leave the window: they open only after the person has seen where they go."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop.widgets.basics import button, label, muted
from desktop.widgets.dialog import Dialog
from desktop.words import _


class OutsideDialog(Dialog):
    """Shows an address and asks whether to open it in the browser."""

    def __init__(self, parent: QWidget, url: QUrl) -> None:
        super().__init__(parent, _("Open in the browser?"))
        self.body.addWidget(label(_("This link leaves Hubshelf and needs a connection:")))
        # The address as it really is: no clever letters that look like others.
        address = label(bytes(url.toEncoded().data()).decode("ascii"), "heading")
        address.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        address.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(address)
        self.body.addWidget(muted(_("What is loaded there costs data.")))
        self.foot.addWidget(button(_("Stay here"), "", "", self.reject))
        self.foot.addWidget(button(_("Open in the browser"), "primary", "", self.accept))


def open_outside(parent: QWidget, url: QUrl) -> None:
    """Ask, then open `url` in the person's browser; other schemes than http, https and mailto never open."""
    if url.scheme().lower() not in ("http", "https", "mailto"):
        return
    dialog = OutsideDialog(parent, url)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: QDesktopServices.openUrl(url))
    dialog.open()
