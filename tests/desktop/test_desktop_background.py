"""Background work: results on the window's thread, late ones dropped, faults loud, writes never lost."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject

from desktop.background import Background, Lane
from desktop.shelf import Shelf
from resources_cache.errors import DiskFull
from resources_cache.own import Own


@pytest.fixture
def background(tmp_path: Path, qtbot: Any) -> Any:
    made = Background(tmp_path)
    yield made
    made.close()


def fail(error: object) -> None:
    raise AssertionError(f"not expected: {error}")


def test_work_is_elsewhere_and_the_answer_is_here(background: Background, qtbot: Any) -> None:
    threads: list[threading.Thread] = []
    owner = QObject()

    def work(_shelf: Shelf) -> int:
        threads.append(threading.current_thread())
        return 7

    answers: list[int] = []
    background.run(work, lambda n: (answers.append(n), threads.append(threading.current_thread())), fail, owner)
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [7]
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a nice value of their own on Linux")
def test_the_window_has_the_processor_first(background: Background, qtbot: Any) -> None:
    nices: dict[Lane, int] = {}
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    for lane in Lane:
        background.run(
            lambda _s: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()),
            partial(nices.__setitem__, lane),
            fail,
            QObject(background),
            lane=lane,
        )
    qtbot.waitUntil(lambda: len(nices) == len(Lane))
    assert {lane for lane, nice in nices.items() if nice > here} == set(Lane) - {Lane.WRITE}


def test_only_the_latest_of_a_key_is_shown(background: Background, qtbot: Any) -> None:
    owner, gate, answers = QObject(), threading.Event(), []
    background.run(lambda _s: gate.wait(5) and 1, answers.append, fail, owner, key="list")
    background.run(lambda _s: 2, answers.append, fail, owner, key="list")
    qtbot.waitUntil(lambda: bool(answers))
    gate.set()
    qtbot.waitUntil(lambda: background.idle)
    assert answers == [2]


def test_an_older_request_that_ends_last_is_dropped(background: Background, qtbot: Any) -> None:
    """Two threads read: the newer answer may be there, and be shown, before the older one is."""
    owner, shown = QObject(), []
    newer_shown, older_began = threading.Event(), threading.Event()

    def slow(_shelf: Shelf) -> str:
        older_began.set()
        newer_shown.wait(5)
        return "older"

    background.run(slow, shown.append, fail, owner, key="k")
    older_began.wait(5)
    background.run(lambda _shelf: "newer", shown.append, fail, owner, key="k")
    qtbot.waitUntil(lambda: shown == ["newer"])
    newer_shown.set()
    qtbot.waitUntil(lambda: background.idle)
    assert shown == ["newer"]


def test_answers_for_a_widget_that_is_gone_are_dropped(background: Background, qtbot: Any) -> None:
    owner, gate, answers = QObject(), threading.Event(), []
    background.run(lambda _s: gate.wait(5), answers.append, fail, owner)
    shiboken6.delete(owner)
    gate.set()
    qtbot.waitUntil(lambda: background.idle)
    assert answers == []


def test_known_failures_are_told(background: Background, qtbot: Any) -> None:
    def work(_shelf: Shelf) -> None:
        raise DiskFull("no room")

    told: list[Any] = []
    owner = QObject()
    background.run(work, fail, told.append, owner)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].code == "disk-full"


def test_a_fault_of_the_program_is_loud(background: Background, qtbot: Any) -> None:
    def work(_shelf: Shelf) -> None:
        raise ZeroDivisionError("a fault")

    owner = QObject()
    with qtbot.capture_exceptions() as caught:
        background.run(work, fail, fail, owner)
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is ZeroDivisionError


def test_writes_are_done_in_order_even_when_closing(tmp_path: Path, qtbot: Any) -> None:
    background, owner = Background(tmp_path), QObject()
    for n in range(20):
        background.run(
            lambda s, n=n: s.own.save_draft("d", {"n": n}), lambda _r: None, fail, owner, lane=Lane.WRITE
        )
    background.close()
    with Own(tmp_path / "own.db") as own:
        assert own.draft("d") == {"n": 19}


def test_a_slow_network_does_not_delay_reading(background: Background, qtbot: Any) -> None:
    gate, answers, owner = threading.Event(), [], QObject()
    background.run(lambda _s: gate.wait(10), lambda _r: None, fail, owner, lane=Lane.NETWORK)
    background.run(lambda _s: "read", answers.append, fail, owner)
    qtbot.waitUntil(lambda: answers == ["read"], timeout=2000)
    gate.set()
    qtbot.waitUntil(lambda: background.idle)
