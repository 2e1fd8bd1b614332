"""A small reader of EPUB files (EPUB 3.3 and 2.0.1: OCF container, package document, navigation document or NCX).

A book is a zip file from anywhere, so everything in it is bounded before it is unpacked, nothing is written to the
disk, no entity is expanded, no DTD read and nothing fetched; its pages are sanitised like all other HTML. Styles,
fonts, scripts, sound and moving pictures are left out. Every function raises Unreadable and nothing else.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import unquote, urlsplit

from desktop.reading.markup import ATTRIBUTES, SCHEMES, TAGS, wrap
from desktop.reading.unreadable import Unreadable

INSIDE = "hubshelf-book"
"""The scheme of links to another place of the book (`hubshelf-book:3#notes`) and of its pictures."""
MAX_FILE = 300_000_000
"""Bytes of the whole file."""
MAX_DIRECTORY = 4_000_000
"""Bytes of the zip file's list of entries, which is read whole."""
MAX_ENTRIES = 20_000
MAX_PART = 4_000_000
"""Bytes of one unpacked document of the book."""
MAX_PICTURE = 20_000_000
"""Bytes of one picture as it is in the file."""
MAX_SHOWN = 2_000_000
"""Characters of one chapter as it is shown: the window lays it out in one go."""
MAX_CHAPTERS = 3_000
MAX_CONTENTS = 3_000
MAX_PICTURES = 200
"""Pictures of one chapter that are shown."""
_MAX_WORDS = 300
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_TAGS = TAGS | {
    "img", "h1", "h5", "h6", "div", "span", "section", "article", "aside", "figure", "figcaption", "cite", "q",
    "small", "u", "s", "tfoot", "caption",
}  # fmt: skip
# Fonts that are mixed up with the book's name, which is no protection of the text.
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True)
class Entry:
    """A line of the contents: its words, the chapter from 0, an anchor in it or "", and how deep it stands."""

    words: str
    chapter: int
    anchor: str = ""
    level: int = 0


