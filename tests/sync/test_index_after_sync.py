"""After an update that indexes otherwise, whoever syncs from the command line has no window to finish it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from resources_cache import search_index
from resources_cache.cards import Cursor
from resources_cache.library import Library
from sync.health import renew_index
from sync.home import Home

RECORDS = [{"id": f"r{n}", "type": "resource", "lang": "en", "title": f"Water {n}"} for n in range(250)]


def outdated(home: Home) -> None:
    """A shelf of which all is to be indexed anew."""
    with home.library() as library:
        library.apply_run({"public/cards/en": RECORDS}, {"public/cards/en": Cursor(1, 1)})
        with library._store.transaction() as store:
            search_index.begin_renewal(store)
        assert library.index_left() == len(RECORDS)


def left(home: Home) -> int:
    with Library(home.path / "library.db", read_only=True) as library:
        return library.index_left()


def test_what_is_left_is_done_unless_another_program_has_the_shelf(tmp_path: Path) -> None:
    home = Home(tmp_path)
    outdated(home)
    with home.alone():
        renew_index(home)
        assert left(home) == len(RECORDS)
    renew_index(home)
    assert left(home) == 0


def test_hubshelf_sync_finishes_it_even_where_the_hub_is_not_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    outdated(home)
    with socket.socket() as nobody, home.own() as own:
        nobody.bind(("127.0.0.1", 0))
        own.set_setting("hub_url", f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    command = [sys.executable, "-m", "desktop", "--home", str(home.path), "sync", "--patience", "0", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout)["error"], done
    assert left(home) == 0
