"""The tables of the search index: what each answers, what leaves them, and what a count counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from resources_cache import finding
from resources_cache.cards import Cursor, Filters, SearchPage
from resources_cache.library import Library
from resources_cache.search_index import TABLES, usual
from resources_cache.text.impact import TEXT_STEPS, USUAL, weighed

FILLING = "lorem ipsum dolor sit amet consectetur adipiscing elit"


def resource(id_: str, title: str = "Untitled", summary: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "lang": "en", "title": title, "summary": summary, **fields}


def text(id_: str, body: str, of: str = "") -> dict[str, Any]:
    return {"id": id_, "type": "text", "resource": of or id_[1:], "lang": "en", "format": "plain", "body": body}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as library:
        yield library


def put(library: Library, *records: dict[str, Any]) -> None:
    library.apply("s", records, Cursor(1, 1))


def ids(page: SearchPage) -> list[str]:
    return [hit.id for hit in page.results]


def rows_of(library: Library) -> dict[str, set[int]]:
    return {t: {rid for (rid,) in library._store.rows(f"SELECT id FROM {t}_docsize")} for t in TABLES}


def sound(library: Library) -> bool:
    return all(check.ok for check in library.check())


# Texts


def test_a_phrase_in_a_text_is_one_only_where_its_words_stand_together(library: Library) -> None:
    put(library, *(resource(one) for one in "abcd"),
        text("ta", f"{FILLING} the deep wells {FILLING}"), text("tb", f"wells {FILLING} deep"),
        text("tc", f"Wells, deep ones: {FILLING}"), text("td", f"{FILLING} digging a DEEP-WELL here"))  # fmt: skip
    assert set(ids(library.search("deep wells "))) == {"a", "b", "c", "d"}
    assert set(ids(library.search('"deep wells"'))) == {"a", "d"}
    assert set(ids(library.search('wells -"deep wells"'))) == {"b", "c"}
    assert set(ids(library.search('"deep wells" -digging '))) == {"a"}
    assert library.search('"deep wells"', counts=True).total == 2
    assert library.search('"lorem dolor"').total == 0


def test_a_phrase_is_found_behind_many_texts_that_only_have_its_words(library: Library) -> None:
    nearly = [text(f"t{n}", f"deep {FILLING} wells " * 9) for n in range(finding._NEARBY[-1] + 90)]
    put(library, *nearly, text("tx", f"{FILLING} " * 30 + "deep wells"),
        *(resource(one["resource"]) for one in nearly), resource("x"))  # fmt: skip
    assert ids(library.search('"deep wells"')) == ["x"]


def test_a_phrase_in_more_texts_than_are_read_says_so(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    put(library, *(resource(str(n)) for n in range(90)), *(text(f"t{n}", "deep wells") for n in range(90)))
    page = library.search('"deep wells"')
    assert 20 <= page.total < 90
    assert not page.exact
    page = library.search('"deep wells"', counts=True)
    assert (page.total, page.exact) == (90, True)
    page = library.search('"deep wells"', limit=0)
    assert (page.total, page.exact, page.results) == (90, True, [])
    monkeypatch.setattr(finding, "_READ_TO_COUNT", 10)
    page = library.search('"deep wells"', counts=True)
    assert 10 <= page.total < 90
    assert not page.exact


def test_words_without_spaces_are_counted_as_they_are_found(library: Library) -> None:
    put(library, *(resource(one) for one in "abc"),
        {**text("ta", "这是教育政策的文件"), "lang": "zh"}, {**text("tb", "政策教育 育政"), "lang": "zh"},
        {**text("tc", "文件"), "lang": "zh"})  # fmt: skip
    assert ids(library.search("教育政策 ")) == ["a"]
    assert library.search("教育政策 ", limit=0).total == library.search("教育政策 ", counts=True).total == 1
    assert library.search("教育政策 文件 ", counts=True).total == 2


def test_a_text_that_is_more_about_a_word_comes_first(library: Library) -> None:
    often, once = f"water {FILLING} water water {FILLING} water", f"water {FILLING * 3}"
    put(library, resource("often"), resource("once"), *(resource(f"o{n}") for n in range(9)),
        text("ton", once, "once"), text("toft", often, "often"), text("to", FILLING, "o1"))  # fmt: skip
    assert ids(library.search("water ")) == ["often", "once"]


def test_rare_words_of_a_text_weigh_more_than_frequent_ones(library: Library) -> None:
    put(library, *(resource(str(n)) for n in range(40)), *(text(f"t{n}", f"water {FILLING}") for n in range(30)),
        text("t35", f"sphagnum {FILLING}"))  # fmt: skip
    assert ids(library.search("water sphagnum "))[0] == "35"


def test_texts_are_not_searched_for_titles_and_names(library: Library) -> None:
    put(library, resource("a", "Ponds"), text("ta", "water"))
    assert library.search("title:water ").total == 0
    assert ids(library.search("water -title:ponds ")) == ["a"]


def test_what_a_word_weighs_rises_with_its_share() -> None:
    words = {word[1:]: word[0] for word in weighed("a a a a a a a a b b b " + "c " + "d " * 1500).split()}
    assert words["d"] >= words["a"] > words["b"] > words["c"] == min(TEXT_STEPS)
    assert weighed("school") == "5school"
    assert weighed("") == ""


# Beginnings and common words


def test_a_beginning_finds_titles_summaries_and_texts(library: Library) -> None:
    put(library, resource("title", "Photosynthesis"), resource("summary", "x", "About photosynthesis"),
        resource("text"), text("ttext", "it is photosynthesis"), resource("other", "Photograph"))  # fmt: skip
    assert set(ids(library.search("photosy"))) == {"title", "summary", "text"}
    assert set(ids(library.search("ph"))) == {"title", "summary", "text", "other"}
    assert set(ids(library.search("photosy -title:photosynthesis "))) == set()
    assert library.search("photosy", counts=True).total == 3


def test_with_many_titles_a_beginning_is_looked_for_in_these(library: Library) -> None:
    put(library, *(resource(f"t{n}", f"Watering {n}") for n in range(40)), resource("s", "x", "watering"))
    page = library.search("wate")
    assert len(page.results) == 20
    assert (page.total, page.exact) == (40, False)
    assert "s" not in {hit.id for at in range(0, 40, 10) for hit in library.search("wate", offset=at).results[:10]}
    assert library.search("wate", counts=True).total == 41
    assert "t39" in ids(library.search("wate"))
    assert "t39" not in ids(library.search("-39 wate"))


@pytest.fixture
def crowded(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Every card has "common", every tenth in its title; few are "rare"."""
    monkeypatch.setattr(finding, "COMMON", 50)
    monkeypatch.setattr(finding, "NEWEST", 40)
    cards = [
        resource(f"r{n}", "common title" if n % 10 == 0 else "x", f"common words {FILLING}") for n in range(200)
    ]
    cards[3]["summary"] += " rare"
    cards[150]["summary"] += " rare"
    texts = [text(f"tr{n}", f"common {FILLING}" + " rare" * (n == 77)) for n in range(200)]
    put(library, *cards, *texts)
    return library


