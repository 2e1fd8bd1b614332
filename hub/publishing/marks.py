"""Marks: which rows changed since they were last sealed, written by triggers of the database.

Triggers, because no writer can forget them: imports work with bulk_create and QuerySet.update, which send no
signals, and a facilitator's SQL is a writer too. docs/adr/0009-publish-by-change.md.

A mark names what a public record is made from (`resource/ID`, `thread/ID` …), not the table that was written to:
a resource's themes, texts, files and identifiers all mark the resource.
"""

from __future__ import annotations

from collections.abc import Collection as Many
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction

from hub.models import (
    Collection,
    Concept,
    Edition,
    Event,
    ExpertProfile,
    Message,
    Organisation,
    Resource,
    ResourceIdentifier,
    ResourceTheme,
    ResourceTranslation,
    StoredFile,
    Summary,
    SummaryCitation,
    Theme,
    Thread,
    Touched,
    Vocabulary,
)

_PREFIX = "hub_mark_"
_PIECE = 2000


class Mark(NamedTuple):
    """One mark: its row, and the kind and key of what changed."""

    id: int
    kind: str
    key: str

    @property
    def owner(self) -> str:
        return f"{self.kind}/{self.key}"


class _Rule(NamedTuple):
    """A change in `table` marks `kind`, keyed by `column` (both the old and the new value where they differ)."""

    table: str
    kind: str
    column: str


class _Spread(NamedTuple):
    """An update of one of `watched` in `table` marks each `kind` that `select` finds; `NEW` is the changed row."""

    table: str
    watched: tuple[str, ...]
    kind: str
    select: str


_THROUGH = Resource.collections.through._meta.db_table
_RULES = (
    _Rule(Theme._meta.db_table, "theme", "id"),
    _Rule(Resource._meta.db_table, "resource", "id"),
    *(
        _Rule(model._meta.db_table, "resource", "resource_id")
        for model in (ResourceTheme, ResourceIdentifier, ResourceTranslation, Edition, StoredFile)
    ),
    _Rule(_THROUGH, "resource", "resource_id"),
    _Rule(Thread._meta.db_table, "thread", "id"),
    _Rule(Message._meta.db_table, "message", "id"),
    _Rule(Message._meta.db_table, "thread", "thread_id"),  # which counts its messages
    _Rule(Summary._meta.db_table, "summary", "id"),
    _Rule(SummaryCitation._meta.db_table, "summary", "summary_id"),
    _Rule(Organisation._meta.db_table, "organisation", "id"),
    _Rule(ExpertProfile._meta.db_table, "expert", "id"),
    _Rule(Event._meta.db_table, "event", "id"),
    _Rule(Vocabulary._meta.db_table, "vocabulary", "id"),
    _Rule(Concept._meta.db_table, "concept", "id"),
)
_SHOWN = ("state", "visibility", "lang")
_SPREADS = (
    _Spread(
        Collection._meta.db_table,
        ("name",),
        "resource",
        f"SELECT resource_id AS found FROM {_THROUGH} WHERE collection_id = NEW.id",
    ),
    _Spread(
        Organisation._meta.db_table,
        ("name",),
        "expert",
        f"SELECT id AS found FROM {ExpertProfile._meta.db_table} WHERE organisation_id = NEW.id",
    ),
    _Spread(
        Thread._meta.db_table,
        _SHOWN,
        "message",
        f"SELECT id AS found FROM {Message._meta.db_table} WHERE thread_id = NEW.id",
    ),
    _Spread(
        Thread._meta.db_table,
        _SHOWN,
        "summary",
        f"SELECT id AS found FROM {Summary._meta.db_table} WHERE thread_id = NEW.id",
    ),
    _Spread(
        Vocabulary._meta.db_table,
        ("languages",),
        "concept",
        f"SELECT id AS found FROM {Concept._meta.db_table} WHERE vocabulary_id = NEW.id",
    ),
)


def ensure() -> bool:
    """Put the triggers in place; True where one was missing or another: changes may have gone unmarked.

    A migration that remakes a table of SQLite drops its triggers, so every publication looks.
    """
    if connection.vendor == "postgresql":
        return _ensure_postgresql()
    wanted = _sqlite_triggers()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        present = {name: sql for name, sql in cursor.fetchall() if name.startswith(_PREFIX)}
        if present == wanted:
            return False
        for name in present:
            cursor.execute(f"DROP TRIGGER {name}")
        for sql in wanted.values():
            cursor.execute(sql)
    return True


