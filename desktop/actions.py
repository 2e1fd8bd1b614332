"""Everything that can be done from anywhere in the window, in one table: its words, its keys, and what it does.

The keys of the window, the palette (Ctrl+K) and the page of keys (F1) are all made from it, so that none of them
knows something that the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication, QKeySequence

from desktop.links import KINDS, LinkRefused, link_to, link_to_search
from desktop.navigation import Place
from desktop.widgets.rail import AT_FOOT, PLACES
from desktop.words import N_, _, available_languages, language, language_name

if TYPE_CHECKING:
    from desktop.context import Context
    from desktop.shelf import Shelf

SIZES = (90, 100, 115, 130, 150, 175)
"""Text sizes of the window to step through (per cent)."""

GROUPS: tuple[str, ...] = (
    N_("Places"),
    N_("Find and open"),
    N_("Sync and write"),
    N_("In a list or a text"),
    N_("How it looks"),
)


@dataclass(frozen=True)
class Action:
    """One thing to do. `keys`: key sequences as Qt writes them, the first one is shown; `group`: one of GROUPS.

    `do` is None for keys that belong to a part of a page, which sees to them itself; `likewise`: other words that
    people may type for it.
    """

    name: str
    words: str
    group: str
    keys: tuple[str, ...] = ()
    picture: str = ""
    do: Callable[[], object] | None = None
    likewise: str = ""

    def spoken_keys(self) -> str:
        """The keys as this system writes them, in the order of Latin letters whatever stands around them."""
        native = QKeySequence.SequenceFormat.NativeText
        shown = (QKeySequence(keys).toString(native) or keys for keys in self.keys[:2])
        return "\u2066" + " / ".join(shown) + "\u2069" if self.keys else ""


@dataclass(frozen=True)
class WindowActions:
    """What the window itself does for the table."""

    palette: Callable[[], object]
    search: Callable[[], object]
    full_screen: Callable[[], object]
    close: Callable[[], object]
    bring_back: Callable[[], object]


def table(context: Context, window: WindowActions) -> tuple[Action, ...]:
    """Every action, in the order in which they are shown, in the language of now."""
    return (
        *_places(context),
        *_finding(context, window),
        *_syncing(context, window),
        *_inside(),
        *_looks(context, window),
    )


def _places(context: Context) -> Iterator[Action]:
    go = context.navigator.go
    for number, (page, words, picture) in enumerate(PLACES, 1):
        yield Action(f"go-{page}", _(words), GROUPS[0], (f"Ctrl+{number}",), picture, partial(go, Place(page)))
    yield Action("go-sync", _("Sync"), GROUPS[0], ("Ctrl+8",), "sync", partial(go, Place("sync")))
    for page, words, picture in AT_FOOT:
        yield Action(f"go-{page}", _(words), GROUPS[0], ("Ctrl+,",), picture, partial(go, Place(page)), "settings")
    keys = ("F1", "Ctrl+?")
    yield Action(
        "go-keys", _("All keys"), GROUPS[0], keys, "contents", partial(go, Place("keys")), "shortcuts help"
    )
    tour = context.notices.tour_wanted.emit
    yield Action("tour", _("Take the tour"), GROUPS[0], (), "forward", tour, "welcome help introduction")
    words, likewise = _("Your computers"), "device move new pc revoke backup"
    yield Action("go-moving", words, GROUPS[0], (), "download", partial(go, Place("moving")), likewise)


def _finding(context: Context, window: WindowActions) -> Iterator[Action]:
    group, navigator = GROUPS[1], context.navigator
    yield Action("palette", _("Find a place, an action or a title"), group, ("Ctrl+K",), "search", window.palette)
    yield Action("search", _("To the search field"), group, ("Ctrl+E",), "search", window.search)
    yield Action("back", _("Back"), group, ("Alt+Left",), "back", navigator.back)
    yield Action("forward", _("Forward"), group, ("Alt+Right",), "forward", navigator.forward)
    tabs = context.tabs
    new = partial(context.tabs.open, Place("home"), front=True)
    yield Action("tab-new", _("New tab"), group, ("Ctrl+T",), "file", new)
    yield Action("tab-next", _("Next tab"), group, ("Ctrl+Tab", "Ctrl+PgDown"), "forward", partial(tabs.step, 1))
    keys = ("Ctrl+Shift+Tab", "Ctrl+PgUp")
    yield Action("tab-before", _("Tab before"), group, keys, "back", partial(tabs.step, -1))
    yield Action("tab-close", _("Close the tab"), group, ("Ctrl+W",), "close", tabs.close)
    copy = partial(copy_link, context)
    yield Action(
        "copy-link", _("Copy link to what is open"), group, ("Ctrl+Shift+C",), "external", copy, "url share"
    )


def _syncing(context: Context, window: WindowActions) -> Iterator[Action]:
    group, sync = GROUPS[2], context.sync
    yield Action("sync", _("Sync now"), group, ("F5",), "sync", sync.sync_now)
    yield Action("pause", _("Pause syncing"), group, (), "pause", sync.pause, "stop")
    yield Action("resume", _("Go on syncing"), group, (), "play", sync.resume, "continue")
    stick = partial(context.navigator.go, Place("sync", tab="stick"))
    words, likewise = _("Take in a pack, or put one on a stick"), "usb import export carry offline"
    yield Action("stick", words, group, (), "stick", stick, likewise)
    ask = partial(context.navigator.go, Place("ask"))
    yield Action("ask", _("New question"), group, ("Ctrl+N",), "ask", ask, "write helpdesk request practice")
    words, likewise = _("Bring back what was removed last"), "undo restore bin dustbin deleted"
    yield Action("bring-back", words, group, ("Ctrl+Z",), "back", window.bring_back, likewise)


def _inside() -> Iterator[Action]:
    group = GROUPS[3]
    yield Action("find", _("Find in the text"), group, ("Ctrl+F",))
    yield Action("caret", _("Select with the keyboard"), group, ("F7",))
    yield Action("highlight", _("Highlight the selected words"), group, ("Ctrl+Shift+H",))
    yield Action("note", _("Note"), group, ("Ctrl+Shift+N",))
    yield Action("copy-with-source", _("Copy with source"), group, ("Ctrl+Shift+Q",))
    yield Action("print", _("Print"), group, ("Ctrl+P",))
    yield Action("note-delete", _("Delete the chosen note"), group, ("Del",))
    yield Action("reading-larger", _("Larger text in the reader"), group, ("Ctrl++", "Ctrl+="))
    yield Action("reading-smaller", _("Smaller text in the reader"), group, ("Ctrl+-",))
    yield Action("open", _("Open the chosen row"), group, ("Return",))
    yield Action("open-beside", _("Open the chosen row in a new tab"), group, ("Ctrl+Return",))
    yield Action("choose", _("Choose the row, or no longer"), group, ("Space",))
    yield Action("choose-more", _("Choose the next row too"), group, ("Shift+Down", "Shift+Up"))
    yield Action("choose-all", _("Choose all that is listed"), group, ("Ctrl+A",))
    yield Action("leave", _("Leave the text, back to the list"), group, ("Esc",))


def _looks(context: Context, window: WindowActions) -> Iterator[Action]:
    group = GROUPS[4]
    for scheme, words in (
        ("light", _("Light colours")),
        ("dark", _("Dark colours")),
        ("system", _("Colours as the system")),
    ):
        yield Action(
            f"colours-{scheme}", words, group, (), "preferences", partial(_wear, context, scheme), "theme"
        )
    yield Action(
        "larger", _("Larger text in the window"), group, (), "larger", partial(_resize, context, 1), "zoom"
    )
    yield Action(
        "smaller", _("Smaller text in the window"), group, (), "smaller", partial(_resize, context, -1), "zoom"
    )
    for code in available_languages():
        if code != language():
            words = _("Language: {name}").format(name=language_name(code))
            yield Action(f"language-{code}", words, group, (), "globe", partial(_speak, context, code), "language")
    yield Action("full-screen", _("Whole screen"), group, ("F11",), "expand", window.full_screen)
    anew = context.notices.open_anew.emit
    yield Action("open-anew", _("Open the shelf anew"), group, (), "sync", anew, "repair restart")
    yield Action("close", _("Close Hubshelf"), group, ("Ctrl+Q",), "close", window.close, "quit exit")


def _wear(context: Context, scheme: str) -> None:
    context.preferences.scheme = scheme
    _changed(context)


def _resize(context: Context, step: int) -> None:
    """To the next of SIZES that is larger (1) or smaller (-1)."""
    now = context.preferences.scale
    beyond = [size for size in SIZES if (size - now) * step > 0]
    if beyond:
        context.preferences.scale = min(beyond) if step > 0 else max(beyond)
        _changed(context)


def _speak(context: Context, code: str) -> None:
    context.preferences.language = code
    _changed(context)


def _changed(context: Context) -> None:
    context.save_preferences()
    context.notices.look_changed.emit()


def copy_link(context: Context) -> None:
    """Put the link to what is open into the clipboard: a record, or a search."""
    here = context.navigator.here

    def kind_of(shelf: Shelf) -> str:
        found = shelf.library.get(here.record)
        return str(found.get("type")) if found else "request" if here.page == "outbox" else ""

    def known(kind: str) -> None:
        put_link(context, kind, here.record)

    if here.record:
        context.read(kind_of, known, context.navigator, key="link")
    elif here.page == "search" and here.query:
        _put(context, link_to_search(here.query[:300]))
    else:
        context.notices.said.emit(_("Open something first: a link leads to a record or to a search."))


def put_link(context: Context, kind: str, record: str) -> None:
    """Put the link to a record of `kind` into the clipboard, and say so."""
    try:
        _put(context, link_to("resource" if kind == "text" else kind, record))
    except LinkRefused:
        context.notices.said.emit(_("This has no link of its own."))


def _put(context: Context, link: str) -> None:
    QGuiApplication.clipboard().setText(link)
    context.notices.said.emit(_("The link is in the clipboard. It opens in Hubshelf, also without a connection."))


def linkable(kind: str) -> bool:
    """Whether a record of `kind` has a link."""
    return kind in KINDS
