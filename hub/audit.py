"""The audit trail: who did what to which record. Ids and kinds only, never what somebody wrote."""

from __future__ import annotations

from .models import AuditEvent


def record(kind: str, *, actor: str, target: str) -> None:
    """Add an entry inside the caller's transaction. ``actor``: a member id, a username, "command-line"."""
    AuditEvent.objects.create(kind=kind[:64], actor=actor[:64], target=target[:200])