def newest() -> int:
    """Return the number of the newest mark, 0 for none."""
    return Touched.objects.order_by("-id").values_list("id", flat=True).first() or 0


def oldest(count: int, upto: int) -> list[Mark]:
    """Return the oldest marks, at most `count`, up to the one numbered `upto`."""
    rows = Touched.objects.filter(id__lte=upto).order_by("id").values_list("id", "kind", "key")
    return [Mark(*row) for row in rows[:count]]


def clear(marks: Many[int]) -> None:
    """Forget the marks with these numbers. Never a range: below one, another may still be uncommitted."""
    numbers = list(marks)
    for start in range(0, len(numbers), _PIECE):
        Touched.objects.filter(id__in=numbers[start : start + _PIECE])._raw_delete(connection.alias)


def clear_all() -> None:
    """Forget every mark that can be seen now: a whole comparison is to follow."""
    upto = newest()
    while True:
        found = [mark.id for mark in oldest(_PIECE, upto)]
        if not found:
            return
        clear(found)


def _statements(table: str, event: str, insert: str) -> Iterator[str]:
    rows = {"insert": ("NEW",), "update": ("NEW", "OLD"), "delete": ("OLD",)}[event]
    for rule in _RULES:
        if rule.table == table:
            for row in rows:
                moved = (
                    f" WHERE OLD.{rule.column} <> NEW.{rule.column}" if (row, event) == ("OLD", "update") else ""
                )
                yield insert.format(kind=rule.kind, source=f"SELECT {row}.{rule.column} AS found{moved}")
    if event == "update":
        for spread in _SPREADS:
            if spread.table == table:
                # `IS NOT` and `IS DISTINCT FROM` are the same; the columns named here are never NULL.
                changed = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in spread.watched)
                yield insert.format(kind=spread.kind, source=f"{spread.select} AND ({changed})")


def _tables() -> list[str]:
    return sorted({rule.table for rule in _RULES} | {spread.table for spread in _SPREADS})


def _sqlite_triggers() -> dict[str, str]:
    # Writers take turns, so a mark that stands already covers the new change, and an import that touches a
    # resource eight times leaves one mark.
    insert = (
        f"INSERT INTO {Touched._meta.db_table} (kind, key) SELECT '{{kind}}', found FROM ({{source}}) "
        f"WHERE NOT EXISTS (SELECT 1 FROM {Touched._meta.db_table} t WHERE t.kind = '{{kind}}' AND t.key = found);"
    )
    triggers = {}
    for table in _tables():
        for event in ("insert", "update", "delete"):
            body = "\n".join(_statements(table, event, insert))
            if body:
                name = f"{_PREFIX}{table}_{event}"
                triggers[name] = (
                    f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} FOR EACH ROW BEGIN\n{body}\nEND"
                )
    return triggers


def _postgresql_functions() -> dict[str, tuple[str, str, str]]:
    """Return table, event and body of each trigger function by name."""
    # Always a mark of its own: one that stands may be read and cleared while this change is not yet committed.
    insert = f"INSERT INTO {Touched._meta.db_table} (kind, key) SELECT '{{kind}}', s.found FROM ({{source}}) s;"
    functions = {}
    for table in _tables():
        for event in ("insert", "update", "delete"):
            body = "\n".join(_statements(table, event, insert))
            if body:
                functions[f"{_PREFIX}{table}_{event}"] = (table, event, f"BEGIN\n{body}\nRETURN NULL;\nEND")
    return functions


def _ensure_postgresql() -> bool:
    wanted = _postgresql_functions()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname, c.relname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE %s AND t.tgenabled <> 'D'",
            [_PREFIX.replace("_", r"\_") + "%"],
        )
        present = {name: (table, source) for name, table, source in cursor.fetchall()}
        if present == {name: (table, body) for name, (table, _event, body) in wanted.items()}:
            return False
        for name, (table, _source) in present.items():
            cursor.execute(f"DROP TRIGGER {name} ON {table}")
        for name, (table, event, body) in wanted.items():
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $mark${body}$mark$"
            )
            cursor.execute(
                f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
    return True