@dataclass(frozen=True)
class Book:
    """What a book is made of: `chapters` are names of files in it, in the order of reading."""

    path: Path
    title: str
    lang: str
    chapters: tuple[str, ...]
    contents: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One chapter, sanitised: a whole HTML document, and the names in the book of its pictures by their number."""

    html: str
    pictures: tuple[str, ...] = field(default=())


def open_book(path: Path) -> Book:
    """Read what the book says of itself. Raises: Unreadable."""
    with _Zip(path) as book:
        if book.has("META-INF/rights.xml") or book.has("META-INF/sinf.xml"):
            raise Unreadable("protected")
        if book.has("META-INF/encryption.xml"):
            _refuse_encrypted(_parse(book.read("META-INF/encryption.xml")))
        root = next(_named(_parse(book.read("META-INF/container.xml")), "rootfile"), None)
        package_name = _inside("", str(root.get("full-path"))) if root is not None else ""
        package = _parse(book.read(package_name))
        items: dict[str, tuple[str, str, str]] = {}
        for item in _named(package, "item"):
            name = _inside(package_name, str(item.get("href") or ""))
            items[str(item.get("id"))] = (name, str(item.get("media-type")), str(item.get("properties") or ""))
        spine = [items.get(str(ref.get("idref"))) for ref in _named(package, "itemref")]
        chapters = [item[0] for item in spine if item is not None and item[1] in _PAGES and book.has(item[0])]
        chapters = list(dict.fromkeys(chapters))[:MAX_CHAPTERS]
        if not chapters:
            raise Unreadable("damaged", "no chapter")
        title, lang = _first_words(package, "title"), _first_words(package, "language")
        return Book(path, title, lang[:35], tuple(chapters), _contents(book, package, items, chapters))


def read_chapter(book: Book, number: int) -> Chapter:
    """The chapter with that number, from 0, ready to be shown. Raises: Unreadable."""
    with _Zip(book.path) as file:
        name = book.chapters[number]
        return _chapter(_parse(file.read(name)), name, book, file.has)


def read_picture(book: Book, name: str) -> bytes:
    """The bytes of a picture of the book, as it is in the file. Raises: Unreadable."""
    with _Zip(book.path) as file:
        return file.read(name, MAX_PICTURE)


class _Zip:
    """A zip file whose list of entries and whose entries are read up to a bound."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                _refuse_large_directory(file)
            self._file = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Unreadable("damaged", str(error)) from None

    def __enter__(self) -> _Zip:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def has(self, name: str) -> bool:
        return bool(name) and name in self._file.NameToInfo

    def read(self, name: str, most: int = MAX_PART) -> bytes:
        """The entry's bytes. Raises: Unreadable where it is missing, larger than `most`, or under a password."""
        if not self.has(name):
            raise Unreadable("damaged", f"no {name}")
        entry = self._file.getinfo(name)
        if entry.flag_bits & 0x1:
            raise Unreadable("protected")
        if entry.file_size > most:
            raise Unreadable("too-large", name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("damaged", "a way of packing that books do not use")
        try:
            with self._file.open(entry) as part:
                data = part.read(most + 1)  # whatever the list of entries says
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise Unreadable("damaged", str(error)) from None
        if len(data) > most:
            raise Unreadable("too-large", name)
        return data


def _refuse_large_directory(file: Any) -> None:
    """Look at the end record (APPNOTE.TXT 6.3.10, 4.3.16) before the whole list of entries is read into memory."""
    size = file.seek(0, 2)
    if size > MAX_FILE:
        raise Unreadable("too-large")
    file.seek(max(0, size - 65_557))
    tail = file.read(65_557)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise Unreadable("damaged", "no zip file")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if entries > MAX_ENTRIES or directory > MAX_DIRECTORY:  # the marks of a ZIP64 are beyond both
        raise Unreadable("too-large", f"{entries} entries")


def _parse(data: bytes) -> Any:
    """The root of an XML document. Entities stay as they are, DTDs are not read, depth is bounded by libxml2."""
    from lxml import etree

    def parser(recover: bool) -> Any:
        return etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
            recover=recover, remove_comments=True, remove_pis=True,
        )  # fmt: skip

    try:
        try:
            root = etree.fromstring(data, parser(False))
        except etree.XMLSyntaxError:
            root = etree.fromstring(data, parser(True))  # books are careless with their pages
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable("damaged", str(error)[:200]) from None
    if root is None:
        raise Unreadable("damaged", "nothing in it")
    return root


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _named(root: Any, name: str) -> Iterator[Any]:
    """The elements of that local name, in whatever namespace: books are not careful with them."""
    return (one for one in root.iter() if _local(one.tag) == name)


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext(with_tail=False)).split())[:_MAX_WORDS]


def _first_words(root: Any, name: str) -> str:
    return next((words for one in _named(root, name) if (words := _words(one))), "")


