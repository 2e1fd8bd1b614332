"""Downloads and collections in own.db: their order, what is kept, what is refused; and what would be evicted."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from resources_cache.collections import Collection
from resources_cache.downloads import Download, Downloads
from resources_cache.files import FileStore
from resources_cache.own import Own


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path / "own.db")


def one(letter: str) -> Download:
    return Download(letter * 64, f"r-{letter}", f"{letter}.pdf", 1000)


def order(queue: Downloads) -> str:
    return "".join(item.hash[0] for item in queue.items())


def test_the_queue_keeps_the_persons_order_over_restarts(own: Own, tmp_path: Path) -> None:
    queue = own.downloads
    assert queue.add(map(one, "abcd")) == 4
    queue.move("d" * 64, "first")
    assert order(queue) == "dabc"
    queue.move("b" * 64, "up")
    assert order(queue) == "dbac"
    queue.move("d" * 64, "down")
    assert order(queue) == "bdac"
    queue.move("b" * 64, "up")
    queue.move("c" * 64, "down")
    queue.move("e" * 64, "first")
    assert order(queue) == "bdac", "who is first or last, or not there, stays"
    assert queue.add([one("a"), one("e")]) == 1, "what waits already keeps its place"
    assert queue.add([one("c"), one("f")], first=True) == 1
    own.close()
    with Own(tmp_path / "own.db") as again:
        assert order(again.downloads) == "fcbdae"
        assert again.downloads.next() == one("f")


def test_moves_are_those_of_a_list(own: Own) -> None:
    own.downloads.add(map(one, "abcdef"))
    model, random = list("abcdef"), Random(4)
    for _ in range(60):
        letter, where = random.choice("abcdef"), random.choice(("first", "up", "down"))
        own.downloads.move(letter * 64, where)
        at = model.index(letter)
        model.insert({"first": 0, "up": max(0, at - 1), "down": at + 1}[where], model.pop(at))
        assert order(own.downloads) == "".join(model)
    with pytest.raises(ValueError, match="cannot move"):
        own.downloads.move("a" * 64, "sideways")


def test_what_is_paused_or_in_trouble_is_passed_over(own: Own) -> None:
    queue = own.downloads
    queue.add(map(one, "abc"))
    queue.pause("a" * 64)
    queue.set_aside("b" * 64, "damaged")
    assert queue.next() == one("c")
    assert [(i.paused, i.problem) for i in queue.items()] == [(True, ""), (False, "damaged"), (False, "")]
    queue.pause()
    assert queue.next() is None
    queue.resume("b" * 64)
    assert queue.next() == one("b")
    queue.remove("b" * 64)
    assert queue.next() is None
    queue.add([one("c")])
    assert queue.next() == one("c"), "asked for again, it is tried again"


def test_the_queue_is_bounded(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources_cache.downloads.MOST", 3)
    assert own.downloads.add(map(one, "abcde")) == 3
    assert order(own.downloads) == "abc"


def test_collections_hold_records_and_give_them_back(own: Own) -> None:
    kept = own.collections
    radio = kept.make("  Radio \n lessons ")
    assert kept.make("Radio lessons") == radio
    other = kept.make("a budget")
    assert kept.put(radio, [("r1", "One"), ("r2", "Two")]) == 2
    assert kept.put(radio, [("r2", "Two"), ("r3", "Three")]) == 1
    assert kept.put("no such", [("r1", "One")]) == 0
    assert kept.all() == [Collection(other, "a budget", 0), Collection(radio, "Radio lessons", 3)]
    before = kept.records(radio)
    gone = kept.take_out(radio, ["r1", "r3", "r9"])
    assert [c.id for c in kept.records(radio)] == ["r2"]
    kept.put_back(radio, gone)
    assert kept.records(radio) == before
    kept.rename(other, "Budget")
    kept.forget(radio)
    assert kept.all() == [Collection(other, "Budget", 0)]
    assert kept.records(radio) == []
    for wrong in ("", " \n"):
        with pytest.raises(ValueError, match="needs a name"):
            kept.make(wrong)


def test_what_would_be_evicted_is_what_is_evicted(tmp_path: Path) -> None:
    import os

    store = FileStore(tmp_path / "files", 10_000)
    names = [store.put(bytes([n]) * 3000) for n in range(3)]
    for age, name in enumerate(names):
        os.utime(store.path(name), (age, age))
    assert store.would_evict(1000, set()) == []
    assert store.would_evict(4000, {names[0]}) == [(names[1], 3000)]
    assert store.would_evict(8000, set()) == [(name, 3000) for name in names]
    store.quota_bytes = 6000
    assert store.would_evict(0, {names[0]}) == [(names[1], 3000)]
    assert store.evict({names[0]}) == [names[1]]
