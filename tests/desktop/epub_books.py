"""Books in the EPUB format, whole and hostile, made for tests."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>Schools by the river</dc:title><dc:language>en</dc:language></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="map" href="map.png" media-type="image/png"/>
</manifest><spine><itemref idref="one"/><itemref idref="two"/></spine></package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="landmarks"><ol><li><a href="one.xhtml">Start</a></li></ol></nav>
<nav epub:type="toc"><ol><li><a href="one.xhtml">The rains</a>
<ol><li><a href="one.xhtml#wells">The wells</a></li></ol></li>
<li><a href="text/two.xhtml">The tablets</a></li></ol></nav></body></html>"""
NCX = """<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>
<navPoint><navLabel><text>Rains, by NCX</text></navLabel><content src="one.xhtml"/>
<navPoint><navLabel><text>Tablets, by NCX</text></navLabel><content src="text/two.xhtml#t"/></navPoint></navPoint>
</navMap></ncx>"""
ONE = """<?xml version="1.0"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script>alert(1)</script></head><body>
<h1>The rains</h1><p onclick="x()">It rained&#160;for <b>three</b> months.</p>
<p><img src="map.png" alt="A map"/><img src="http://far.example/x.png" alt="A far picture"/>
<img src="../../../etc/passwd" alt="A stolen file"/></p>
<h2 id="wells">The wells</h2><p>Read <a href="text/two.xhtml#t">on</a>, or
<a href="https://example.org/wells">outside</a>, or <a href="javascript:alert(1)">never</a>.</p>
</body></html>"""
TWO = """<html xmlns="http://www.w3.org/1999/xhtml"><body><h1 id="t">The tablets</h1>
<p>Tablets need a day of charging. <a href="../one.xhtml">Back</a></p></body></html>"""


def parts(picture: bytes = b"") -> dict[str, str | bytes]:
    """The files of a whole book, by their names in it."""
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": PACKAGE,
        "OPS/nav.xhtml": NAV,
        "OPS/toc.ncx": NCX,
        "OPS/one.xhtml": ONE,
        "OPS/text/two.xhtml": TWO,
        "OPS/map.png": picture,
    }


def write_book(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """Put the files into a book."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in files.items():
            book.writestr(name, content)
    return path