def _inside(base: str, address: str) -> str:
    """The name in the zip file of what a document named `base` refers to; "" for what is not inside."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc or not parts.path:
        return ""
    name = normpath(join(dirname(base), unquote(parts.path)))
    return "" if name.startswith(("/", "..")) or "\\" in name or "\0" in name else name


def _refuse_encrypted(root: Any) -> None:
    for one in _named(root, "encryptionmethod"):
        if str(one.get("Algorithm")) not in _FONTS_ONLY:
            raise Unreadable("protected")


def _contents(
    book: _Zip, package: Any, items: dict[str, tuple[str, str, str]], chapters: list[str]
) -> tuple[Entry, ...]:
    """The navigation document's table of contents, else the NCX's, else none. A damaged one is as good as none."""
    place = {name: number for number, name in enumerate(chapters)}
    navigation = next((name for name, _type, properties in items.values() if "nav" in properties.split()), "")
    ncx = next((name for name, type_, _p in items.values() if type_ == "application/x-dtbncx+xml"), "")
    for name, read in ((navigation, _of_navigation), (ncx, _of_ncx)):
        if not book.has(name):
            continue
        try:
            root = _parse(book.read(name))
        except Unreadable:
            continue
        found = []
        for words, address, level in read(root):
            target = _inside(name, address) or (name if address.startswith("#") else "")
            if words and target in place:
                found.append(Entry(words, place[target], address.partition("#")[2][:200], min(level, 5)))
            if len(found) >= MAX_CONTENTS:
                break
        if found:
            return tuple(found)
    return ()


def _of_navigation(root: Any) -> Iterator[tuple[str, str, int]]:
    all_of_them = list(_named(root, "nav"))
    tables = [one for one in all_of_them if "toc" in " ".join(map(str, one.attrib.values())).split()]
    for table in (tables or all_of_them)[:1]:
        for link in _named(table, "a"):
            level = sum(_local(above.tag) == "ol" for above in link.iterancestors()) - 1
            yield _words(link), str(link.get("href") or ""), max(0, level)


def _of_ncx(root: Any) -> Iterator[tuple[str, str, int]]:
    for point in _named(root, "navpoint"):
        label = next((one for one in point if _local(one.tag) == "navlabel"), None)
        target = next((one for one in point if _local(one.tag) == "content"), None)
        if label is not None and target is not None:
            level = sum(_local(above.tag) == "navpoint" for above in point.iterancestors())
            yield _words(label), str(target.get("src") or ""), level


def _chapter(root: Any, name: str, book: Book, has: Callable[[str], bool]) -> Chapter:
    import nh3
    from lxml import etree

    body = next(_named(root, "body"), root)
    pictures: list[str] = []
    place = {chapter: number for number, chapter in enumerate(book.chapters)}
    for one in body.iter():
        if not isinstance(one.tag, str):
            continue
        tag = one.tag = _local(one.tag)
        if tag in ("img", "image"):
            for above in one.iterancestors("p"):
                above.tag = "div"  # the lines of a paragraph stand apart by a share of their height
            _picture(one, name, pictures, has)
        elif tag == "a":
            _link(one, name, place)
        if anchor := one.attrib.pop("id", ""):
            mark = etree.Element("a", {"name": anchor[:200]})
            if tag not in ("img", "br", "hr", "table", "tr", "ul", "ol", "dl"):
                mark.tail, one.text = one.text, None
                one.insert(0, mark)
            elif one is not body:
                one.addprevious(mark)
    html = nh3.clean(
        etree.tostring(body, method="html", encoding="unicode", with_tail=False),
        tags=set(_TAGS),
        attributes={**ATTRIBUTES, "a": {"href", "name"}, "img": {"src", "alt"}, "*": {"dir"}},
        url_schemes={*SCHEMES, INSIDE},
        link_rel=None,
    )
    if len(html) > MAX_SHOWN:
        raise Unreadable("too-large", name)
    return Chapter(wrap(html, book.lang), tuple(pictures))


def _picture(one: Any, name: str, pictures: list[str], has: Callable[[str], bool]) -> None:
    """Point a picture to its number; one that is not in the book leaves its words."""
    source = next((value for key, value in one.attrib.items() if _local(key) in ("src", "href")), "")
    words = str(one.get("alt") or "")
    target = _inside(name, source)
    one.attrib.clear()
    if has(target) and (target in pictures or len(pictures) < MAX_PICTURES):
        if target not in pictures:
            pictures.append(target)
        one.tag = "img"
        one.set("src", f"{INSIDE}:picture/{pictures.index(target)}")
        one.set("alt", words)
    else:
        one.tag = "span"
        for child in list(one):
            one.remove(child)
        one.text = words


def _link(one: Any, name: str, place: dict[str, int]) -> None:
    """A link leads to a place of the book, or out of it as the person agrees to; else its words stay alone."""
    address = str(one.get("href") or "")
    scheme = address.partition(":")[0].lower()
    anchor = address.partition("#")[2][:200]
    target = _inside(name, address)
    own_name = str(one.get("name") or one.get("id") or "")
    one.attrib.clear()
    if own_name:
        one.set("id", own_name[:200])
    if address.startswith("#"):
        one.set("href", f"#{anchor}")
    elif target in place:
        one.set("href", f"{INSIDE}:{place[target]}#{anchor}")
    elif scheme in SCHEMES and ":" in address:
        one.set("href", address)
    else:
        one.tag = "span"  # it must not look as if it led anywhere
