"""Every place of the window, with every kind of record opened: what the tests of looks and names walk through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit, QWidget

from desktop.navigation import Place
from resources_cache.library import Library
from resources_cache.own import Own


def places(home: Path) -> Iterator[tuple[str, Place]]:
    """Every page, and every kind of record opened on its page."""
    for page in ("home", "library", "discussions", "ask", "people", "shelf", "outbox", "sync", "preferences"):
        yield page, Place(page)
    yield "keys", Place("keys")
    yield "moving", Place("moving")
    yield "helpdesk", Place("ask", fill=(("kind", "helpdesk"), ("title", "x")))
    yield "search", Place("search", query="school")
    yield "nothing", Place("search", query="zzzzqqq")
    yield "language", Place("first-run", tab="language")
    yield "hub", Place("first-run", tab="hub")
    yield "stick", Place("first-run", tab="stick")
    with Library(home / "library.db") as library, Own(home / "own.db") as own:
        for kind, page in (
            ("thread", "discussions"),
            ("expert", "people"),
            ("event", "people"),
            ("request", "outbox"),
        ):
            yield kind, Place(page, record=library.latest((kind,), limit=1)[0].id)
        with_file = next(c for c in library.browse(("resource",), limit=200).items if c.files_bytes)
        yield "resource", Place("library", record=with_file.id)
        for state in ("attention", "waiting", "received"):
            yield f"item {state}", Place("outbox", record=own.outbox.items([state])[0].id)


def own_parts(widget: QWidget) -> bool:
    """Whether a widget is an inner part that Qt made for another control (the field of a date)."""
    name, parent = widget.objectName(), widget.parentWidget()
    if name.startswith("qt_") or isinstance(parent, QComboBox | QAbstractSpinBox | QLineEdit):
        return True
    while parent is not None:  # the list that opens under a choice
        if "QComboBoxPrivateContainer" in parent.metaObject().className():
            return True
        parent = parent.parentWidget()
    return False
