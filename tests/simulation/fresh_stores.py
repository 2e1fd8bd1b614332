"""Stores that cost less: SQLite set up for a process of one thread, and new shelves copied from an empty one.

Nothing of this changes what the stores do. It leaves out what thousands of histories would pay for: locks between
threads and between processes that are not there, and the same empty tables made again and again.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

import pysqlite3._sqlite3
from pysqlite3 import dbapi2

from resources_cache.identity import new_id
from resources_cache.library import Library
from resources_cache.own import Own

_SINGLE_THREAD, _MEMORY_STATUS = 1, 9
"""SQLITE_CONFIG_SINGLETHREAD and SQLITE_CONFIG_MEMSTATUS: sqlite.org/c3ref/c_config_covering_index_scan.html"""


def for_one_thread() -> None:
    """Set SQLite up for a process in which one thread alone uses it, and no other process its files.

    Without mutexes, and with the file system "unix-excl", which keeps locks and the index of the write-ahead log
    in memory: https://sqlite.org/vfs.html. Where this SQLite has no such file system, its own is kept. Call it
    before the first connection.
    """
    sqlite = ctypes.CDLL(pysqlite3._sqlite3.__file__)
    sqlite.sqlite3_vfs_find.restype = ctypes.c_void_p
    sqlite.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    sqlite.sqlite3_vfs_register.argtypes = [ctypes.c_void_p, ctypes.c_int]
    sqlite.sqlite3_shutdown()
    sqlite.sqlite3_config(_SINGLE_THREAD)
    sqlite.sqlite3_config(_MEMORY_STATUS, 0)
    sqlite.sqlite3_initialize()
    alone = sqlite.sqlite3_vfs_find(b"unix-excl")
    if alone:
        sqlite.sqlite3_vfs_register(alone, 1)


@cache
def prepare() -> tuple[bytes, bytes]:
    """An empty library.db and own.db, as the product makes them, made once in a process.

    Call it outside of a history: making them would take from its chance.
    """
    folder = Path(tempfile.mkdtemp(prefix="hubshelf-"))
    try:
        Library(folder / "library.db").close()
        Own(folder / "own.db").close()
        return (folder / "library.db").read_bytes(), (folder / "own.db").read_bytes()
    finally:
        shutil.rmtree(folder)


def begin(folder: Path) -> None:
    """Put both stores, empty, into the home `folder`; the device gets an id of its own."""
    library, own = prepare()
    folder.mkdir(mode=0o700, parents=True)
    (folder / "library.db").write_bytes(library)
    (folder / "own.db").write_bytes(own)
    with closing(dbapi2.connect(str(folder / "own.db"))) as database, database:
        database.execute("UPDATE device SET id = ?", (new_id(),))
