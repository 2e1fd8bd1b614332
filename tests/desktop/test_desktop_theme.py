"""Colours that can be read, icons of one set, and constants that stay alive under the Qt binding."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from desktop import icons
from desktop.theme import DARK, LIGHT, TEXT_PAIRS, Colours, contrast


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(scheme: Colours) -> None:
    for ink, ground in TEXT_PAIRS:
        ratio = contrast(getattr(scheme, ink), getattr(scheme, ground))
        assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.2f}"
    for ground in ("sheet", "paper"):
        assert contrast(scheme.edge, getattr(scheme, ground)) >= 3, "borders of fields (WCAG 1.4.11)"


def test_contrast_is_the_one_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_colour_is_a_colour() -> None:
    for scheme in (LIGHT, DARK):
        for field in fields(scheme):
            value = getattr(scheme, field.name)
            assert len(value) == 7
            assert value.startswith("#")
            assert int(value[1:], 16) >= 0


def test_icons_are_one_set() -> None:
    drawings = {name: (icons.FOLDER / f"{name}.svg").read_text("utf-8") for name in icons.names()}
    assert len(drawings) > 30
    for name, drawing in drawings.items():
        assert 'viewBox="0 0 24 24"' in drawing, name
        assert 'stroke-width="1.75"' in drawing, name
        assert "currentColor" in drawing, name


def test_icons_take_the_colour_and_turn_round(qapp: object) -> None:
    one = icons.pixmap("back", "#ff0000", 24).toImage()
    painted = {
        one.pixelColor(x, y).name() for x in range(24) for y in range(24) if one.pixelColor(x, y).alpha() > 200
    }
    assert painted == {"#ff0000"}
    turned = icons._pixmap("back", "#ff0000", 24, 1.0, True).toImage()
    plain = icons._pixmap("back", "#ff0000", 24, 1.0, False).toImage()
    assert turned != plain


def test_every_named_icon_exists() -> None:
    """A name that is misspelt in the code shows only when its page is opened; this reads the code."""
    from desktop.state_words import ASK_KINDS, OUTBOX_STATES, RECORD_KINDS
    from desktop.widgets.rail import AT_FOOT, PLACES

    used = {picture for _n, _w, picture in (*PLACES, *AT_FOOT)}
    used |= {picture for _w, picture, _t in OUTBOX_STATES.values()}
    used |= {picture for _w, picture in (*ASK_KINDS.values(), *RECORD_KINDS.values())}
    assert used <= set(icons.names())


def test_thousands_of_qt_calls_do_not_end_the_program() -> None:
    code = (
        "from PySide6.QtCore import QObject, Signal\n"
        "from desktop.constants_guard import keep_constants_alive\n"
        "class S(QObject):\n    s = Signal()\n"
        "keep_constants_alive()\n"
        "o = S()\n"
        "for i in range(20000):\n    o.setObjectName('x'); o.s.emit()\n"
        "print('alive')\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr
