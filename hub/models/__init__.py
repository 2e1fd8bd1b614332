"""The hub's data. Saving a row, by whatever means, is all that publishing needs: triggers mark what changed."""

from .by_hand import ByHand
from .catalogue import (
    Collection,
    Edition,
    NoticeKind,
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
from .delivery import FeedState, HubState, ServedName, Stream, StreamRecord, Touched
from .devices import Device, Invitation, KeyGrant, Operation, PersonalItem, SiteCode
from .harvest import Harvest, InboxItem
from .people import AuditEvent, Event, ExpertProfile, Member, MemberCategory, Organisation
from .reports import Report, ReportReason
from .requests import ALLOWED_TRANSITIONS, Request, RequestKind, RequestReply, RequestState, Satisfaction
from .vocabularies import Concept, Vocabulary

__all__ = [
    "ALLOWED_TRANSITIONS",
    "AuditEvent",
    "Collection",
    "Concept",
    "ByHand",
    "Device",
    "Edition",
    "Event",
    "ExpertProfile",
    "FeedState",
    "Harvest",
    "HubState",
    "InboxItem",
    "Invitation",
    "KeyGrant",
    "Member",
    "MemberCategory",
    "Message",
    "NoticeKind",
    "Operation",
    "Organisation",
    "PersonalItem",
    "PolicyCycle",
    "PublicState",
    "Report",
    "ReportReason",
    "Request",
    "RequestKind",
    "RequestReply",
    "RequestState",
    "Resource",
    "ResourceIdentifier",
    "ResourceTheme",
    "ResourceTranslation",
    "Satisfaction",
    "ServedName",
    "SiteCode",
    "Source",
    "StoredFile",
    "Stream",
    "StreamRecord",
    "Summary",
    "SummaryCitation",
    "Theme",
    "Thread",
    "Touched",
    "Vocabulary",
]
