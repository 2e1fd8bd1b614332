"""Whoever draws goes first, and nothing stands still for it."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from resources_cache import precedence
from resources_cache.library import Library


@pytest.fixture(autouse=True)
def nobody_is_first():
    yield
    precedence.leave()


def reader(path: Path, order: list[str], statements: int) -> threading.Thread:
    def read() -> None:
        with Library(path) as library:
            ready.set()
            begin.wait()
            for _ in range(statements):
                library.head()
            order.append("read")

    ready, begin = threading.Event(), threading.Event()
    thread = threading.Thread(target=read)
    thread.start()
    ready.wait()
    begin.set()
    return thread


def test_what_is_drawn_is_drawn_before_others_read_on(tmp_path: Path):
    order: list[str] = []
    precedence.take()
    thread = reader(tmp_path / "library.db", order, statements=60)
    time.sleep(0.02)  # drawing
    order.append("drawn")
    precedence.leave()
    thread.join()
    assert order == ["drawn", "read"]


def test_nothing_stands_still_for_who_never_leaves(tmp_path: Path):
    order: list[str] = []
    precedence.take()
    reader(tmp_path / "library.db", order, statements=2).join()
    assert order == ["read"]


def test_who_goes_first_does_not_wait_for_itself(tmp_path: Path):
    with Library(tmp_path / "library.db") as library, precedence.first():
        began = time.thread_time(), time.monotonic()
        for _ in range(400):
            library.head()
        # 400 waits would be ten seconds; what is compared is many times apart from that.
        assert time.monotonic() - began[1] < 400 * precedence.MOST_S / 2


def test_one_inside_another_ends_with_the_outer_one(tmp_path: Path):
    order: list[str] = []
    with precedence.first():
        with precedence.first():
            pass
        thread = reader(tmp_path / "library.db", order, statements=60)
        time.sleep(0.02)
        order.append("drawn")
    thread.join()
    assert order == ["drawn", "read"]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a nice value of their own on Linux")
def test_a_thread_that_steps_back_is_alone_in_it():
    found: list[int] = []

    def work() -> None:
        precedence.step_back()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [min(19, here + 5)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == here
