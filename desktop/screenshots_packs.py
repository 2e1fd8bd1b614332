"""Pictures of packs: what stands on the Sync page, the sheets, one at work and one that is done.

What is shown is made up, and nothing of it is on any disk: pictures are the same wherever they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.app import Application
from desktop.navigation import Place
from desktop.packs import Moment, Outcome
from desktop.pages.pack_sheets import ChoosePlace, CodeSheet, PutSheet, TakeInSheet
from desktop.pages.sync import SyncPage
from desktop.shelf import Shelf
from desktop.sticks import Stick
from desktop.widgets.dialog import Dialog
from sync.errors import Cancelled
from sync.offers import StreamOffer
from sync.packs.by_hand import Heard
from sync.packs.exporting import Weighed
from sync.packs.importing import Imported
from sync.packs.looking import Look
from sync.packs.transport import PackGone
from sync.protocol.pack_writing import LeftOut
from sync.report import SyncReport

Shot = tuple[str, Place, Callable[[Application], None] | None]
_PUBLISHED = "2026-05-03T08:00:00Z"
_STICKS = [
    Stick("KINGSTON", Path("/media/KINGSTON"), True, True, 12_400_000_000),
    Stick("MINISTRY", Path("/media/MINISTRY"), False, True, 3_100_000_000),
]
_LOOK = Look(
    hub="Hubshelf sample hub",
    published=_PUBLISHED,
    fingerprint="3f2a91c07d1e22b4" + "0" * 48,
    offers=[
        StreamOffer(f"public/cards/{lang}", "cards", lang, "", 900_000, records)
        for lang, records in (("en", 812), ("fr", 240), ("ar", 96))
    ],
    content=6_400_000,
    to_keep=6_400_000,
    room=40_000_000_000,
    files=12,
    file_bytes=41_300_000,
    left_out=[LeftOut("national-plan-2031.pdf", "National plan", "all rights reserved", "licence")],
    left_out_count=3,
    envelopes=2,
    answers=1,
)


def pack_shots(item: str | None) -> Iterator[Shot]:
    """Name, place and what to do there first; `item`: something in the outbox that waits."""
    sync = Place("sync")
    yield "stick", sync, _offer
    for name, make in SHEETS.items():
        yield name, sync, partial(_open, make)
    yield "stick-at-work", sync, lambda app: _show(app, Moment("in", done=2_600_000, total=6_400_000))
    yield "stick-waiting", sync, lambda app: _show(app, Moment("in", waiting=True))
    yield "stick-done", sync, lambda app: _show(app, Moment(), _done())
    yield "stick-gone", sync, lambda app: _show(app, Moment(), Outcome(error=PackGone(""), doing="in"))
    yield "stick-stopped", sync, lambda app: _show(app, Moment(), Outcome(error=Cancelled(""), doing="in"))
    yield "first-run-stick", Place("first-run", tab="stick"), _offer
    if item is not None:
        yield "item-on-a-stick", Place("outbox"), lambda app: _leave(app, item)


def _nothing(*_anything: Any) -> None:
    """Pictures have no hands."""


def _open(make: Callable[[QWidget], Dialog], application: Application) -> None:
    make(application.window).open()


def _done() -> Outcome:
    brought = Imported(
        "Hubshelf sample hub", 1, 7, _PUBLISHED, SyncReport(records=312), 12, 41_300_000, 0, 2, 1, 6_400_000
    )
    return Outcome(brought=replace(brought, heard=Heard(True, 2, 3)), doing="in")


def _offer(application: Application) -> None:
    application.context.packs.find = lambda: _STICKS
    page = application.window.stack.currentWidget()
    if isinstance(page, SyncPage):
        page.by_stick.look_round()
    elif page is not None and hasattr(page, "stick"):
        page.stick.look_round()


def _weighed(window: QWidget) -> Dialog:
    sheet = PutSheet(window, "KINGSTON", _nothing)
    sheet.show_weighed(
        Weighed(
            *(6_400_000, 9, 22_800_000, 1_200, 2_900_000, 3_600_000, 12_400_000_000, 2, False, 2, 1),
            languages={"en": 3_600_000, "fr": 1_500_000, "ar": 700_000, "pt": 400_000, "sw": 200_000},
            attached=1,
            attached_bytes=480_000,
            parcels=1,
            parcel_bytes=1_100_000,
        )
    )
    return sheet


SHEETS: dict[str, Callable[[QWidget], Dialog]] = {
    "stick-where": lambda window: ChoosePlace(window, _STICKS, False, _nothing),
    "stick-where-to": lambda window: ChoosePlace(window, _STICKS, True, _nothing),
    "stick-look": lambda window: TakeInSheet(window, _LOOK, _nothing),
    "stick-trust": lambda window: TakeInSheet(window, replace(_LOOK, is_new_hub=True), _nothing),
    "stick-put": _weighed,
    "stick-code": lambda window: CodeSheet(window, "Room 12", _nothing),
}
"""Every sheet about packs, filled."""


def _show(application: Application, moment: Moment, outcome: Outcome | None = None) -> None:
    packs = application.context.packs
    packs.moment, packs.outcome = moment, outcome
    page = application.window.stack.currentWidget()
    assert isinstance(page, SyncPage)
    packs.changed.emit()


def tidy(application: Application) -> None:
    """As if no pack had ever been."""
    packs = application.context.packs
    packs.moment, packs.outcome, packs.find = Moment(), None, list
    packs.changed.emit()


def _leave(application: Application, item: str) -> None:
    def leave(shelf: Shelf) -> None:
        shelf.own.outbox.leave_by_hand([item])

    def left(_none: None) -> None:
        application.context.navigator.go(Place("outbox", record=item))

    application.context.write(leave, left, application)
