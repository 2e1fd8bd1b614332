"""The window's one set of icons: 24-pixel line drawings, recoloured to the theme and sharp at any scale."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).parent
# These point along the line of reading and so turn round with it.
DIRECTIONAL = frozenset({"back", "forward", "answer", "send", "contents", "external", "play", "draft"})


def names() -> list[str]:
    """Every icon there is."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


@lru_cache(maxsize=128)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    drawing = (FOLDER / f"{name}.svg").read_text("utf-8").replace("currentColor", colour)
    return QSvgRenderer(QByteArray(drawing.encode()))


@lru_cache(maxsize=512)
def _pixmap(name: str, colour: str, points: int, ratio: float, mirrored: bool) -> QPixmap:
    picture = QPixmap(QSize(round(points * ratio), round(points * ratio)))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    if mirrored:
        painter.translate(picture.width(), 0)
        painter.scale(-1, 1)
    _renderer(name, colour).render(painter, QRectF(0, 0, picture.width(), picture.height()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def pixmap(name: str, colour: str, points: int = 20) -> QPixmap:
    """The icon at `points` square, in `colour` (`#rrggbb`), at the screen's pixel ratio.

    Raises FileNotFoundError for a name that is not in the set.
    """
    screen = QGuiApplication.primaryScreen()
    ratio = screen.devicePixelRatio() if screen else 1.0
    turned = name in DIRECTIONAL and QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    return _pixmap(name, colour, points, ratio, turned)


def icon(name: str, colour: str, points: int = 20) -> QIcon:
    """The icon as a QIcon for buttons and menus."""
    return QIcon(pixmap(name, colour, points))