def test_a_rare_word_is_found_wherever_it_is_beside_a_common_one(crowded: Library) -> None:
    assert set(ids(crowded.search("common rare "))[:3]) == {"r3", "r150", "r77"}


def test_a_text_with_both_words_comes_before_those_with_the_rare_one(crowded: Library) -> None:
    put(crowded, *(resource(f"n{n}") for n in range(40)), *(text(f"tn{n}", f"{FILLING} rare") for n in range(40)))
    assert ids(crowded.search("common rare ", as_typed=True)).index("r77") < 3


def test_a_common_word_alone_finds_titles_first_and_enough(crowded: Library) -> None:
    page = crowded.search("common ")
    assert len(page.results) == 20
    assert (page.total, page.exact) == (56, False)
    assert crowded.search("common ", limit=0).total == 200
    assert all(hit.title == "common title" for hit in page.results[:10])


def test_the_newest_titles_count_no_more_than_older_ones(crowded: Library) -> None:
    often = [resource(f"w{n}", "x", "lasting bridge") for n in range(60)]
    put(crowded, resource("both", "lasting bridge"), *often, *(resource(f"y{n}", "y") for n in range(200)),
        *often[:30], resource("new", "lasting", "bridge"))  # fmt: skip
    assert ids(crowded.search("lasting bridge ", as_typed=True))[:2] == ["both", "new"]


