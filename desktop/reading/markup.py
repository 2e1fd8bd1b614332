"""Records made into HTML for the reader. Pure text in, text out; every value is escaped or sanitised.

What the hub sent is sanitised again here (nh3, the same list of tags as on the hub): the reader must be safe
even where the hub was careless. Nothing that is shown can fetch anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from desktop.amounts import ago, date, day_range
from desktop.state_words import CATEGORIES, outbox_state
from desktop.theme import Colours
from desktop.words import _, is_right_to_left, isolate

TAGS = frozenset(
    {
        "h2", "h3", "h4", "p", "br", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td",
        "strong", "b", "em", "i", "a", "sup", "sub", "code", "pre", "dl", "dt", "dd", "hr",
    }
)  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
SCHEMES = frozenset({"http", "https", "mailto"})
OPEN = "hubshelf:open/"
LONG_TEXT_HEADINGS = 3

_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
# Qt lays the columns of a table out from the left whatever the text's direction is.
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd][^>]*>.*?</t[hd]>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_CITATION = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True)
class Page:
    """A page for the reader: its HTML body, and its contents as (anchor, words) in order."""

    html: str
    contents: list[tuple[str, str]] = field(default_factory=list)
    lang: str = ""


def style_sheet(c: Colours, points: float) -> str:
    """The style of every page (the part of CSS that Qt's rich text knows); `points` is the size of its text."""
    more = min(points, 15)  # large text is a heading's size already: one word a line helps nobody
    return f"""
    body {{ color: {c.ink}; }}
    h1 {{ font-size: {points + 0.6 * more:.1f}pt; font-weight: 600; margin-top: 0px; margin-bottom: 8px; }}
    h2 {{ font-size: {points + 0.3 * more:.1f}pt; font-weight: 600; margin-top: 28px; margin-bottom: 8px; }}
    h3 {{ font-size: {points + 0.1 * more:.1f}pt; font-weight: 600; margin-top: 20px; margin-bottom: 6px; }}
    p, li {{ margin-top: 0px; margin-bottom: 12px; line-height: 135%; }}
    li {{ margin-bottom: 4px; }}
    blockquote {{ margin-left: 24px; margin-right: 24px; color: {c.muted}; }}
    a {{ color: {c.accent}; text-decoration: underline; }}
    .meta {{ color: {c.muted}; margin-bottom: 4px; }}
    .small {{ color: {c.muted}; font-size: {points * 0.86:.1f}pt; margin-bottom: 4px; }}
    .label {{ color: {c.accent}; font-weight: 600; font-size: {points * 0.86:.1f}pt;
        margin-bottom: 4px; margin-top: 12px; }}
    .author {{ font-weight: 600; margin-top: 22px; margin-bottom: 2px; }}
    .pending {{ color: {c.warn}; font-size: {points * 0.86:.1f}pt; margin-bottom: 4px; }}
    th {{ font-weight: 600; background-color: {c.rail}; padding: 6px; }}
    td {{ padding: 6px; }}
    """


def clean(html: str) -> str:
    """Sanitised HTML: only the tags, attributes and link schemes listed above survive."""
    import nh3

    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


def paragraphs(text: str) -> str:
    """Plain text as paragraphs, split at blank lines; single line breaks stay."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return "".join("<p>" + escape(block).replace("\n", "<br>") + "</p>" for block in blocks)


def strip_tags(html: str) -> str:
    """The words of an HTML fragment."""
    import html as entities

    return entities.unescape(_TAG.sub("", html)).strip()


def with_anchors(html: str) -> tuple[str, list[tuple[str, str]]]:
    """Give every h2 an anchor; returns the HTML and the contents."""
    contents: list[tuple[str, str]] = []

    def anchor(match: re.Match[str]) -> str:
        name = f"part-{len(contents) + 1}"
        contents.append((name, strip_tags(match[1])))
        return f'<h2><a name="{name}"></a>{match[1]}</h2>'

    return _HEADING.sub(anchor, html), contents


def wrap(body: str, lang: str) -> str:
    """A whole document, running the way its language runs."""
    side = "rtl" if is_right_to_left(lang) else "ltr"
    if side == "rtl":
        body = _ROW.sub(lambda row: f"<tr>{''.join(reversed(_CELL.findall(row[1])))}</tr>", body)
    return f'<html><body dir="{side}"><div dir="{side}">{body}</div></body></html>'


def link(address: str, words: str = "") -> str:
    """A link to an address outside, or nothing where it is not one that may be opened."""
    scheme = address.partition(":")[0].lower()
    return (
        f'<a href="{escape(address)}">{escape(words or address)}</a>'
        if scheme in SCHEMES
        else escape(words or address)
    )


def inner_link(kind: str, record: str, words: str) -> str:
    """A link to another record of the shelf."""
    return f'<a href="{OPEN}{escape(kind)}/{escape(record)}">{escape(words)}</a>'


def _label(words: str) -> str:
    return f'<p class="label">{escape(words)}</p>'


def _author(words: str) -> str:
    return f'<p class="author">{escape(words)}</p>'


def _line(parts: Iterable[str], look: str = "meta") -> str:
    shown = [part for part in parts if part]
    # Each in its own direction: an Arabic word among English ones would take the point beside it along.
    if len(shown) > 1:
        shown = [part if part.startswith("\u2068") else isolate(part) for part in shown]
    joined = " · ".join(shown)
    return f'<p class="{look}">{joined}</p>' if joined else ""


def resource(
    record: Mapping[str, Any],
    names: Mapping[str, str],
    variant: str = "",
    editions: Iterable[tuple[str, str, str]] = (),
) -> Page:
    """A resource: title, who and when, summary, contents, text. `variant` is the language to read it in.

    `names`: theme and other labels already in the window's language, joined under "themes" and "type".
    `editions`: (id, name of the language or "", title) of the other records of the same work.
    """
    texts = [t for t in record.get("texts") or [] if isinstance(t, Mapping)]
    lang = variant or str(record.get("lang") or "")
    translation: Mapping[str, Any] = next(
        (t for t in record.get("translations") or [] if t.get("lang") == lang), {}
    )
    text = next((t for t in texts if t.get("lang") == lang), None if variant else (texts[0] if texts else None))
    parts = [f"<h1>{escape(translation.get('title') or record.get('title') or '')}</h1>"]
    parts.append(_line([escape(", ".join(map(str, record.get("authors") or [])))]))
    parts.append(
        _line(
            [
                escape(str(record.get("publisher") or "")),
                escape(str(record.get("year") or "")),
                escape(names.get("type", "")),
                escape(names.get("themes", "")),
            ]
        )
    )
    links = [
        inner_link("resource", id_, f"{isolate(lang)}: {isolate(title)}" if lang else isolate(title))
        for id_, lang, title in editions
    ]
    if links:
        words = isolate(escape(_("Also on your shelf:")))
        parts.append(_line([f"{words} {links[0]}", *links[1:]]))
    if record.get("sample") is True:
        parts.append(_line([_("Sample content: invented to show what a hub can hold")], "small"))
    if translation.get("machine"):
        parts.append(_line([_("Translated by a machine")], "small"))
    if summary := str(translation.get("summary") or record.get("summary") or ""):
        parts.append(_label(_("Summary")) + f'<div class="summary">{paragraphs(summary)}</div>')
    contents: list[tuple[str, str]] = []
    if text is not None:
        body = str(text.get("body") or "")
        body = clean(body) if text.get("format") == "html" else paragraphs(body)
        body, contents = with_anchors(body)
        if len(contents) >= LONG_TEXT_HEADINGS:
            items = "".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words in contents)
            parts.append(_label(_("Contents")) + f"<ul>{items}</ul>")
        parts.append("<hr>")
        parts.append(body)
    parts.append("<hr>")
    licence = str(record.get("licence") or "")
    parts.append(_line([escape(licence), link(str(record.get("url") or ""))], "small"))
    return Page(wrap("".join(parts), lang), contents, lang)


def cited(body: str, count: int, prefix: str) -> str:
    """Plain text whose citations [n], for n up to `count`, jump to the anchor `prefix``n`."""

    def jump(match: re.Match[str]) -> str:
        number = int(match[1])
        return f'<a href="#{prefix}{number}">[{number}]</a>' if 1 <= number <= count else match[0]

    return _CITATION.sub(jump, paragraphs(body))


def thread(
    record: Mapping[str, Any], pending: Iterable[Mapping[str, Any]] = (), names: str = "", about: str = ""
) -> Page:
    """A discussion: its summaries with citations that jump, then every message; then what waits to be sent.

    `pending`: outbox replies to it, each with `body`, `state`, `created`; `about`: the title of its resource.
    """
    lang = str(record.get("lang") or "")
    messages = list(record.get("messages") or [])
    place = {str(m.get("id")): i + 1 for i, m in enumerate(messages)}
    parts = [f"<h1>{escape(str(record.get('title') or ''))}</h1>", _line([escape(names)])]
    if about and record.get("resource"):
        parts.append(
            _line([_("About: {title}").format(title=inner_link("resource", str(record["resource"]), about))])
        )
    for number, summary in enumerate(record.get("summaries") or [], 1):
        cites = [str(c) for c in summary.get("cites") or []]
        body = cited(str(summary.get("body") or ""), len(cites), f"cite-{number}-")
        for n, message in enumerate(cites, 1):
            target = f"message-{place[message]}" if message in place else ""
            old = f'href="#cite-{number}-{n}"'
            body = body.replace(old, f'href="#{target}"' if target else "")
        parts.append(_label(_("Summary")) + f"{body}")
    if messages:
        parts.append("<hr>")
    for number, message in enumerate(messages, 1):
        parts.append(_message(message, number))
    for reply in pending:
        words = " · ".join((_("You"), outbox_state(str(reply["state"])), ago(str(reply["created"]))))
        parts.append(_author(_("Your reply")) + f'<p class="pending">{escape(words)}</p>')
        parts.append(paragraphs(str(reply["body"])))
    return Page(wrap("".join(parts), lang), [], lang)


def _message(message: Mapping[str, Any], number: int) -> str:
    category = CATEGORIES.get(str(message.get("category") or ""), "")
    who = f'<p class="author"><a name="message-{number}"></a>{escape(str(message.get("author") or ""))}</p>'
    line = _line([f"[{number}]", escape(_(category)), escape(date(str(message.get("created") or "")))], "small")
    return who + line + paragraphs(str(message.get("body") or ""))


def person(record: Mapping[str, Any], names: Mapping[str, str]) -> Page:
    """An expert: who they are, where, in which languages, on what."""
    lang = str(record.get("lang") or "")
    role = [escape(str(record.get("role") or ""))]
    if name := str(record.get("organisation_name") or ""):
        role.append(inner_link("organisation", str(record.get("organisation") or ""), name))
    parts = [f"<h1>{escape(str(record.get('name') or ''))}</h1>", _line(role)]
    parts.append(paragraphs(str(record.get("bio") or "")))
    for words, value in (
        (_("Themes"), names.get("themes", "")),
        (_("Languages"), names.get("languages", "")),
        (_("Countries"), names.get("countries", "")),
    ):
        if value:
            parts.append(f'<p class="label">{escape(words)}</p><p>{escape(value)}</p>')
    return Page(wrap("".join(parts), lang), [], lang)


def organisation(record: Mapping[str, Any], country: str = "") -> Page:
    """An organisation: what it does, where, its address outside."""
    lang = str(record.get("lang") or "")
    parts = [f"<h1>{escape(str(record.get('name') or ''))}</h1>", _line([escape(country)])]
    parts += [paragraphs(str(record.get("summary") or "")), _line([link(str(record.get("url") or ""))])]
    return Page(wrap("".join(parts), lang), [], lang)


def event(record: Mapping[str, Any], themes: str = "") -> Page:
    """An event: when, where, about what."""
    lang = str(record.get("lang") or "")
    where = _("Online") if record.get("online") else str(record.get("place") or "")
    if record.get("online") and record.get("place"):
        where = f"{where} · {record['place']}"
    when = day_range(str(record.get("starts") or ""), str(record.get("ends") or ""))
    parts = [f"<h1>{escape(str(record.get('title') or ''))}</h1>"]
    parts += [_line([escape(when), escape(where)]), _line([escape(themes)])]
    parts += [paragraphs(str(record.get("summary") or "")), _line([link(str(record.get("url") or ""))])]
    return Page(wrap("".join(parts), lang), [], lang)
