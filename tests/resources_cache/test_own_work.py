"""The person's own work: outbox, drafts, saved things, and what each sync cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources_cache.errors import NotEditable, NotFound
from resources_cache.own import Own


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with Own(tmp_path / "own.db") as store:
        yield store


def test_a_question_goes_from_draft_to_answer(own: Own) -> None:
    box = own.outbox
    item = box.add("ask", "Pumps?", {"kind": "question", "body": "lone \ud800"}, state="draft")
    assert (item.state, item.counter, item.attempted) == ("draft", 0, False)
    assert box.pending(10) == []
    item = box.submit(item.id)
    assert (item.state, item.counter, item.epoch) == ("waiting", 1, own.device().epoch)
    assert box.submit(item.id) == item
    edited = box.edit(item.id, "Pumps??", {"kind": "question"})
    assert (edited.title, edited.counter) == ("Pumps??", 1)
    assert [i.id for i in box.begin_sending([item.id])] == [item.id]
    for refused in (
        lambda: box.edit(item.id, "x", {}),
        lambda: box.withdraw(item.id),
        lambda: box.submit(item.id),
    ):
        with pytest.raises(NotEditable):
            refused()
    assert [(i.state, i.attempted) for i in box.pending(10)] == [("sending", True)]
    box.receive(item.id, {"revision": 1})
    assert box.pending(10) == []
    assert box.mark_answered([item.id, "somebody-elses"]) == 1
    assert box.mark_answered([item.id]) == 0
    assert box.item(item.id).state == "answered"
    box.receive(item.id, {"revision": 2})
    assert (box.item(item.id).state, box.item(item.id).receipt) == ("answered", {"revision": 2})


def test_pending_is_in_the_order_of_submitting(own: Own) -> None:
    first = own.outbox.add("ask", "draft first", {}, state="draft")
    second = own.outbox.add("ask", "second", {})
    own.outbox.submit(first.id)
    assert [i.title for i in own.outbox.pending(10)] == ["second", "draft first"]
    assert [i.title for i in own.outbox.pending(1)] == ["second"]
    assert [i.id for i in own.outbox.begin_sending([first.id, second.id])] == [second.id, first.id]


def test_a_refused_item_is_corrected_under_a_new_id(own: Own) -> None:
    box = own.outbox
    item = box.add("ask", "T", {"v": 1})
    box.begin_sending([item.id])
    box.set_aside(item.id, {"title": "too long", "action": "drop"})
    assert box.item(item.id).problem == {"title": "too long", "action": "drop"}
    again = box.edit(item.id, "T2", {"v": 2})
    assert again.id != item.id
    assert (again.state, again.attempted) == ("draft", False)
    assert box.submit(item.id).id == again.id  # a window that still has the old id
    assert [i.id for i in box.items()] == [again.id]
    assert [i.id for i in box.items(["withdrawn"])] == [item.id]
    box.begin_sending([again.id])
    box.receive(again.id, {})
    box.set_aside(again.id, {"late": True})  # the hub had accepted it: a refusal that comes later changes nothing
    assert box.item(again.id).state == "received"


def test_withdrawn_before_it_left_never_leaves(own: Own) -> None:
    item = own.outbox.add("reply", "T", {})
    own.outbox.withdraw(item.id)
    assert own.outbox.begin_sending([item.id]) == []
    assert own.outbox.items() == []
    with pytest.raises(NotEditable):
        own.outbox.edit(item.id, "T", {})
    with pytest.raises(NotFound):
        own.outbox.withdraw("nobody")
    with pytest.raises(ValueError, match="cannot add"):
        own.outbox.add("gossip", "T", {})


def test_a_hub_that_came_back_from_a_backup_is_offered_everything_again(own: Own) -> None:
    box = own.outbox
    a, b, c = (box.add("ask", t, {}) for t in "abc")
    box.begin_sending([a.id, b.id])
    box.receive(a.id, {"n": 1})
    box.receive(b.id, {"n": 2})
    box.mark_answered([b.id])
    assert box.reoffer() == 2
    assert [i.id for i in box.pending(10)] == [a.id, b.id, c.id]
    assert box.item(a.id).receipt == {"n": 1}
    box.receive(a.id, {"n": 3})
    box.receive(b.id, {"n": 4})
    assert [box.item(i.id).state for i in (a, b, c)] == ["received", "answered", "waiting"]


def test_a_new_device_epoch_numbers_unsent_items_anew(own: Own) -> None:
    box = own.outbox
    sent, unsent, other = (box.add("ask", t, {}) for t in "abc")
    box.begin_sending([sent.id])
    device = own.new_device_epoch()
    assert device.epoch > sent.epoch
    found = {i.title: (i.epoch, i.counter) for i in box.pending(10)}
    assert found == {"a": (sent.epoch, 1), "b": (device.epoch, 1), "c": (device.epoch, 2)}
    assert box.add("ask", "d", {}).counter == 3
    assert box.renumber() == 0


ACTIONS = st.sampled_from(
    ["add", "draft", "submit", "edit", "withdraw", "send", "receive", "refuse", "answer", "reoffer", "epoch"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 5)), max_size=30))
def test_nothing_written_is_lost_and_no_number_given_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    with Own(tmp_path_factory.mktemp("own") / "own.db") as own:
        box, made = own.outbox, 0
        for action, which in steps:
            ids = [i.id for i in box.items()]
            id_ = ids[which % len(ids)] if ids else ""
            try:
                if action in ("add", "draft"):
                    made += 1
                    box.add("ask", f"t{made}", {}, state="draft" if action == "draft" else "waiting")
                elif action == "reoffer":
                    box.reoffer()
                elif action == "epoch":
                    own.new_device_epoch()
                elif id_ and action == "send":
                    box.begin_sending([id_])
                elif id_ and action == "receive" and box.item(id_).attempted:
                    box.receive(id_, {"r": 1})
                elif id_ and action == "refuse" and box.item(id_).attempted:
                    box.set_aside(id_, {"p": 1})
                elif id_ and action == "answer":
                    box.mark_answered([id_])
                elif id_ and action == "submit":
                    box.submit(id_)
                elif id_ and action == "edit":
                    box.edit(id_, box.item(id_).title, {"edited": True})
                elif id_ and action == "withdraw":
                    box.withdraw(id_)
            except NotEditable:
                assert box.item(id_).state in ("sending", "received", "answered")
            everything = box.items() + box.items(["withdrawn"])
            assert {i.title for i in everything} == {f"t{n + 1}" for n in range(made)}
            numbers = [(i.epoch, i.counter) for i in everything if i.counter]
            assert len(numbers) == len(set(numbers))
            for item in everything:
                assert item.attempted or item.state in ("draft", "waiting", "withdrawn")
                assert item.receipt is not None or item.state not in ("received", "answered")


def test_settings_and_drafts(own: Own) -> None:
    assert own.setting("languages") is None
    assert own.setting("cap", 5) == 5
    own.set_setting("languages", ["fr", "ar"])
    own.set_setting("none", None)
    assert own.setting("languages") == ["fr", "ar"]
    assert own.setting("none", "default") is None
    own.save_draft("ask", {"title": "Ha"})
    own.save_draft("ask", {"title": "Half"})
    assert own.draft("ask") == {"title": "Half"}
    assert [d.key for d in own.drafts()] == ["ask"]
    own.delete_draft("ask")
    assert own.draft("ask") is None


def test_saved_things_and_reading_place(own: Own) -> None:
    own.bookmark("r1", "One")
    own.bookmark("r1", "One, renamed")
    assert [(b.id, b.title) for b in own.bookmarks()] == [("r1", "One, renamed")]
    own.unbookmark("r1")
    own.unbookmark("r1")
    assert own.bookmarks() == []
    own.set_reading_place("r1", 0.6)
    own.set_reading_place("r1", 0.2)
    assert own.reading_place("r1") == 0.6
    own.set_reading_place("r1", 7)
    assert own.reading_place("r1") == 1.0
    own.set_reading_place("r1", 0.1, reset=True)
    assert own.reading_place("r1") == 0.1
    assert own.reading_place("r2") == 0.0
    assert [p.id for p in own.reading_places()] == ["r1"]
    with pytest.raises(ValueError, match="not a number"):
        own.set_reading_place("r1", float("nan"))
    own.set_note("r1", "mine")
    own.set_note("r1", "")
    assert own.note("r1") == ""
    own.pin("a" * 64)
    own.pin("a" * 64)
    assert own.pins() == {"a" * 64}
    own.unpin("a" * 64)
    assert own.pins() == set()


def test_what_was_spent_adds_up_even_for_a_sync_that_was_killed(own: Own) -> None:
    own.add_sync({"bytes_up": 10, "bytes_down": 90}, day="2026-09-14")
    own.add_sync({"id": "run", "bytes_up": 1, "bytes_down": 2}, day="2026-09-14")
    own.add_sync({"id": "run", "bytes_up": 3, "bytes_down": 4}, day="2026-09-14")
    own.add_sync({"bytes_up": 5, "bytes_down": 5}, day="2026-09-15")
    assert own.spent("2026-09-14") == 107
    assert own.spent("2026-09-15") == 10
    assert own.spent("2026-09-16") == 0
    assert [s.bytes for s in own.syncs()] == [10, 7, 100]
    assert len(own.syncs(1)) == 1


def test_what_never_left_may_be_changed_again(own: Own) -> None:
    item = own.outbox.add("ask", "How?", {})
    own.outbox.begin_sending([item.id])
    own.outbox.never_left([item.id])
    assert (own.outbox.item(item.id).state, own.outbox.item(item.id).attempted) == ("waiting", False)
    assert own.outbox.edit(item.id, "How, exactly?", {}).title == "How, exactly?"
    own.outbox.begin_sending([item.id])
    own.outbox.receive(item.id, {"accepted": True})
    own.outbox.never_left([item.id])
    assert own.outbox.item(item.id).state == "received"