def test_demands_and_filters_are_met_among_common_words(crowded: Library) -> None:
    assert set(ids(crowded.search('"rare" common '))) == {"r3", "r150", "r77"}
    assert set(ids(crowded.search("rare -common "))) == set()
    assert set(ids(crowded.search("common rare year:1990 "))) == set()
    put(crowded, resource("old", "x", "common", year=1990))
    assert ids(crowded.search("common year:1990 ")) == ["old"]
    assert ids(crowded.search("common ", Filters(year=1990))) == ["old"]


def test_a_beginning_with_a_filter_or_a_demand_finds_every_word_that_begins_so(library: Library) -> None:
    words = [f"wat{a}{b}" for a in "bcdfghjklm" for b in "aeiou"] * 2
    put(library, *(resource(f"r{n}", "x", f"{word}q{n} dry", lang="en") for n, word in enumerate(words)))
    assert library.search("wat", Filters(lang="en"), limit=200).total == 100
    assert len(library.search("wat", Filters(lang="en"), limit=200).results) == 100
    assert not library.search("wat").exact
    assert library.search("dry -r7 wat", Filters(lang="en"), counts=True).total == 100


def test_a_card_and_a_text_weigh_by_the_same_measure(library: Library) -> None:
    put(library, *(resource(f"r{n}", "Water" if n == 3 else "x", FILLING) for n in range(40)),
        *(text(f"t{n}", f"{FILLING} water" if n == 5 else FILLING, f"r{n}") for n in range(40)))  # fmt: skip
    assert ids(library.search("water ")) == ["r3", "r5"]
    put(library, resource("r3", "x", f"{FILLING} water"), text("t5", "water water water", "r5"))
    assert ids(library.search("water ")) == ["r5", "r3"]


# Counts


def test_counts_are_those_of_looking_at_each(crowded: Library) -> None:
    themes = ["bees", "soil", "water"]
    chance = random.Random(4)
    put(crowded, *(resource(f"c{n}", "counted thing", "rare", year=2000 + n % 3, lang=chance.choice(["en", "fr"]),
        themes=chance.sample(themes, 2), countries=["KE"] if n % 2 else []) for n in range(30)))  # fmt: skip
    for query, filters in (
        ("common ", Filters()), ("rare ", Filters()), ("counted ", Filters(lang="fr")), ("count", Filters()),
        ("counted -rare ", Filters()), ("counted year:2001 ", Filters(theme="bees")), ("year:2001 ", Filters()),
        ('"counted thing"', Filters()), ("title:counted ", Filters(lang="en", year=2000)),
    ):  # fmt: skip
        page = crowded.search(query, filters, counts=True)
        every = crowded.search(query, filters, limit=1000)
        assert (page.exact, every.exact) == (True, True), query
        assert page.total == every.total == len(every.results), query
        some = crowded.search(query, filters)
        assert some.total == page.total if some.exact else some.total <= page.total, query
        for name, values in page.facets.items():
            for value, count in values:
                only = {"kind": None, "lang": None, name: int(value) if name == "year" else value}
                narrowed = Filters(**{**vars(filters.without(name)), **{k: v for k, v in only.items() if v}})
                assert crowded.search(query, narrowed, counts=True).total == count, (query, name, value)
    assert crowded.search("common ", counts=True).total == crowded.search("common ", limit=0).total == 200


def test_a_total_that_is_not_exact_is_no_more_than_there_are(crowded: Library) -> None:
    for query, exact in (("common ", False), ("comm", False), ("rare ", True), ('"common words"', False)):
        page = crowded.search(query)
        assert page.exact == exact, query
        assert 20 <= page.total <= 200 if not exact else page.total == 3, query
        assert crowded.search(query, limit=0).exact, query
        assert crowded.search(query, Filters(lang="en")).exact, query
    assert len({hit.id for at in range(0, 200, 20) for hit in crowded.search("common ", offset=at).results}) == 200
    assert crowded.search("counted ", Filters(lang="de"), counts=True).total == 0


# Writing


