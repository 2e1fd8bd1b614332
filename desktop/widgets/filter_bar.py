"""The filters above a list: beside one another where there is room, else behind one button."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.widgets.basics import Choice, FlowLayout, button
from desktop.words import _

_LINES = 1.7
"""How many lines of filters may stand above a list before they are folded away."""


class FilterBar(QWidget):
    """Holds the choices of a list by name. Folded, it shows its button and what is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.choices: dict[str, Choice] = {}
        self._useful: set[str] = set()
        self._flow = FlowLayout()
        self.setLayout(self._flow)
        self.unfold = button(_("Filters"), "", "filter")
        self.unfold.setCheckable(True)
        self.unfold.toggled.connect(lambda _on: self.arrange())
        self.unfold.hide()
        self._flow.addWidget(self.unfold)

    def add(self, name: str, choice: Choice) -> None:
        """Put a filter at the end; it is shown once it is `useful`."""
        self.choices[name] = choice
        self._useful.add(name)
        choice.currentIndexChanged.connect(lambda _i: self.arrange())
        self._flow.addWidget(choice)

    def add_last(self, widget: QWidget) -> None:
        """Put something after the filters that comes and goes by itself."""
        self._flow.addWidget(widget)

    def set_useful(self, name: str, useful: bool) -> None:
        """Whether there is anything to choose in this filter."""
        (self._useful.add if useful else self._useful.discard)(name)
        self.arrange()

    @property
    def folded(self) -> bool:
        """Whether filters that leave all open are out of sight."""
        return not self.unfold.isHidden() and not self.unfold.isChecked()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        """Show what there is room for."""
        wide = sum(self.choices[name].sizeHint().width() for name in self._useful)
        narrow = len(self._useful) > 2 and wide > _LINES * self.width()
        self.unfold.setVisible(narrow)
        for name, choice in self.choices.items():
            choice.setVisible(name in self._useful and (not self.folded or bool(choice.value())))
