"""The folder of a shelf, made by whoever comes first."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from sync.home import Home


def test_threads_that_come_at_once_all_have_it(tmp_path: Path) -> None:
    failed: list[BaseException] = []
    for number in range(40):
        together = threading.Barrier(4)

        def come(path: Path = tmp_path / str(number) / "home", wait: threading.Barrier = together) -> None:
            wait.wait()
            try:
                Home(path)
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=come) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert not failed


def test_it_is_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
