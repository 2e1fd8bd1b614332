"""The hub's data. Saving a model is all that publishing needs: the sealer finds what differs."""

from .catalogue import (
    Collection,
    Edition,
    PolicyCycle,
    PublicState,
    Resource,
    ResourceIdentifier,
    ResourceTheme,
    ResourceTranslation,
    Source,
    StoredFile,
    Theme,
)
from .community import Message, Summary, SummaryCitation, Thread
from .delivery import HubState, Segment, Stream, StreamRecord
from .devices import Device, Invitation, Operation, PersonalItem
from .people import AuditEvent, Event, ExpertProfile, Member, MemberCategory, Organisation
from .requests import ALLOWED_TRANSITIONS, Request, RequestKind, RequestReply, RequestState

__all__ = [
    "ALLOWED_TRANSITIONS",
    "AuditEvent",
    "Collection",
    "Device",
    "Edition",
    "Event",
    "ExpertProfile",
    "HubState",
    "Invitation",
    "Member",
    "MemberCategory",
    "Message",
    "Operation",
    "Organisation",
    "PersonalItem",
    "PolicyCycle",
    "PublicState",
    "Request",
    "RequestKind",
    "RequestReply",
    "RequestState",
    "Resource",
    "ResourceIdentifier",
    "ResourceTheme",
    "ResourceTranslation",
    "Segment",
    "Source",
    "StoredFile",
    "Stream",
    "StreamRecord",
    "Summary",
    "SummaryCitation",
    "Theme",
    "Thread",
]
