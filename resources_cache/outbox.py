"""What the person wrote and wants to send: kept until the hub has said what became of it.

    draft ──submit──> waiting ──begin_sending──> sending ──receive──> received ──mark_answered──> answered
                         ^                          └──set_aside──> attention ──edit/submit──> (a new item)
                         └ edit and withdraw work up to here

Once offered to the hub an item stays "sending" until a receipt or a refusal arrives: whether a cut answer
took effect is known only to the hub, which recognises the operation by its id however often it comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources_cache import removed
from resources_cache.database import Row, Store
from resources_cache.errors import NotEditable, NotFound
from resources_cache.identity import new_id, utc_now

STATES = ("draft", "waiting", "sending", "received", "answered", "attention")
"""The states that are shown; a withdrawn item is kept as "withdrawn" and listed only when asked for."""

_KINDS = ("ask", "reply", "rate", "report", "introduce")
_COLUMNS = "id, kind, title, body, state, created, updated, counter, epoch, attempted, receipt, problem, carried"


@dataclass(frozen=True)
class Item:
    """One thing to send. ``counter`` and ``epoch`` are the device's, given at submit (0 in a draft).

    ``attempted``: it has been offered to the hub at least once. ``receipt`` and ``problem`` are what the hub
    answered (JSON objects), or None. ``carried``: when it was last left on a stick (UTC), or None.
    """

    id: str
    kind: str
    title: str
    body: dict[str, Any]
    state: str
    created: str
    updated: str
    counter: int
    epoch: int
    attempted: bool
    receipt: dict[str, Any] | None
    problem: dict[str, Any] | None
    carried: str | None = None


class Outbox:
    """The outbox of one own.db connection; reached as ``own.outbox``.

    Every method is one transaction, and raises DiskFull, StoreBusy, StoreDamaged or StoreUnwritable with
    nothing changed.
    """

    def __init__(self, store: Store, before_leaving: Callable[[], None] | None = None) -> None:
        """``before_leaving`` is called after ``begin_sending`` is on disk and before it returns."""
        self._store = store
        self._before_leaving = before_leaving

    def add(self, kind: str, title: str, body: Mapping[str, Any], state: str = "waiting") -> Item:
        """Put something in: ``kind`` (ask, reply, rate, report, introduce), ``state`` "waiting" or "draft".

        Returns it. Raises: ValueError for another kind or state.
        """
        if kind not in _KINDS or state not in ("waiting", "draft"):
            raise ValueError(f"cannot add a {kind!r} in state {state!r}")
        with self._store.transaction():
            return self._insert(kind, title, body, state)

    def edit(self, id_: str, title: str, body: Mapping[str, Any]) -> Item:
        """Change a draft or a waiting item. A rejected one ("attention") becomes a new draft under a new id.

        Returns the item to go on with; ``submit`` also finds it by the old id.
        Raises: NotFound; NotEditable once it has been offered to the hub.
        """
        with self._store.transaction():
            item = self._latest(id_)
            if item.state == "attention":
                return self._again(item, title, body, "draft")
            self._require(item, ("draft", "waiting"))
            self._store.execute(
                "UPDATE outbox SET title=?, body=?, updated=? WHERE id=?", (title, _dump(body), utc_now(), item.id)
            )
            return self.item(item.id)

    def submit(self, id_: str) -> Item:
        """A draft (or, once more, a rejected item, under a new id) goes to waiting. Returns the waiting item.

        Raises: NotFound; NotEditable once it has been offered to the hub.
        """
        with self._store.transaction():
            item = self._latest(id_)
            if item.state == "attention":
                return self._again(item, item.title, item.body, "waiting")
            self._require(item, ("draft", "waiting"))
            if item.state == "draft":
                epoch, counter = self._next_counter()
                self._store.execute(
                    "UPDATE outbox SET state='waiting', epoch=?, counter=?, updated=? WHERE id=?",
                    (epoch, counter, utc_now(), item.id),
                )
            return self.item(item.id)

    def withdraw(self, id_: str, *, instead: bool = False) -> Item:
        """Take back a draft, a waiting or a rejected item; it is kept as "withdrawn" and listed as removed.

        ``instead``: its words stand elsewhere now, so that it is not listed.
        Raises: NotFound; NotEditable once it has been offered to the hub.
        """
        with self._store.transaction():
            item = self._latest(id_)
            self._require(item, ("draft", "waiting", "attention"))
            self._set_state([item.id], "withdrawn")
            if not instead:
                removed.keep(self._store, "outbox", item.id, item.title, {"state": item.state})
            return self.item(item.id)

    def bring_back(self, item: Item) -> Item:
        """Undo ``withdraw``: ``item``, as it was before, is again what it was. Returns it.

        What waits goes behind what was submitted meanwhile: the hub never sees a counter again.
        Raises: NotFound; NotEditable where it is not withdrawn any more.
        """
        with self._store.transaction():
            self._require(self.item(item.id), ("withdrawn",))
            self._set_state([item.id], item.state)
            removed.settle(self._store, "outbox", item.id)
            if item.state == "waiting":
                numbers = self._next_counter()
                self._store.execute("UPDATE outbox SET epoch=?, counter=? WHERE id=?", (*numbers, item.id))
            return self.item(item.id)

    def items(self, states: Collection[str] | None = None) -> list[Item]:
        """Items in these states (all but withdrawn ones when None), newest first."""
        wanted = list(STATES if states is None else states)
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE state IN ({_marks(wanted)}) ORDER BY created DESC, rowid DESC",
            wanted,
        )
        return [_item(row) for row in rows]

    def item(self, id_: str) -> Item:
        """One item. Raises: NotFound."""
        row = self._store.row(f"SELECT {_COLUMNS} FROM outbox WHERE id=?", (id_,))
        if row is None:
            raise NotFound(f"There is nothing with the id {id_} in the outbox.")
        return _item(row)

    def pending(self, limit: int = 50) -> list[Item]:
        """What to offer to the hub, oldest first: "sending" items (their answer was lost) and waiting ones."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE state IN ('sending', 'waiting')"
            " ORDER BY epoch, counter, rowid LIMIT ?",
            (max(0, limit),),
        )
        return [_item(row) for row in rows]

    def begin_sending(self, ids: Iterable[str]) -> list[Item]:
        """Note, before they leave, that these are being offered; returns those that may really leave.

        One that was withdrawn meanwhile is not among them.
        """
        with self._store.transaction():
            wanted = list(ids)
            self._store.executemany(
                "UPDATE outbox SET state='sending', attempted=1, updated=?"
                " WHERE id=? AND state IN ('waiting', 'sending')",
                [(utc_now(), id_) for id_ in wanted],
            )
            rows = [
                self._store.row(f"SELECT {_COLUMNS} FROM outbox WHERE id=? AND state='sending'", (id_,))
                for id_ in wanted
            ]
        if self._before_leaving is not None:
            self._before_leaving()
        return sorted((_item(row) for row in rows if row), key=lambda item: (item.epoch, item.counter))

    def never_left(self, ids: Iterable[str]) -> None:
        """No connection was made: these wait as before and may be edited or withdrawn again.

        Only for items whose first offer this was; one that was offered before may have arrived then.
        """
        with self._store.transaction():
            self._store.executemany(
                "UPDATE outbox SET state='waiting', attempted=(carried IS NOT NULL), updated=?"
                " WHERE id=? AND state='sending'",
                [(utc_now(), id_) for id_ in ids],
            )

    def leave_by_hand(self, ids: Iterable[str]) -> None:
        """Note, before they leave, that these waiting items are left on a stick, from where nobody takes them
        back.

        They wait as before: for a link, or for the hub's answer by hand.
        """
        with self._store.transaction():
            self._store.executemany(
                "UPDATE outbox SET carried=?, attempted=1, updated=? WHERE id=? AND state IN ('waiting', "
                "'sending')",
                [(utc_now(), utc_now(), id_) for id_ in ids],
            )
        if self._before_leaving is not None:
            self._before_leaving()

    def stayed(self, items: Iterable[Item]) -> None:
        """Undo ``leave_by_hand`` for items, as they were before: the stick could not be written at all."""
        with self._store.transaction():
            self._store.executemany(
                "UPDATE outbox SET carried=?, attempted=max(?, state='sending') WHERE id=?",
                [(item.carried, item.attempted, item.id) for item in items],
            )

    def receive(self, id_: str, receipt: Mapping[str, Any]) -> None:
        """Keep the hub's receipt: the item is received (or answered again, where it had been). Idempotent.

        Raises: NotFound.
        """
        with self._store.transaction():
            self.item(id_)
            self._store.execute(
                "UPDATE outbox SET state = iif(answered IS NULL, 'received', 'answered'), attempted=1, receipt=?,"
                " problem=NULL, updated=? WHERE id=?",
                (_dump(receipt), utc_now(), id_),
            )

    def set_aside(self, id_: str, problem: Mapping[str, Any]) -> None:
        """The hub refused it: it needs the person's attention and blocks nothing. Idempotent.

        An item that has its receipt keeps it and its state; the hub had accepted it before.
        Raises: NotFound.
        """
        with self._store.transaction():
            self.item(id_)
            self._store.execute(
                "UPDATE outbox SET state='attention', attempted=1, problem=?, updated=?"
                " WHERE id=? AND state IN ('waiting', 'sending', 'attention')",
                (_dump(problem), utc_now(), id_),
            )

    def mark_answered(self, ids: Iterable[str]) -> int:
        """These received items have an answer; ids not in the outbox are passed over. Returns how many changed."""
        with self._store.transaction():
            before = int(self._store.value("SELECT total_changes()"))
            self._store.executemany(
                "UPDATE outbox SET state='answered', answered=?, updated=?"
                " WHERE id=? AND state IN ('received', 'sending') AND receipt IS NOT NULL",
                [(utc_now(), utc_now(), id_) for id_ in ids],
            )
            return int(self._store.value("SELECT total_changes()")) - before

    def reoffer(self) -> int:
        """After the hub came back from a backup: offer all that it had received again. Returns how many.

        Receipts are kept; the hub knows by the id what it still has.
        """
        with self._store.transaction():
            ids = [
                id_ for (id_,) in self._store.rows("SELECT id FROM outbox WHERE state IN ('received', 'answered')")
            ]
            self._set_state(ids, "sending")
        return len(ids)

    def renumber(self) -> int:
        """Give waiting, never offered items of an earlier epoch counters of this one. Returns how many."""
        with self._store.transaction():
            ids = [
                id_
                for (id_,) in self._store.rows(
                    "SELECT id FROM outbox WHERE state='waiting' AND attempted=0"
                    " AND epoch <> (SELECT epoch FROM device) ORDER BY epoch, counter, rowid"
                )
            ]
            for id_ in ids:
                epoch, counter = self._next_counter()
                self._store.execute("UPDATE outbox SET epoch=?, counter=? WHERE id=?", (epoch, counter, id_))
        return len(ids)

    def _insert(self, kind: str, title: str, body: Mapping[str, Any], state: str) -> Item:
        now = utc_now()
        epoch, counter = self._next_counter() if state == "waiting" else (0, 0)
        id_ = new_id()
        self._store.execute(
            f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL, NULL)",
            (id_, kind, title, _dump(body), state, now, now, counter, epoch),
        )
        return self.item(id_)

    def _again(self, item: Item, title: str, body: Mapping[str, Any], state: str) -> Item:
        """A rejected item anew: the hub keeps its verdict under the old id."""
        new = self._insert(item.kind, title, body, state)
        self._store.execute(
            "UPDATE outbox SET state='withdrawn', became=?, updated=? WHERE id=?", (new.id, utc_now(), item.id)
        )
        return new

    def _latest(self, id_: str) -> Item:
        """The item, or what it became after a correction."""
        became = self._store.value("SELECT became FROM outbox WHERE id=?", (id_,))
        while became:
            id_ = str(became)
            became = self._store.value("SELECT became FROM outbox WHERE id=?", (id_,))
        return self.item(id_)

    def _next_counter(self) -> tuple[int, int]:
        self._store.execute("UPDATE device SET counter = counter + 1")
        row = self._store.row("SELECT epoch, counter FROM device")
        assert row is not None, "own.db has no device row"
        return int(row[0]), int(row[1])

    def _set_state(self, ids: Sequence[str], state: str) -> None:
        self._store.executemany(
            "UPDATE outbox SET state=?, updated=? WHERE id=?", [(state, utc_now(), id_) for id_ in ids]
        )

    @staticmethod
    def _require(item: Item, states: Sequence[str]) -> None:
        if item.carried and item.state == "waiting" and "waiting" in states:
            raise NotEditable(f"“{item.title}” was left on a stick, so it cannot be changed any more.")
        if item.state not in states:
            raise NotEditable(
                f"“{item.title}” is {item.state}: it has already left this computer, so it cannot be changed."
                if item.state != "withdrawn"
                else f"“{item.title}” was withdrawn.",
                None if item.state != "withdrawn" else "Write it again.",
            )


def _item(row: Row) -> Item:
    id_, kind, title, body, state, created, updated, counter, epoch, attempted, receipt, problem, carried = row
    return Item(
        id_, kind, title, json.loads(body), state, created, updated, counter, epoch, bool(attempted),
        json.loads(receipt) if receipt else None, json.loads(problem) if problem else None,
        carried,
    )  # fmt: skip


def _dump(value: Mapping[str, Any]) -> str:
    # Escapes for everything beyond ASCII: whatever a person pastes, lone surrogates included, is kept as it is.
    return json.dumps(dict(value), separators=(",", ":"))


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
