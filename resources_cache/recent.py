"""The records that searches looked at last, unpacked and in their parts, for as long as the shelf stays as it is.

A person who types asks for nearly the same records at each letter, and again when the values of filters are
counted and when the next page is wanted. To unpack and read one takes 20 to 35 µs, thirty times a search.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from resources_cache import bodies
from resources_cache.cards import Record
from resources_cache.database import Store
from resources_cache.frequencies import frequencies
from resources_cache.records import Part, in_languages, parts

MOST = 200
"""Records that are kept."""

LONGEST = 20_000
"""Characters of one record's parts beyond which it is not kept: with all of them no more than some 10 MB."""


class Looked(NamedTuple):
    """A record, which nobody may change, and what is searched of it, each part with its language."""

    record: Record
    parts: list[Part]


_kept: WeakKeyDictionary[Store, tuple[tuple[int, int], dict[int, Looked]]] = WeakKeyDictionary()


def look(store: Store, rids: Iterable[int]) -> dict[int, Looked]:
    """The records of these rows, by rid, of those that have one. Runs inside ``Store.reading``.

    Raises: StoreDamaged where one cannot be read.
    """
    state = frequencies(store).state
    known = _kept.get(store)
    here = known[1] if known is not None and known[0] == state else {}
    wanted = list(dict.fromkeys(rids))
    found = {rid: here.pop(rid) for rid in wanted if rid in here}
    for rid, record in bodies.many(store, [rid for rid in wanted if rid not in found]).items():
        found[rid] = Looked(record, in_languages(parts(record)))
    # What was looked at last stands last; what was not looked at for longest goes.
    here |= {rid: one for rid, one in found.items() if sum(len(text) for _, text, _ in one.parts) <= LONGEST}
    for rid in list(here)[: max(0, len(here) - MOST)]:
        del here[rid]
    _kept[store] = (state, here)
    return found
