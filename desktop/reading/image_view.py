"""A picture of the shelf, read inside the window: as large as the window, or larger and moved about."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.amounts import number
from desktop.theme import STEP, colours
from desktop.widgets.basics import muted, tool
from desktop.words import _, isolate
from resources_cache.own import FilePlace

SMALLEST, LARGEST = 0.05, 16.0


class _Canvas(QAbstractScrollArea):
    """Draws one picture; 0 as its zoom fits it into the window."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.zoom = 0.0
        self._held: QPoint | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)

    def set_image(self, image: QImage) -> None:
        self._image = image
        self.set_zoom(0)

    def scale(self) -> float:
        """Pixels of the window for one of the picture; a small picture is not made larger by itself."""
        if self.zoom or self._image.isNull():
            return self.zoom or 1.0
        room = self.viewport().size() - QSize(2 * STEP, 2 * STEP)
        across = room.width() / self._image.width()
        return max(SMALLEST, min(1.0, across, room.height() / self._image.height()))

    def set_zoom(self, zoom: float) -> None:
        self.zoom = max(SMALLEST, min(LARGEST, zoom)) if zoom else 0.0
        shown = self._image.size() * self.scale()
        room = self.viewport().size()
        for bar, length, window in (
            (self.horizontalScrollBar(), shown.width(), room.width()),
            (self.verticalScrollBar(), shown.height(), room.height()),
        ):
            middle = (bar.value() + window / 2) / max(1, bar.maximum() + window)
            bar.setRange(0, max(0, length - window) if self.zoom else 0)
            bar.setPageStep(window)
            bar.setSingleStep(4 * STEP)
            bar.setValue(round(middle * (bar.maximum() + window) - window / 2))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_zoom(self.zoom)
        self.resized.emit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(colours().rail))
        scale, room = self.scale(), self.viewport().size()
        width, height = self._image.width() * scale, self._image.height() * scale
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        left = (room.width() + across.maximum() - width) / 2 - across.value()
        top = (room.height() + down.maximum() - height) / 2 - down.value()
        where = QRectF(QPointF(left, top), QPointF(left + width, top + height))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 4)
        painter.fillRect(where, Qt.GlobalColor.white)
        painter.drawImage(where, self._image)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_0:
            self.set_zoom(0)
            self.resized.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = event.position().toPoint()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            moved = event.position().toPoint() - self._held
            self._held = event.position().toPoint()
            for bar, step in ((self.horizontalScrollBar(), moved.x()), (self.verticalScrollBar(), moved.y())):
                bar.setValue(bar.value() - step)


class ImageView(QWidget):
    """A picture with its size, larger, smaller and fit."""

    placed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.canvas = _Canvas()
        self._size: QLabel = muted("", wrap=False)
        self._whole = ""
        line = QHBoxLayout()
        line.setContentsMargins(2 * STEP, 4, 2 * STEP, 4)
        line.addWidget(self._size)
        line.addStretch(1)
        line.addWidget(tool(_("Smaller"), "smaller", lambda: self.resize_by(1 / 1.25), bare=True))
        line.addWidget(tool(_("Larger"), "larger", lambda: self.resize_by(1.25), bare=True))
        line.addWidget(tool(_("As large as the window"), "expand", lambda: self._zoom(0), bare=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.canvas, 1)
        self.setFocusProxy(self.canvas)
        self.canvas.resized.connect(self._tell)

    def open(self, image: QImage, words: str, place: FilePlace) -> None:
        """Show a picture; `words` say to those who do not see it what it is."""
        self._whole = isolate(f"{number(image.width())} × {number(image.height())}")
        self.canvas.set_image(image)
        self.canvas.setAccessibleName(_("Picture: {words}").format(words=words))
        self.canvas.setAccessibleDescription(self._whole)
        self._zoom(place.zoom)

    @property
    def place(self) -> FilePlace:
        """The size in which it is seen."""
        return FilePlace(zoom=self.canvas.zoom)

    @property
    def progress(self) -> float:
        """How much of it was read, 0..1; a picture is seen at once, and so it is 0."""
        return 0.0

    def still(self) -> None:
        """A picture tells nothing later than at once."""

    def find_words(self, words: str, *, backward: bool = False, fresh: bool = False) -> int:
        """There are no words in a picture."""
        return 0

    def resize_by(self, factor: float) -> None:
        """Show it larger or smaller."""
        self._zoom(self.canvas.scale() * factor)

    def _zoom(self, zoom: float) -> None:
        self.canvas.set_zoom(zoom)
        self._tell()
        self.placed.emit()

    def _tell(self) -> None:
        percent = number(round(100 * self.canvas.scale()))
        self._size.setText(f"{self._whole} · " + isolate(_("{percent} %").format(percent=percent)))
