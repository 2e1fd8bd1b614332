"""Vocabularies in the hub's tables: loaded, brought up to date, listed, removed.

A vocabulary is recognised by the address of its concept scheme, so a newer file of it changes only what is new in
it. What is published follows from the tables (``hub.publishing``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.errors import ImportProblem, InvalidInput, NotFound
from hub.ids import derived_id
from hub.models import Concept, Edition, PublicState, Resource, ResourceTranslation, Theme, Vocabulary
from hub.skos.apart import read_apart

_ROWS = 400
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
_LOCAL = re.compile(r"[A-Za-z0-9._-]{1,36}")
_LANG = re.compile(r"[a-z]{2,3}")
_UNSAID = frozenset({"und", "mul", "mis", "zxx"})
Labels = Mapping[str, list[str]]


@dataclass(frozen=True)
class Listed:
    """One vocabulary. ``languages``: published; ``concepts``: kept, ``labels``: of these in those languages."""

    id: str
    title: str
    uri: str
    rights: str
    languages: list[str]
    concepts: int
    labels: int


@dataclass
class Imported:
    """What became of a file: counts of concepts, and what was left out, in words, how often."""

    vocabulary: Listed
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The counts and the vocabulary side by side, for ``--json``."""
        found = asdict(self)
        return {**found.pop("vocabulary"), **found}


def import_vocabulary(path: Path, *, key: str = "", languages: Collection[str] = ()) -> Imported:
    """Load a SKOS file (Turtle, N-Triples, RDF/XML, JSON-LD), or what is new in it.

    ``key``: the id of a vocabulary that is not here yet (1 to 24 of ``a-z0-9-``); the file's name else.
    ``languages``: BCP 47 primary languages whose labels are to be published; else those of the ready themes and of
    what the hub publishes now. Raises ImportProblem, InvalidInput; then nothing has changed.
    """
    wanted = _checked(languages) or languages_served()
    if key and not _ID.fullmatch(key):
        raise InvalidInput(
            f"{key!r} cannot be the id of a vocabulary.", "Take up to 24 small letters, digits and dashes."
        )
    found = read_apart(path)
    concepts: dict[str, Labels] = found["concepts"]
    scheme: dict[str, Any] = found["schemes"][0] if found["schemes"] else {"uri": "", "titles": {}, "rights": ""}
    with transaction.atomic():
        vocabulary = _recognised(scheme["uri"] or _namespace(concepts), concepts, key, path)
        vocabulary.titles = {lang or "und": title for lang, title in scheme["titles"].items() if title}
        vocabulary.rights = scheme["rights"]
        vocabulary.languages = " ".join(sorted(wanted))
        vocabulary.updated = timezone.now()
        vocabulary.save()
        report = _write(vocabulary, concepts)
    report.left_out = found["left_out"]
    return report


def listed() -> list[Listed]:
    """Every vocabulary that is here, by id."""
    return [_listed(vocabulary) for vocabulary in Vocabulary.objects.all()]


@transaction.atomic
def remove(key: str) -> Listed:
    """Take a vocabulary and its concepts off the hub. Raises NotFound."""
    vocabulary = Vocabulary.objects.filter(pk=key).first()
    if vocabulary is None:
        raise NotFound(f"There is no vocabulary {key}.", "See `hubshelf-hub vocabulary list`.")
    gone = _listed(vocabulary)
    vocabulary.delete()
    return gone


def languages_served() -> frozenset[str]:
    """Primary languages of the ready themes and of everything that is published."""
    tags: set[str] = set()
    for labels in Theme.objects.filter(state=PublicState.PUBLISHED).values_list("labels", flat=True):
        tags.update(labels)
    published = Resource.objects.filter(state=PublicState.PUBLISHED)
    tags.update(published.order_by().values_list("lang", flat=True).distinct())
    for model in (ResourceTranslation, Edition):
        rows = model._default_manager.filter(resource__state=PublicState.PUBLISHED)
        tags.update(rows.order_by().values_list("lang", flat=True).distinct())
    primary = {tag.partition("-")[0].lower() for tag in tags}
    return frozenset(one for one in primary if _LANG.fullmatch(one)) - _UNSAID


