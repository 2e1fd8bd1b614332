"""Patches lead from one state of a record to another and nowhere else; runs of changes become one."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import limits, patches
from sync.protocol.errors import Malformed, TooLarge, WrongBase
from sync.protocol.segments import Change
from sync.protocol.wire_json import dump

WORDS = ["école", "água", "مدرسة", "school", "🏫", "water.", "teacher,", "radio\n", "solar", "report?", "reading"]
KEYS = st.sampled_from(["title", "summary", "text", "themes", "year"])


def prose(seed: int, words: int) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(WORDS) for _ in range(words))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A long text, or the same with some words changed."""
    words = prose(draw(st.integers(0, 3)), draw(st.sampled_from([40, 120]))).split(" ")
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(words) - 1))
        words[place : place + draw(st.integers(0, 3))] = draw(
            st.lists(st.sampled_from(WORDS) | st.text(), max_size=3)
        )
    return " ".join(words)


values = (
    texts() | st.text(max_size=5) | st.integers(0, 3) | st.booleans() | st.lists(st.sampled_from("ab"), max_size=3)
)
states = st.dictionaries(KEYS, values, max_size=5).map(lambda fields: {**fields, "id": "r1"})


def wire(value: Any) -> Any:
    """What the other side has of a value."""
    return json.loads(dump(value))


@settings(max_examples=200)
@given(states, states)
def test_a_patch_leads_from_the_old_state_to_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch = patches.make(old, new)
    if patch is None:
        return
    assert patches.is_patch(patch)
    assert len(dump(patch)) <= 0.7 * len(dump(new))
    assert dump(patches.apply(wire(old), wire(patch))) == dump(new)


def record(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "title": "t", "text": prose(1, 300), **fields}


def test_an_edit_of_a_long_text_is_small() -> None:
    old = record()
    new = record(text=old["text"].replace("teacher", "head teacher", 1), year=2026)
    patch = patches.make(old, new)
    assert patch is not None
    assert len(dump(patch)) < 130
    assert patch["edit"]["text"][0][2].strip() == "head"
    assert patch["set"] == {"year": 2026}
    assert "unset" not in patch


def test_two_far_edits_are_two_and_two_near_ones_are_one() -> None:
    text = "a1 b2 " + prose(2, 200) + " y1 z2"
    far = patches.make(record(text=text), record(text="a0 b2 " + text[6:-2] + "z0"))
    near = patches.make(record(text=text), record(text="a0 b0 " + text[6:]))
    assert far is not None
    assert near is not None
    assert [len(far["edit"]["text"]), len(near["edit"]["text"])] == [2, 1]


def test_a_field_that_goes_and_numbers_that_only_python_takes_for_equal() -> None:
    old, new = record(year=1, lang="en"), record(year=True)
    patch = patches.make(old, new)
    assert patch is not None
    assert patch["unset"] == ["lang"]
    assert patches.apply(old, patch)["year"] is True


def test_what_shares_nothing_is_no_patch() -> None:
    assert patches.make({"id": "r1", "title": "one"}, {"id": "r1", "title": "two"}) is None
    with pytest.raises(ValueError, match="same record"):
        patches.make({"id": "a"}, {"id": "b"})


def test_long_texts_that_differ_throughout_are_compared_within_a_bound() -> None:
    old, new = record(text=prose(3, 60_000)), record(text=prose(4, 60_000) + " the end")
    assert patches.make(old, new) is None
    middle = record(text=old["text"][:100_000] + prose(5, 9000) + old["text"][150_000:])
    patch = patches.make(old, middle)
    assert patch is not None
    assert patches.apply(old, patch) == middle


def test_a_patch_fits_one_state_only() -> None:
    old, new = record(), record(title="other")
    patch = patches.make(old, new)
    assert patch is not None
    for other in (new, record(title="t "), {**old, "id": "r2"}, {"id": "r1"}):
        with pytest.raises(WrongBase):
            patches.apply(other, patch)