def test_what_is_deleted_or_changed_leaves_every_table(library: Library) -> None:
    put(library, resource("a", "Water"), text("ta", "water"), resource("b", "Water"), text("tb", "water"))
    assert {table: len(rows) for table, rows in rows_of(library).items()} == {
        "search": 2, "texts": 4,
    }  # fmt: skip
    put(library, {"id": "a", "deleted": True}, {"id": "ta", "deleted": True})
    assert {table: len(rows) for table, rows in rows_of(library).items()} == {
        "search": 1, "texts": 2,
    }  # fmt: skip
    assert ids(library.search("water ")) == ids(library.search("wat")) == ["b"]
    # A text that becomes a message, with the same words, goes to another table.
    put(
        library,
        {"id": "h", "type": "thread", "title": "Talk"},
        {**text("tb", "water"), "type": "message", "thread": "h"},
    )
    assert rows_of(library)["texts"] == rows_of(library)["search"]
    assert set(ids(library.search("water "))) == {"b", "h"}
    assert sound(library)
    library.clear()
    assert not any(rows_of(library).values())
    assert sound(library)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM texts WHERE rowid = 2", "DELETE FROM pairs WHERE rid = 2",
        "INSERT INTO texts(rowid, words) VALUES (9, '1stray')",
        "DELETE FROM texts WHERE rowid = 2; INSERT INTO texts(rowid, words) VALUES (2, '5water 1lorem')",
        "INSERT INTO pairs VALUES (1, x'00')",
    ],
)  # fmt: skip
def test_the_doctor_compares_every_table_with_the_content(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        put(library, resource("a", "Water"), text("ta", f"water {FILLING}"))
        assert sound(library)
    connection = dbapi2.connect(str(path))
    connection.executescript(damage)
    connection.close()
    with Library(path) as library:
        assert [check.name for check in library.check() if not check.ok] == ["search index equals the content"]
        library.rebuild_index()
        assert sound(library)


def test_how_many_rows_have_a_word_is_asked_anew_after_a_change(library: Library) -> None:
    put(library, resource("a", "Water"), text("ta", "water"))
    assert ids(library.search("sphagnum ", as_typed=True)) == []
    with Library(library.path) as other:
        put(other, resource("b", "x"), text("tb", "sphagnum"))
    assert ids(library.search("sphagnum ", as_typed=True)) == ["b"]
    put(library, resource("c", "x"), text("tc", "sphagnum"))
    assert set(ids(library.search("sphagnum ", as_typed=True))) == {"b", "c"}


# What is usual


def test_the_first_texts_settle_what_a_text_of_usual_length_is(library: Library) -> None:
    short, long = "water " + FILLING, f"water {FILLING} " * 40
    put(library, resource("r0"), text("t0", long, "r0"))
    assert usual(library._store).texts == 360
    put(library, *(text(f"t{n}", short, "r0") for n in range(1, 20)))
    assert usual(library._store).texts == 27, "16 have come"
    assert sound(library), "those that were here are indexed by it too"
    put(library, *(text(f"t{n}", short, "r0") for n in range(20, 300)))
    assert usual(library._store).texts == 10, "256 have come"
    assert sound(library)
    put(library, *(text(f"t{n}", long, "r0") for n in range(300, 700)))
    assert usual(library._store).texts == 10, "it is settled"
    put(library, *({"id": f"t{n}", "deleted": True} for n in range(300)))
    assert sound(library)
    library.rebuild_index()
    assert usual(library._store).texts == 360
    assert sound(library)
    library.clear()
    assert usual(library._store).texts == USUAL


def test_so_do_the_first_of_anything_else(library: Library) -> None:
    long = [resource(f"l{n}", "Water", f"{FILLING} " * 40) for n in range(3)]
    put(library, *long, text("t0", FILLING, "l0"))
    assert usual(library._store) == (8, 321)
    put(library, *(resource(f"s{n}", "Water", FILLING) for n in range(300)))
    assert usual(library._store) == (8, 12), "256 have come"
    assert sound(library), "those that were here are indexed by it too"
    put(library, *({**one, "summary": FILLING * 200} for one in long))
    assert usual(library._store) == (8, 12), "it is settled"
    assert sound(library)


def test_what_weighs_in_a_text_hangs_on_what_is_usual() -> None:
    words = "water " * 2 + FILLING
    assert weighed(words, 10).split()[0] < weighed(words, 1000).split()[0]
    assert weighed("school " * 100_000, 1)[1:] == "school"