def _checked(languages: Iterable[str]) -> frozenset[str]:
    found = frozenset(tag.partition("-")[0].lower() for tag in languages)
    for tag in found:
        if not _LANG.fullmatch(tag):
            raise InvalidInput(f"{tag!r} is no language.", "Give codes such as en, fr or sw.")
    return found


def _namespace(concepts: Collection[str]) -> str:
    """What most of these addresses begin with, up to the last ``/`` or ``#``."""
    return Counter(uri[: _cut(uri)] for uri in concepts).most_common(1)[0][0]


def _cut(uri: str) -> int:
    return max(uri.rfind("/"), uri.rfind("#")) + 1


def _recognised(uri: str, concepts: Collection[str], key: str, path: Path) -> Vocabulary:
    """The vocabulary of this scheme, or a new one. Raises InvalidInput, ImportProblem."""
    if len(uri) > 500:
        raise ImportProblem(
            f"{path.name} was not loaded: its scheme has an address of more than 500 characters.",
            "Give the scheme a shorter one.",
        )
    known = Vocabulary.objects.filter(uri=uri).first()
    if known is not None:
        if key and key != known.pk:
            raise InvalidInput(
                f"This vocabulary is here as {known.pk}. Nothing was changed.",
                f"Load it without --id, or first run `hubshelf-hub vocabulary remove {known.pk}`.",
            )
        return known
    key = key or re.sub(r"[^a-z0-9]+", "-", path.stem.lower())[:24].strip("-")
    if not key or Vocabulary.objects.filter(pk=key).exists():
        raise InvalidInput(
            f"Another vocabulary is here as {key}. Nothing was changed."
            if key
            else "The file's name gives no id. Nothing was changed.",
            "Name this one with --id.",
        )
    return Vocabulary(pk=key, uri=uri, namespace=_namespace(concepts)[:500])


def _write(vocabulary: Vocabulary, concepts: Mapping[str, Labels]) -> Imported:
    """Bring the concepts in line with these; rows that are as before are not touched."""
    wanted = {_record_id(vocabulary, uri): labels for uri, labels in concepts.items()}
    known = dict(Concept.objects.filter(vocabulary=vocabulary).values_list("pk", "labels"))
    new = [Concept(pk=pk, vocabulary=vocabulary, labels=one) for pk, one in wanted.items() if pk not in known]
    changed = [
        Concept(pk=pk, vocabulary=vocabulary, labels=wanted[pk])
        for pk, labels in known.items()
        if pk in wanted and labels != wanted[pk]
    ]
    gone = [pk for pk in known if pk not in wanted]
    Concept.objects.bulk_create(new, batch_size=_ROWS)
    Concept.objects.bulk_update(changed, ["labels"], batch_size=_ROWS)
    for part in _parts(gone):
        Concept.objects.filter(pk__in=part).delete()
    unchanged = len(wanted) - len(new) - len(changed)
    return Imported(_listed(vocabulary), len(new), len(changed), unchanged, len(gone))


def _record_id(vocabulary: Vocabulary, uri: str) -> str:
    """Short where the address allows it, for it travels: ``unesco:concept10``."""
    local = uri.removeprefix(vocabulary.namespace)
    if local == uri or not _LOCAL.fullmatch(local):
        local = derived_id("concept", uri)
    return f"{vocabulary.pk}:{local}"


def _listed(vocabulary: Vocabulary) -> Listed:
    languages = vocabulary.languages.split()
    concepts = labels = 0
    for found in Concept.objects.filter(vocabulary=vocabulary).values_list("labels", flat=True):
        concepts += 1
        labels += sum(len(names) for lang, names in found.items() if lang.partition("-")[0].lower() in languages)
    return Listed(vocabulary.pk, str(vocabulary), vocabulary.uri, vocabulary.rights, languages, concepts, labels)


def _parts(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _ROWS):
        yield values[start : start + _ROWS]