@pytest.mark.parametrize(
    "change",
    [
        {"set": []},
        {"unset": {}},
        {"edit": []},
        {"set": {"id": "r2"}},
        {"unset": ["id"]},
        {"edit": {"id": [[0, 1, "x"]]}},
        {"unset": ["nothing"]},
        {"unset": [1]},
        {"edit": {"nothing": []}},
        {"edit": {"text": []}, "set": {"text": "x"}},
        {"edit": {"text": []}, "unset": ["text"]},
        {"edit": {"text": {}}},
        {"edit": {"text": [[0, 1]]}},
        {"edit": {"text": [[0, 1, 2]]}},
        {"edit": {"text": [[0, 9, "x"]]}},
        {"edit": {"text": [[9, 0, "x"]]}},
        {"edit": {"text": [[-1, 1, "x"]]}},
        {"edit": {"text": [[0, -1, "x"]]}},
        {"edit": {"text": [[True, 1, "x"]]}},
        {"edit": {"text": [[0, 3, "x"], [2, 1, "y"]]}},
        {"edit": {"text": [[4, 1, "x"], [0, 1, "y"]]}},
    ],
)
def test_a_change_that_cannot_be_followed_is_malformed(change: dict[str, Any]) -> None:
    old = {"id": "r1", "text": "école 🏫"}
    with pytest.raises(Malformed):
        patches.apply(old, {"id": "r1", "was": state_name(old), **change})


def state_name(state: dict[str, Any]) -> str:
    """The `was` of a patch of this state, as the format describes it."""
    return hashlib.sha256(dump(state)).hexdigest()[:16]


def test_positions_count_code_points() -> None:
    old = {"id": "r1", "text": "école 🏫 x"}
    changed = patches.apply(
        old, {"id": "r1", "was": state_name(old), "edit": {"text": [[6, 1, "house"], [8, 1, ""]]}}
    )
    assert changed["text"] == "école house "


def test_a_result_over_the_bound_is_refused() -> None:
    old = {"id": "r1", "text": "x" * (limits.RECORD - 100)}
    with pytest.raises(TooLarge):
        patches.apply(old, {"id": "r1", "was": state_name(old), "edit": {"text": [[0, 0, "y" * 200]]}})


CARDS = "public/cards/en"


@settings(max_examples=100)
@given(st.data())
def test_two_runs_as_one_lead_to_the_same_state(data: st.DataObject) -> None:
    """Draw three states of a small library; the composed run leads from the first to the third."""
    libraries = [
        {f"r{n}": {**one, "id": f"r{n}"} for n, one in enumerate(data.draw(st.lists(states, max_size=4)))}
        for _ in range(3)
    ]
    first, second = difference(libraries[0], libraries[1]), difference(libraries[1], libraries[2])
    composed = patches.compose(first, second)
    assert dump(follow(libraries[0], composed)) == dump(libraries[2])
    assert [change["id"] for _, change in composed] == sorted(change["id"] for _, change in composed)


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    changes: list[Change] = [(CARDS, {"id": name, "deleted": True}) for name in old if name not in new]
    for name, state in new.items():
        if name not in old:
            changes.append((CARDS, state))
        elif dump(old[name]) != dump(state):
            changes.append((CARDS, patches.make(old[name], state) or state))
    return changes


def follow(library: dict[str, Any], changes: list[Change]) -> dict[str, Any]:
    found = dict(library)
    for _, change in changes:
        if change.get("deleted") is True:
            found.pop(change["id"], None)
        elif patches.is_patch(change):
            found[change["id"]] = patches.apply(found[change["id"]], change)
        else:
            found[change["id"]] = change
    return found


def test_what_composing_does_with_each_pair() -> None:
    states_ = [record(title=title) for title in ("a", "b", "c")]
    one, two = patches.make(states_[0], states_[1]), patches.make(states_[1], states_[2])
    assert one is not None
    assert two is not None
    gone = {"id": "r1", "deleted": True}
    assert patches.compose([(CARDS, one)], [(CARDS, two)]) == [(CARDS, one), (CARDS, two)]
    assert patches.compose([(CARDS, states_[0])], [(CARDS, one)]) == [(CARDS, states_[1])]
    assert patches.compose([(CARDS, one), (CARDS, two)], [(CARDS, gone)]) == [(CARDS, gone)]
    assert patches.compose([(CARDS, gone)], [(CARDS, states_[0])]) == [(CARDS, states_[0])]
    assert patches.compose([(CARDS, one)], [("public/talk/en", gone)]) == [
        (CARDS, one),
        ("public/talk/en", gone),
    ]
    with pytest.raises(Malformed):
        patches.compose([(CARDS, gone)], [(CARDS, one)])
    with pytest.raises(WrongBase):
        patches.compose([(CARDS, states_[0])], [(CARDS, two)])
