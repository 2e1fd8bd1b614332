"""Records as they lie in library.db: each a zstd frame (RFC 8878) of its JSON, or the JSON itself.

Records are small and alike, so a frame refers to a dictionary of its kind and language, trained from the first of
them that came in any number and kept beside them; the frame's header names it. Rows of an older Hubshelf are plain
text and stay as they are until the record changes: SQLite's type of the value tells which it is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from weakref import WeakKeyDictionary

from backports import zstd

from resources_cache.cards import Record
from resources_cache.database import Store
from resources_cache.errors import StoreDamaged
from resources_cache.records import Filed
from resources_cache.text import language

Packed = str | bytes
"""A body as the column holds it: JSON, or a zstd frame."""

LARGEST = 64 << 20
"""Bytes of JSON; larger bodies are kept as text, and a frame that claims more is damaged."""

_LEAST = 200  # bytes of JSON; below, a frame saves nothing
_LEVEL = 9  # takes 0.1 ms for a text instead of 0.02 at level 3, and saves 6 %
_DICTIONARY = 112 << 10  # bytes, as zstd's own tool has it
_SAMPLE = 1 << 19  # bytes looked at to train one: 0.1 s
_SAMPLE_LEAST = 96 << 10  # bytes, where they are of many records
_RECORDS = 300
_RECORDS_LEAST = 60
_MOST_DICTIONARIES = 48  # whatever kinds and languages a hub names
_SAMPLE_EACH = 16 << 10  # bytes of one record that are learnt from: 48 kinds wait in 48 MB at most

_samples: WeakKeyDictionary[Store, dict[str, list[bytes]]] = WeakKeyDictionary()
_known: WeakKeyDictionary[Store, dict[int, zstd.ZstdDict]] = WeakKeyDictionary()


def many(store: Store, rids: Sequence[int]) -> dict[int, Record]:
    """The records of these rows, by rid, of those that have one. Raises: as ``load``."""
    if not rids:
        return {}
    sql = f"SELECT rid, body FROM bodies WHERE rid IN ({','.join('?' * len(rids))})"
    return {rid: load(store, body) for rid, body in store.blobs_at_once("rid", "body", sql, rids)}


def unpack(store: Store, packed: Packed) -> str:
    """The JSON of a body as the column, or ``Store.blobs_at_once``, has it.

    Raises: StoreDamaged where it is no whole frame or its dictionary is gone.
    """
    if isinstance(packed, str):
        return packed
    try:
        if packed.startswith(b"{"):
            return packed.decode()  # one of an older shelf, as ``Store.blobs_at_once`` has it
        frame = zstd.get_frame_info(packed)
        if frame.decompressed_size is None or frame.decompressed_size > LARGEST:
            raise _damaged(store)
        reader = zstd.ZstdDecompressor(_dictionary(store, frame.dictionary_id) if frame.dictionary_id else None)
        raw = reader.decompress(packed, frame.decompressed_size + 1)
        if not reader.eof or reader.unused_data or len(raw) != frame.decompressed_size:
            raise _damaged(store)
        return raw.decode()
    except (zstd.ZstdError, UnicodeDecodeError) as error:
        raise _damaged(store) from error


def load(store: Store, packed: Packed) -> Record:
    """The record of a body as the column, or ``Store.blobs_at_once``, has it.

    Raises: StoreDamaged as ``unpack``, and where it is no JSON object.
    """
    try:
        found = json.loads(unpack(store, packed))
    except (ValueError, RecursionError) as error:
        raise _damaged(store) from error
    if not isinstance(found, dict):
        raise _damaged(store)
    return found


def pack(store: Store, filed: Sequence[Filed]) -> list[Packed]:
    """The values to be stored for these records. Trains, and keeps, the dictionaries that are missing and that
    there is enough here to learn from. Runs in the caller's transaction."""
    kinds = [f"{one.type}/{language(one.lang)}" for one in filed]
    raws = [one.body.encode("utf-8") for one in filed]
    have: dict[str, int] = dict(store.rows("SELECT kind, id FROM dictionaries"))
    # Streams bring a few records each, so samples are gathered over calls.
    samples = _samples.setdefault(store, defaultdict(list))
    for kind, raw in zip(kinds, raws, strict=True):
        if kind not in have and len(raw) >= _LEAST and (kind in samples or len(samples) < _MOST_DICTIONARIES):
            samples[kind].append(raw[:_SAMPLE_EACH])
    for kind in [kind for kind, found in samples.items() if kind in have or _enough(found)]:
        found = samples.pop(kind)
        if kind not in have and len(have) < _MOST_DICTIONARIES and (trained := _trained(found)):
            # The id is made from the content; one that is here already is the same dictionary under another kind.
            store.execute(
                "INSERT OR IGNORE INTO dictionaries VALUES (?, ?, ?)",
                (trained.dict_id, kind, trained.dict_content),
            )
            have[kind] = trained.dict_id
    compressors: dict[int | None, zstd.ZstdCompressor] = {}
    return [
        _frame(store, one, raw, have.get(kind), compressors)
        for one, kind, raw in zip(filed, kinds, raws, strict=True)
    ]


def unreadable(store: Store) -> list[str]:
    """The ids of the records whose body cannot be read, the first five of them."""
    found: list[str] = []
    for source in ("bodies JOIN records USING (rid)", "displaced"):
        for id_, packed in store.each(f"SELECT id, body FROM {source}"):
            try:
                load(store, packed)
            except StoreDamaged:
                found.append(str(id_))
                if len(found) == 5:
                    return found
    return found


def _frame(
    store: Store,
    one: Filed,
    raw: bytes,
    dictionary: int | None,
    compressors: dict[int | None, zstd.ZstdCompressor],
) -> Packed:
    if not _LEAST <= len(raw) <= LARGEST:
        return one.body
    if dictionary not in compressors:
        options: dict[int, int] = {
            zstd.CompressionParameter.compression_level: _LEVEL,
            zstd.CompressionParameter.checksum_flag: 1,
        }
        learnt = None if dictionary is None else _dictionary(store, dictionary)
        compressors[dictionary] = zstd.ZstdCompressor(
            options=options, zstd_dict=learnt and learnt.as_digested_dict
        )
    frame: bytes = compressors[dictionary].compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)
    return frame if len(frame) < len(raw) else one.body


def _enough(samples: Sequence[bytes]) -> bool:
    size = sum(map(len, samples))
    return len(samples) >= _RECORDS_LEAST and (
        size >= _SAMPLE or (size >= _SAMPLE_LEAST and len(samples) >= _RECORDS)
    )


def _trained(samples: Sequence[bytes]) -> zstd.ZstdDict | None:
    size = sum(map(len, samples))
    with suppress(zstd.ZstdError):  # nothing to be learnt from these
        return zstd.train_dict(samples, min(_DICTIONARY, size // 4))
    return None


def _dictionary(store: Store, id_: int) -> zstd.ZstdDict:
    known: dict[int, zstd.ZstdDict] = _known.setdefault(store, {})
    if id_ not in known:
        body = store.value("SELECT body FROM dictionaries WHERE id=?", (id_,))
        if body is None:
            raise _damaged(store)
        try:
            known[id_] = zstd.ZstdDict(bytes(body))
        except (ValueError, zstd.ZstdError) as error:
            raise _damaged(store) from error
    return known[id_]


def _damaged(store: Store) -> StoreDamaged:
    return store.damaged(f"{store.path.name} holds a record that cannot be read.")


__all__ = ["LARGEST", "Packed", "load", "many", "pack", "unpack", "unreadable"]
