"""What a hub offers, with its price, so that a person chooses languages and themes before anything is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from sync.catalogue import fetch_document, get_head, get_root
from sync.errors import NotTrusted, from_wire
from sync.home import Home
from sync.manners import Manners
from sync.protocol import VERSION, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import Index
from sync.protocol.head import root_version, verify_head
from sync.protocol.subscriptions import parts
from sync.protocol.trust import Root, advance, pin
from sync.transport import Transport

Connect = Callable[[str | None], Transport]


@dataclass(frozen=True)
class StreamOffer:
    """One stream: its name, tier, language and theme ("" where it has none), bytes to fetch, and records."""

    name: str
    tier: str
    lang: str
    theme: str
    bytes: int
    records: int


def offers(home: Home, *, connect: Connect | None = None) -> list[StreamOffer]:
    """Return what the hub offers: from this computer where its newest known index is here, else fetched.

    Raises NotEnrolled, Offline, CaptivePortal, HubProblem, NotTrusted, BudgetReached (what may be moved
    today is spent), CacheError.
    """
    with home.own() as own, home.library() as library:
        try:
            how = connect or home.connect
            index = _kept_index(own, library) or _fetched_index(own, library, home.incoming(), how)
        except ProtocolError as error:
            raise from_wire(error) from error
    found = []
    for stream in (stream for feed in index.feeds for stream in feed.streams):
        tier, lang, theme = parts(stream.name)
        if tier:
            found.append(StreamOffer(stream.name, tier, lang, theme, stream.size, stream.records))
    return found


def _kept_index(own: Own, library: Library) -> Index | None:
    stored = library.head()
    if stored is None:
        return None
    try:
        head = verify_head(stored.body, _root(own), (0, 0), VERSION)
    except ProtocolError:
        return None
    body = library.document(head.index.hash)
    return None if body is None else Index.from_bytes(body)


def _fetched_index(own: Own, library: Library, incoming: FileStore, connect: Connect) -> Index:
    transport = connect(own.setting("hub_url"))
    transport.traffic.allow(Manners.of(own).left_today)
    try:
        root = _root(own)
        document = get_head(transport, None)
        assert document is not None, "a head was asked for without a known one"
        while root.version < root_version(document):
            root = advance(root, get_root(transport, root.version + 1))
        seen = own.setting("head_seen")
        head = verify_head(document, root, (seen[0], seen[1]) if seen else (0, 0), VERSION)
        body = fetch_document(transport, incoming, head.index, limits.DOCUMENT)
        # The sync that follows finds it here and does not fetch it again.
        library.save_document(head.index.hash, body)
        return Index.from_bytes(body)
    finally:
        traffic = transport.traffic
        own.add_sync(
            {"kind": "offers", "requests": traffic.requests, "bytes_up": traffic.up, "bytes_down": traffic.down}
        )
        transport.close()


def _root(own: Own) -> Root:
    document = own.setting("root")
    if not isinstance(document, str):
        raise NotTrusted("This shelf does not know the keys of its hub, so it can believe nobody.")
    return pin(document.encode())
