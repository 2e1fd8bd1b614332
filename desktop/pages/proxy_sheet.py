"""What the proxy of an office wants to know before it lets anybody through."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.widgets.basics import button, heading, label, muted
from desktop.widgets.dialog import Dialog
from desktop.words import _

_WIDE = 460


class ProxySheet(Dialog):
    """A name and a password; `then` gets both."""

    def __init__(self, parent: QWidget | None, then: Callable[[str, str], object]) -> None:
        super().__init__(parent, _("Name and password"), _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name, self.password = QLineEdit(), QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.body.addWidget(heading(_("The proxy of this network wants a name and a password.")))
        self.body.addWidget(label(_("They are those of your office for the internet, not those of your hub.")))
        for words, field in ((_("Name"), self.name), (_("Password"), self.password)):
            name = label(words, "heading")
            name.setBuddy(field)
            field.setAccessibleName(words)
            field.setMaxLength(500)
            field.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            field.textChanged.connect(self._changed)
            field.returnPressed.connect(self._entered)
            self.body.addWidget(name)
            self.body.addWidget(field)
        self.body.addWidget(muted(_("They are kept on this computer, and told to this proxy alone.")))
        self.body.addStretch(1)
        self.foot.addWidget(button(_("Cancel"), "", "", self.reject))
        self.yes = button(_("Keep and sync"), "primary", "check", self.accept)
        self.yes.setEnabled(False)
        self.foot.addWidget(self.yes)
        self.accepted.connect(lambda: then(self.name.text(), self.password.text()))
        self.name.setFocus()

    def _changed(self) -> None:
        self.yes.setEnabled(bool(self.name.text().strip() and self.password.text()))

    def _entered(self) -> None:
        if self.yes.isEnabled():
            self.accept()
        else:
            (self.password if self.name.text().strip() else self.name).setFocus()
