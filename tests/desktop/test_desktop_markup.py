"""Records made into pages: safe whatever the hub sent, with contents, citations that jump, and their direction."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.reading import markup, request_page

HOSTILE = (
    '<h2>One</h2><p onclick="x()">a<script>alert(1)</script><img src="http://evil.example/p.png">'
    '<a href="javascript:x()">j</a><a href="file:///etc/passwd">f</a><iframe src="x"></iframe>'
    '<p style="background:url(http://evil.example)">b</p><a href="https://good.example/">g</a>'
)


def resource(**more: Any) -> dict[str, Any]:
    return {"id": "r1", "type": "resource", "title": "T", "lang": "en", **more}


def test_what_the_hub_sent_is_sanitised() -> None:
    record = resource(texts=[{"lang": "en", "format": "html", "body": HOSTILE}])
    html = markup.resource(record, {}).html
    for bad in ("script", "img", "onclick", "javascript", "file:", "iframe", "style=", "evil"):
        assert bad not in html
    assert "https://good.example/" in html


@pytest.mark.parametrize("field", ["title", "summary", "publisher", "licence", "url"])
def test_fields_are_escaped(field: str) -> None:
    html = markup.resource(resource(**{field: "<b>x</b> & <script>"}), {}).html
    assert "<script>" not in html
    assert "&lt;b&gt;" in html


@given(st.text())
def test_no_title_breaks_out(title: str) -> None:
    page = markup.resource(resource(title=title), {})
    assert page.html.count("<h1>") == 1


def test_long_texts_have_contents_that_jump() -> None:
    body = "".join(f"<h2>Part <em>{n}</em></h2><p>x</p>" for n in range(4))
    page = markup.resource(resource(texts=[{"lang": "en", "format": "html", "body": body}]), {})
    assert [words for _name, words in page.contents] == [f"Part {n}" for n in range(4)]
    for name, _words in page.contents:
        assert f'name="{name}"' in page.html
        assert f'href="#{name}"' in page.html


def test_summary_comes_before_the_text() -> None:
    page = markup.resource(resource(summary="SUM", texts=[{"lang": "en", "format": "text", "body": "BODY"}]), {})
    assert page.html.index("SUM") < page.html.index("BODY")


def thread() -> dict[str, Any]:
    return {
        "id": "t",
        "type": "thread",
        "title": "T",
        "lang": "en",
        "summaries": [{"body": "Agreed [1], not [2], never [9].", "cites": ["m2", "gone"]}],
        "messages": [
            {"id": "m1", "author": "A", "body": "one", "created": "2026-01-01T00:00:00Z"},
            {"id": "m2", "author": "B", "body": "two", "created": "2026-01-02T00:00:00Z"},
        ],
    }


def test_citations_jump_to_their_messages() -> None:
    html = markup.thread(thread()).html
    assert '<a href="#message-2">[1]</a>' in html, "cites name messages, not their order"
    assert 'name="message-2"' in html
    assert "#cite-" not in html, "a citation of a message that is not here leads nowhere"
    assert "[9]" in html
    assert html.index("Agreed") < html.index("one"), "the summary stands above the messages"


def test_pending_replies_lie_over_the_thread() -> None:
    pending = [{"body": "mine <b>", "state": "waiting", "created": "2026-01-03T00:00:00Z"}]
    html = markup.thread(thread(), pending).html
    assert "mine &lt;b&gt;" in html
    assert "Waiting for a connection" in html


def test_arabic_runs_from_right_to_left() -> None:
    assert 'dir="rtl"' in markup.resource(resource(lang="ar"), {}).html
    assert 'dir="ltr"' in markup.resource(resource(lang="fr"), {}).html


def test_a_translation_is_shown_in_its_language() -> None:
    record = resource(translations=[{"lang": "fr", "title": "Le titre", "summary": "S", "machine": True}])
    page = markup.resource(record, {}, "fr")
    assert "Le titre" in page.html
    assert "machine" in page.html
    assert page.lang == "fr"


def test_request_shows_state_and_answers() -> None:
    record = {
        "id": "q", "type": "request", "title": "Q", "body": "why", "state": "in-progress",
        "replies": [{"author": "Team", "body": "because", "cites": ["r1"]}],
    }  # fmt: skip
    html = request_page.page(record, [], request_page.Matters()).html
    assert "Being worked on" in html
    assert "because" in html
    assert 'href="hubshelf:open/resource/r1"' in html


def test_the_columns_of_a_table_follow_the_direction_of_the_text() -> None:
    table = "<table><tr><th>1</th><td>2</td></tr></table>"
    assert table in markup.wrap(table, "fr")
    assert "<tr><td>2</td><th>1</th></tr>" in markup.wrap(table, "ar")


def test_sample_content_says_that_it_is_one() -> None:
    assert "Sample content" in markup.resource(resource(sample=True), {}).html
    assert "Sample content" not in markup.resource(resource(), {}).html


def test_what_stands_beside_one_another_keeps_its_own_direction() -> None:
    record = resource(publisher="Rift Lakes Observatory", year=2025)
    html = markup.resource(record, {"type": "دليل", "themes": "المحتوى"}).html
    assert "\u2068Rift Lakes Observatory\u2069 · \u20682025\u2069 · \u2068دليل\u2069 · \u2068المحتوى\u2069" in html
