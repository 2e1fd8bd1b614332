"""Reports to the moderators: taken in from members, and handled by facilitators (docs/protocol.md, 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from . import audit, personal_feed
from .models import Member, Message, PublicState, Report, ReportReason, Resource, Thread
from .times import to_wire

MOST_A_DAY = 10
"""Reports that a member may send within 24 hours."""


class ReportRefused(Exception):
    """A report that will not be taken; ``code`` is that of the problem, the text its title."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(title)
        self.code = code


def receive(member: Member, id_: str, target: str, reason: object, words: str) -> Report:
    """Store a report of a published message or resource. Raises ReportRefused."""
    if reason not in ReportReason.values:
        raise ReportRefused("bad-field", "“reason” is wrong, offensive, private, spam or other.")
    message = Message.objects.filter(
        pk=target, state=Message.State.PUBLISHED, thread__state=PublicState.PUBLISHED
    ).first()
    resource = None if message else Resource.objects.filter(pk=target, state=PublicState.PUBLISHED).first()
    if message is None and resource is None:
        raise ReportRefused("report-gone", "What this is about is no longer on the hub.")
    # The member's row is locked first, so that two devices at once cannot pass the limit together.
    Member.objects.select_for_update().only("id").get(pk=member.pk)
    mine = Report.objects.filter(member=member)
    if mine.filter(target=target, state=Report.State.OPEN).exists():
        raise ReportRefused("reported-already", "You have reported this already; moderators will look at it.")
    if mine.filter(created__gt=timezone.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        raise ReportRefused("too-many-reports", f"The hub takes {MOST_A_DAY} reports a day from one member.")
    return Report.objects.create(
        id=id_, member=member, target=target, message=message, resource=resource, reason=str(reason), words=words
    )


def handle(report_id: str, outcome: str, actor: str) -> int:
    """Close a report and all others of the same target that are open, with an outcome of ``Report.State``.

    ``removed`` takes the message out of the discussion with the next publication. Each reporter is told through
    their own feed. Returns how many were closed: 0 where somebody else was faster. Raises ValueError for a
    resource that is to be removed: what became of it is said in its own form.
    """
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        if report.state != Report.State.OPEN:
            return 0
        now = timezone.now()
        if outcome == Report.State.REMOVED:
            if report.resource_id or not report.message_id:
                raise ValueError("only a message can be removed from its report")
            Message.objects.filter(pk=report.message_id).update(state=Message.State.REMOVED, updated=now)
            Thread.objects.filter(messages=report.message_id).update(updated=now)
            audit.record("message-removed", actor=actor, target=report.target)
        same = Report.objects.select_for_update().select_related("member")
        closing = list(same.filter(target=report.target, state=Report.State.OPEN).order_by("pk"))
        for one in closing:
            one.state, one.handled, one.handled_by = outcome, now, actor[:150]
            one.save(update_fields=["state", "handled", "handled_by"])
            audit.record(f"report-{outcome}", actor=actor, target=one.pk)
            personal_feed.append(one.member, item(one))
        return len(closing)


def item(report: Report) -> dict[str, Any]:
    """The wire record of a report, as its reporter gets it."""
    record: dict[str, Any] = {
        "id": report.id,
        "type": "report",
        "target": report.target,
        "state": report.state,
        "created": to_wire(report.created),
    }
    if report.handled is not None:
        record["updated"] = to_wire(report.handled)
    return record


def waiting() -> Mapping[str, Any]:
    """What the first page of the admin says: the oldest open reports, and how many there are."""
    found = Report.objects.filter(state=Report.State.OPEN).order_by("created", "id")
    return {"reports": found.select_related("message", "resource")[:8], "report_count": found.count()}
