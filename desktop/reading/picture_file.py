"""Pictures read from files of anywhere: bounded in bytes and pixels before anything is unpacked.

Used behind the window. Only formats of dots are read (PNG, JPEG, WebP, GIF: its first picture); drawings such as
SVG are programs of their own and are not.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from desktop.reading.unreadable import Unreadable

FORMATS = (b"png", b"jpeg", b"webp", b"gif")
MAX_BYTES = 60_000_000
MAX_PIXELS = 50_000_000
"""Of the picture as it is in the file: unpacked 200 MB, the most that is taken for a moment."""
MAX_SHOWN = 12_000_000
"""Pixels that are kept; a larger picture is shown smaller than it is (48 MB)."""


def sniffed(head: bytes) -> str:
    """The format that the first bytes of a file say, whatever its name says: one of FORMATS, or ""."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return ""


def read_file(path: Path) -> QImage:
    """The picture in a file. Raises: Unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable("damaged", str(error)) from None
    return read_picture(data)


def read_picture(data: bytes, most_pixels: int = MAX_SHOWN) -> QImage:
    """The picture in these bytes, at most `most_pixels` of it, turned as its camera says. Raises: Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable("too-large")
    form = sniffed(data[:16])
    if not form:
        raise Unreadable("unknown")
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(form.encode()))
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.isEmpty():
        raise Unreadable("damaged", reader.errorString())
    if size.width() * size.height() > MAX_PIXELS:
        raise Unreadable("too-large", f"{size.width()} by {size.height()}")
    if size.width() * size.height() > most_pixels:
        ratio = (most_pixels / (size.width() * size.height())) ** 0.5
        smaller = QSize(max(1, int(size.width() * ratio)), max(1, int(size.height() * ratio)))
        reader.setScaledSize(size.scaled(smaller, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        raise Unreadable("damaged", reader.errorString())
    return image
