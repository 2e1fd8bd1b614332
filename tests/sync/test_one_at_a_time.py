"""One sync at a time on a shelf; a person who asks for a price waits for it, a second sync does not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sync.errors import SyncBusy
from sync.home import Home


def test_a_second_sync_is_refused_at_once_and_who_has_patience_waits(tmp_path: Path):
    home, order = Home(tmp_path), []
    held, let_go = threading.Event(), threading.Event()

    def work() -> None:
        with home.alone():
            held.set()
            let_go.wait()
            order.append("sync")

    thread = threading.Thread(target=work)
    thread.start()
    held.wait()
    with pytest.raises(SyncBusy), home.alone():
        pass
    threading.Timer(0.3, let_go.set).start()
    with home.alone(patience=30):
        order.append("price")
    thread.join()
    assert order == ["sync", "price"]
