"""The words and icons of states and kinds: the outbox's six, a request's life on the hub, and what a record is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.words import N_, _

# state → (word, icon, colour name of the theme)
OUTBOX_STATES: dict[str, tuple[str, str, str]] = {
    "draft": (N_("Draft"), "draft", "muted"),
    "waiting": (N_("Waiting for a connection"), "clock", "muted"),
    "sending": (N_("Sending"), "send", "accent"),
    "received": (N_("Received by the hub"), "check", "good"),
    "answered": (N_("Answered"), "answer", "good"),
    "attention": (N_("Needs your attention"), "attention", "warn"),
}
REQUEST_STATES: dict[str, str] = {
    "submitted": N_("Received by the hub"),
    "triaged": N_("Read by the team"),
    "scoped": N_("Being scoped"),
    "assigned": N_("Given to an expert"),
    "in-progress": N_("Being worked on"),
    "waiting": N_("Waiting for you"),
    "delivered": N_("Answered"),
    "closed": N_("Closed"),
    "declined": N_("Declined"),
}
ASK_KINDS: dict[str, tuple[str, str]] = {
    "question": (N_("Question to the community"), "discussions"),
    "helpdesk": (N_("Helpdesk request"), "helpdesk"),
    "resource": (N_("Request for a resource"), "library"),
    "practice": (N_("A practice to share"), "practice"),
}
RECORD_KINDS: dict[str, tuple[str, str]] = {
    "resource": (N_("Resource"), "library"),
    "thread": (N_("Discussion"), "discussions"),
    "summary": (N_("Summary"), "text"),
    "expert": (N_("Expert"), "people"),
    "organisation": (N_("Organisation"), "organisation"),
    "event": (N_("Event"), "calendar"),
    "request": (N_("Your request"), "ask"),
    "reply": (N_("Reply"), "answer"),
    "note": (N_("Your note"), "draft"),
    "item": (N_("In your outbox"), "outbox"),
}
RESOURCE_TYPES: dict[str, str] = {
    "guide": N_("Guide"),
    "toolkit": N_("Toolkit"),
    "policy-brief": N_("Policy brief"),
    "report": N_("Report"),
    "study": N_("Study"),
    "case-study": N_("Case study"),
    "dataset": N_("Dataset"),
    "curriculum": N_("Curriculum"),
    "article": N_("Article"),
    "book": N_("Book"),
    "project": N_("Project"),
}
POLICY_CYCLE: dict[str, str] = {
    "advocacy": N_("Advocacy"),
    "assessment": N_("Assessment"),
    "development": N_("Development"),
    "implementation": N_("Implementation"),
}
ACTIVITIES: dict[str, str] = {
    "planning": N_("Planning"),
    "implementation": N_("Implementation"),
    "research": N_("Research"),
}
CATEGORIES: dict[str, str] = {
    "government-policymaker": N_("Government"),
    "researcher": N_("Research"),
    "foundation-donor": N_("Foundation or donor"),
    "ngo-advocacy": N_("NGO"),
    "private-sector": N_("Private sector"),
    "administrator-teacher": N_("Administration and teaching"),
}
SYNC_PHASES: dict[str, str] = {
    "connecting": N_("Looking for the hub"),
    "sending": N_("Sending what you wrote"),
    "catalogue": N_("Fetching what is new"),
    "applying": N_("Putting it on the shelf"),
    "files": N_("Fetching files"),
    "done": N_("Done"),
}


def outbox_state(state: str) -> str:
    """The words for an outbox state."""
    return _(OUTBOX_STATES[state][0])


def request_state(state: str) -> str:
    """The words for a request's state on the hub; an unknown state is shown as it came."""
    return _(REQUEST_STATES.get(state, state))


def ask_kind(kind: str) -> str:
    """The words for what is asked."""
    return _(ASK_KINDS[kind][0]) if kind in ASK_KINDS else kind


def item_kind(kind: str, body: Mapping[str, Any]) -> str:
    """The words for what an item of the outbox is."""
    if kind == "reply":
        return _("Reply")
    if kind == "rate":
        return _("What you say of an answer")
    if kind == "introduce":
        return _("Who you are")
    if kind == "report":
        return _("Report to the moderators")
    return ask_kind(str(body.get("kind") or "question"))


def record_kind(kind: str) -> str:
    """The words for a kind of record."""
    return _(RECORD_KINDS[kind][0]) if kind in RECORD_KINDS else kind


def term(table: dict[str, str], slug: str) -> str:
    """A term of one of the tables above; one that is not in it is shown readably (`case-study` → `Case study`)."""
    return _(table[slug]) if slug in table else slug.replace("-", " ").capitalize()
