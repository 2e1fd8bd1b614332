"""What a member may ask, checked before it is queued: the same bounds that the hub applies later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sync.errors import SyncError
from sync.protocol import limits

KINDS = ("question", "helpdesk", "resource", "practice")
SATISFIED = ("yes", "partly", "no")
REASONS = ("wrong", "offensive", "private", "spam", "other")


class NotAQuestion(SyncError):
    """Something is missing in what was written; nothing was queued."""

    code = "not-a-question"
    advice = "Correct it and send again; what you wrote is kept."


def checked_question(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an `ask` with its texts trimmed.

    Keys: kind (one of KINDS), title (1 to 500 characters), body (up to 40,000), lang (BCP 47), themes (slugs),
    needed_by (YYYY-MM-DD or empty), decision, confidential, anonymous. Raises NotAQuestion.
    """
    checked = dict(body)
    for key, most in (("title", limits.TITLE), ("body", limits.BODY), ("decision", limits.BODY)):
        text = str(checked.get(key) or "").replace("\x00", "").strip()
        if len(text) > most:
            raise NotAQuestion(f"The {key} has {len(text)} characters; {most} can be sent.")
        checked[key] = text
    if not checked["title"]:
        raise NotAQuestion("A question needs a title: one line that says what you want to know.")
    if checked.get("kind", "question") not in KINDS:
        raise NotAQuestion(f"“{checked['kind']}” is not a kind of question that hubs know.")
    needed_by = checked.get("needed_by")
    if needed_by:
        try:
            date.fromisoformat(str(needed_by))
        except ValueError:
            raise NotAQuestion(f"“{needed_by}” is not a date; write it like 2026-05-03.") from None
    return {key: value for key, value in checked.items() if value not in ("", None, [])}


def checked_rating(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a `rate`: target (the request), satisfied (one of SATISFIED), publish, and body where
    there is any (words, up to 40,000 characters). Raises NotAQuestion.
    """
    words = str(body.get("body") or "").replace("\x00", "").strip()
    if len(words) > limits.BODY:
        raise NotAQuestion(f"The text has {len(words)} characters; {limits.BODY} can be sent.")
    if body.get("satisfied") not in SATISFIED:
        raise NotAQuestion("Say first whether the answer helped: yes, partly or no.")
    checked = {
        "target": str(body["target"]),
        "satisfied": body["satisfied"],
        "publish": body.get("publish") is True,
    }
    return {**checked, "body": words} if words else checked


def checked_report(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a `report`: target (a message or resource), reason (one of REASONS), and body where there
    is any (words, up to 2,000 characters). Raises NotAQuestion.
    """
    words = str(body.get("body") or "").replace("\x00", "").strip()
    if len(words) > limits.REPORT:
        raise NotAQuestion(f"The text has {len(words)} characters; {limits.REPORT} can be sent.")
    if body.get("reason") not in REASONS or not body.get("target"):
        raise NotAQuestion("Say first what is wrong with it.")
    checked = {"target": str(body["target"]), "reason": body["reason"]}
    return {**checked, "body": words} if words else checked
