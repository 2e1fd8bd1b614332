"""Headings to begin with, for each kind of question: put below what is written already, never in its place."""

from __future__ import annotations

from desktop.words import N_, _

HEADINGS: dict[str, tuple[str, ...]] = {
    "question": (N_("For whom and where"), N_("What I have tried"), N_("What I still need to know")),
    "helpdesk": (N_("The situation"), N_("What the answer must cover"), N_("What I have already")),
    "resource": (N_("The subject"), N_("Country and language"), N_("From which year on"), N_("What it is for")),
    "practice": (
        N_("What was done"),
        N_("Where and with whom"),
        N_("What it cost"),
        N_("What came of it"),
        N_("What I would do otherwise"),
    ),
}


def headings(kind: str) -> list[str]:
    """The headings of a kind in the window's language, as lines of the text."""
    return [_("{heading}:").format(heading=_(words)) for words in HEADINGS.get(kind, ())]


def begun(text: str, kind: str) -> str:
    """`text` with the kind's headings below it, those that it has already left out."""
    here = {line.strip() for line in text.splitlines()}
    missing = [line for line in headings(kind) if line not in here]
    if not missing:
        return text
    before = f"{text.rstrip()}\n\n" if text.strip() else ""
    return before + "\n\n".join(missing) + "\n"


def filled(text: str) -> str:
    """`text` without those headings, of any kind, under which nothing was written."""
    known = {line for kind in HEADINGS for line in headings(kind)}
    lines = text.strip().splitlines()
    kept = []
    for number, line in enumerate(lines):
        if line.strip() in known:
            after = next((one.strip() for one in lines[number + 1 :] if one.strip()), "")
            if not after or after in known:
                continue
        kept.append(line)
    return "\n".join(kept).strip()
