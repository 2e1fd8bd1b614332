"""Highlights and notes: kept, found again in a text that changed, searched, written out as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.anchors import CONTEXT, MAX_QUOTE, Anchor, Places, anchor
from resources_cache.annotations import MAX_NOTE, MAX_PAGE, Annotation, markdown
from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.own import FilePlace, Own
from resources_cache.own_search import NOTE, search_all

TEXT = """Wells and pumps

Every school has a well. The pump is mended by the district, which has two people for ninety schools.

Teachers keep a log. Every school has a log. The district reads it in June, and again in November.
"""


def marked(text: str, words: str, nth: int = 0) -> Anchor:
    at = -1
    for _ in range(nth + 1):
        at = text.index(words, at + 1)
    return anchor(text, at, at + len(words))


def found(text: str, wanted: Anchor) -> str | None:
    place = Places(text).find(wanted)
    return None if place is None else text[place[0] : place[1]]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with Own(tmp_path / "own.db") as own:
        yield own


def highlight(words: str, note: str = "", resource: str = "r1", nth: int = 0) -> Annotation:
    return Annotation(resource, "en", marked(TEXT, words, nth), note=note, title="Wells")


@given(st.text(min_size=1, max_size=120), st.data())
def test_whatever_is_marked_is_found_where_it_was(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if not text[start:end].strip():
        return
    made = anchor(text, start, end)
    place = Places(text).find(made)
    assert place is not None
    # In a text of the same letters over and over, another place may have the same words and the same surroundings.
    assert " ".join(text[place[0] : place[1]].split()) == " ".join(made.quote.split())
    if text.count(made.quote) == 1 and made.quote == " ".join(made.quote.split()):
        assert place == (made.start, made.start + len(made.quote))


def test_what_stands_around_tells_equal_words_apart() -> None:
    for nth in (0, 1):
        wanted = marked(TEXT, "Every school has a", nth)
        changed = "A new first paragraph, longer than what was there. " * 9 + TEXT
        place = Places(changed).find(wanted)
        assert place is not None
        assert changed[place[0] :].startswith(("Every school has a well", "Every school has a log")[nth])


def test_position_decides_between_places_that_are_equal_in_all_else() -> None:
    text = "again and again. " * 40
    wanted = marked(text, "again and again", 20)
    assert Places(text).find(wanted) == (wanted.start, wanted.start + len(wanted.quote))


def test_other_line_breaks_are_no_other_words() -> None:
    wanted = marked(TEXT, "ninety schools.\n\nTeachers keep")
    assert found(TEXT.replace("\n\n", " "), wanted) == "ninety schools. Teachers keep"
    assert found(TEXT.replace(" ", "\n  "), wanted) is not None


def test_a_corrected_passage_is_found_with_its_corrections() -> None:
    wanted = marked(TEXT, "The pump is mended by the district, which has two people for ninety schools.")
    newer = TEXT.replace("mended", "repaired").replace("two people", "three persons")
    assert found(newer, wanted) == (
        "The pump is repaired by the district, which has three persons for ninety schools."
    )
    in_front = "Foreword. " * 200 + newer
    assert found(in_front, wanted) == found(newer, wanted)


def test_words_of_another_sentence_are_not_the_passage() -> None:
    wanted = marked(TEXT, "Every school has a well")
    assert found(TEXT.replace("Every school has a well. ", ""), wanted) is None, (
        "that it has a log is another thing"
    )
    word = marked(TEXT, "well")
    assert found(TEXT.replace("Every school has a well", "It is well known"), word) is None
    assert found(TEXT.replace("Wells and", "Tanks and"), word) == "well"


def test_what_was_taken_out_is_nowhere() -> None:
    wanted = marked(TEXT, "The pump is mended by the district, which has two people for ninety schools.")
    rest = TEXT.replace(wanted.quote, "")
    assert found(rest, wanted) is None
    assert found("", wanted) is None
    assert found(rest, Anchor("well well")) is None, "short words that changed are other words"


def test_a_hostile_text_takes_bounded_time() -> None:
    from time import process_time

    text = "a" * 200_000
    wanted = Anchor("a" * 900 + "b" + "a" * 90, "a" * CONTEXT, "a" * CONTEXT, 7)
    begun = process_time()
    places = Places(text)
    places.find(replace(wanted, quote="a" * 20))
    for _ in range(200):
        places.find(wanted)
    assert process_time() - begun < 20


def test_an_anchor_has_words_and_an_end() -> None:
    assert anchor("  two words  ", 0, 13) == Anchor("two words", "  ", "  ", 2)
    with pytest.raises(ValueError):
        anchor("   ", 0, 3)
    with pytest.raises(ValueError):
        anchor("x" * (MAX_QUOTE + 1), 0, MAX_QUOTE + 1)


def test_kept_changed_removed_and_brought_back(own: Own) -> None:
    second = own.annotations.put(highlight("Teachers keep a log", "Ask for one"))
    first = own.annotations.put(highlight("Every school has a well"))
    assert own.annotations.of("r1") == [first, second], "in the order of the text"
    changed = own.annotations.put(replace(first, colour="green", note="Ours is dry"))
    assert (changed.id, changed.created) == (first.id, first.created)
    own.annotations.remove(second.id)
    own.annotations.remove("never was")
    assert own.annotations.of("r1") == [changed]
    own.annotations.put(second)
    assert own.annotations.of("r1") == [changed, second]
    assert own.annotations.of("r2") == []


def test_bounds_and_odd_characters(own: Own) -> None:
    good = highlight("a well")
    for bad in (
        replace(good, colour="plaid"),
        replace(good, note="x" * (MAX_NOTE + 1)),
        replace(good, anchor=Anchor(" ")),
        replace(good, anchor=Anchor("x" * (MAX_QUOTE + 1))),
    ):
        with pytest.raises(ValueError):
            own.annotations.put(bad)
    assert own.annotations.everything() == []
    kept = own.annotations.put(replace(good, note="half \ud800 letter", anchor=Anchor("q", "p" * 999, "s" * 999)))
    assert own.annotations.of("r1") == [kept]
    assert (kept.note, len(kept.anchor.prefix), len(kept.anchor.suffix)) == ("half ? letter", CONTEXT, CONTEXT)


def test_they_are_found_by_the_search_of_ones_own_words(tmp_path: Path, own: Own) -> None:
    with Library(tmp_path / "library.db") as library:
        library.apply("s", [{"id": "r1", "type": "resource", "lang": "en", "title": "Wells"}], Cursor(1, 1))
        own.annotations.put(highlight("The pump is mended", "Quokka budget"))
        own.set_note("r1", "Amina knows")
        for typed in ("quokka", "mended", "amina", "amina quokka mended"):
            assert [(hit.kind, hit.id) for hit in search_all(library, own, typed).results] == [(NOTE, "r1")]


def test_markdown_has_all_of_it_and_no_markup_of_others(own: Own) -> None:
    one = own.annotations.put(highlight("Every school has a well", "1. *Really*?\n# no"))
    two = own.annotations.put(replace(highlight("Teachers keep"), colour="rose", anchor=Anchor("one\n- two\n<b>")))
    written = markdown("Wells & [pumps]", "A. Diallo\nhttps://x.example", [one, two], "- mine", {"rose": "Rose"})
    day = one.created[:10]
    assert written == (
        "# Wells & \\[pumps\\]\n\nA. Diallo  \nhttps://x.example\n\n\\- mine\n\n"
        f"> Every school has a well\n>\n> (yellow, {day})\n\n1\\. \\*Really\\*?\n\\# no\n\n"
        f"> one\n> \\- two\n> \\<b\\>\n>\n> (Rose, {day})\n"
    )


def test_passages_of_files_and_where_reading_of_them_stopped(tmp_path: Path) -> None:
    hash_ = "ab" * 32
    with Own(tmp_path / "own.db") as own:
        where = Anchor("a well", start=4)
        kept = own.annotations.put(Annotation("r", "en", where, file=hash_, page=7))
        assert own.annotations.of("r") == [kept]
        assert "page 8" in markdown("T", "", [kept])
        for wrong in (replace(kept, file="no hash"), replace(kept, page=-1), replace(kept, page=MAX_PAGE)):
            with pytest.raises(ValueError):
                own.annotations.put(wrong)
        assert own.file_place(hash_) == FilePlace()
        own.set_file_place(hash_, FilePlace(3, 0.5, 1.25))
        assert own.file_place(hash_) == FilePlace(3, 0.5, 1.25)
        with pytest.raises(ValueError):
            own.set_file_place(hash_, FilePlace(0, float("nan")))
