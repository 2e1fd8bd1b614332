"""What every reader yields: typed records in the middle, or the reason why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


class Refused(ValueError):
    """One record cannot be taken; the message is the reason that the report gives."""


@dataclass(frozen=True)
class Rejection:
    """``where``: "line 12", "record 3", or empty for the whole file."""

    file: str
    where: str
    reason: str


@dataclass(frozen=True)
class Translation:
    lang: str
    title: str
    summary: str = ""
    machine: bool = False
    source: str = ""


@dataclass(frozen=True)
class Text:
    """A text edition; ``format`` is "text" or "html" (sanitised)."""

    lang: str
    format: str
    body: str


@dataclass(frozen=True)
class FileEntry:
    """A file whose bytes are in the object store."""

    hash: str
    size: int
    media_type: str
    name: str


@dataclass
class Record:
    """``id`` is empty where the source has none of its own; ``updated`` never decides anything."""

    id: str = ""
    updated: datetime | None = None

    def digest(self) -> str:
        """SHA-256 over the content. The same content from anywhere has the same digest."""
        content = asdict(self)
        content.pop("updated")
        content.pop("origin", None)
        encoded = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(encoded.encode()).hexdigest()


@dataclass
class ResourceRecord(Record):
    """``identifiers``: normalised values by scheme. ``origin``: which entry of which kind of file."""

    title: str = ""
    summary: str = ""
    lang: str = "und"
    authors: list[str] = field(default_factory=list)
    publisher: str = ""
    year: int | None = None
    countries: list[str] = field(default_factory=list)
    themes: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    policy_cycle: str = ""
    resource_type: str = ""
    licence: str = ""
    redistributable: bool = False
    url: str = ""
    identifiers: dict[str, list[str]] = field(default_factory=dict)
    collections: list[str] = field(default_factory=list)
    translations: list[Translation] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    files: list[FileEntry] = field(default_factory=list)
    files_missing: list[str] = field(default_factory=list)
    bibliographic: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    sample: bool = False
    origin: str = ""


@dataclass
class ThreadRecord(Record):
    title: str = ""
    lang: str = "und"
    themes: list[str] = field(default_factory=list)
    activity: str = ""
    resource: str = ""
    summary: str = ""
    created: datetime | None = None


@dataclass
class MessageRecord(Record):
    thread: str = ""
    author: str = ""
    category: str = ""
    lang: str = "und"
    body: str = ""
    parent: str = ""
    message_id: str = ""
    created: datetime | None = None


@dataclass
class SummaryRecord(Record):
    thread: str = ""
    title: str = ""
    body: str = ""
    lang: str = "und"
    cites: list[str] = field(default_factory=list)


@dataclass
class OrganisationRecord(Record):
    name: str = ""
    summary: str = ""
    country: str = ""
    url: str = ""


@dataclass
class ExpertRecord(Record):
    name: str = ""
    role: str = ""
    organisation: str = ""
    bio: str = ""
    themes: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    lang: str = "und"


@dataclass
class EventRecord(Record):
    title: str = ""
    summary: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    place: str = ""
    online: bool = False
    url: str = ""
    lang: str = "und"
    themes: list[str] = field(default_factory=list)


@dataclass
class ThemeRecord(Record):
    labels: dict[str, str] = field(default_factory=dict)
    scheme: str = "local"
    broader: str = ""
    position: int = 0


@dataclass
class Deletion(Record):
    """``{"id": …, "deleted": true}``: whatever has this id is withdrawn."""


@dataclass
class Superseded(Record):
    """A line that a later line of the same import with the same id replaces; it changes nothing."""


@dataclass(frozen=True)
class Parsed:
    """One entry of a file: a record, and what had to be left out of it; or only the refusal."""

    where: str
    record: Record | None
    refusals: tuple[str, ...] = ()


Reading = Iterator[Parsed]
