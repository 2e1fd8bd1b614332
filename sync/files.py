"""Documents that a person opens: fetched alone, resumed at the byte, verified before they are there.

Where an older version of the file is on the shelf, only what differs is fetched; with any doubt, all of it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from resources_cache.errors import FileDamaged, NotFound
from resources_cache.files import FileStore, Partial
from resources_cache.own import Own
from sync.answers import require
from sync.cancel import Cancel
from sync.errors import Cancelled, CaptivePortal, CutOff, HubProblem, NotEnrolled, NotTrusted, Offline, SyncError
from sync.home import Home
from sync.machine.taking import bring_file
from sync.mirror_choice import MirrorChoice
from sync.mirrors import Mirrored, addresses, connect_mirror
from sync.neighbours.giving import near
from sync.objects import WORTHWHILE, Arrived, fetch_object
from sync.protocol import file_deltas, limits, uploads
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.paths import delta_path
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback
from sync.traffic import Traffic
from sync.transport import Reply, Request, Transport

Connect = Callable[[str | None], Transport]
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


def fetch_file(
    home: Home,
    hash_: str,
    size: int,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
    *,
    replaces: str = "",
    private: bool = False,
    store: FileStore | None = None,
    connect: Connect | None = None,
    first: Sequence[str] = (),
) -> Path:
    """Return the path of a file by its SHA-256 and size in bytes, fetching what is missing of it.

    `replaces`: the SHA-256 of the version before it, "" for none; where that is here, what differs is asked for
    first, and the progress counts the bytes of that. `private`: it goes with one's own request or an answer to it,
    and is asked for as the member whose shelf this is. `store`: where it goes, if not among the person's files.
    `first`: addresses of mirrors to be asked before others. What was read least recently and is not pinned makes
    room.
    What it cost is kept in the history. Raises SyncError (Offline, CaptivePortal, HubProblem, NotEnrolled,
    Cancelled, NotTrusted for a name or size that no hub gives) and CacheError (FileDamaged, QuotaExceeded,
    DiskFull).
    """
    if not is_digest(hash_) or not 0 <= size <= (uploads.FILE if private else limits.FILE):
        raise NotTrusted("The record names a file that no hub can have.")
    store = store or home.files()
    with _alone(home, hash_):
        if store.has(hash_):
            return store.path(hash_)
        if not private and (found := bring_file(home, store, ObjectRef(hash_, size))) is not None:
            return found
        how = connect or home.connect
        return _fetch(home, store, ObjectRef(hash_, size), progress, cancel, replaces, how, private, first)


def _fetch(
    home: Home,
    store: FileStore,
    ref: ObjectRef,
    progress: ProgressCallback | None,
    cancel: Cancel | None,
    replaces: str,
    connect: Connect,
    private: bool,
    first: Sequence[str],
) -> Path:
    hash_ = ref.hash
    transport = _as_member(home, connect) if private else connect(home.hub_url)
    with home.own() as own:
        choice = MirrorChoice() if private else MirrorChoice.of(own)
        neighbours = [] if private else near(own)
        network = home.network(own)

    def mirror(address: str, traffic: Traffic) -> Transport:
        # What comes from a neighbour is paid by nobody.
        return connect_mirror(address, Traffic() if address in neighbours else traffic, network)

    link = Mirrored(transport, addresses([*neighbours, *first, *choice.order()]), mirror, learner=choice)
    forget = cancel.watch(link.interrupt) if cancel is not None else None
    delta = _Delta(transport, store, replaces, ref, cancel)
    with home.own() as own:
        try:
            path = delta.bring(progress) if delta.is_possible() else None
            if path is None:
                path = _whole(link, store, ref, cancel, progress)
        except SyncError:
            if cancel is not None and cancel.cancelled:
                raise Cancelled("The download was stopped, as asked.") from None
            raise
        finally:
            _account(own, transport)
            choice.keep(own)
            link.close()
            transport.close()
            if forget is not None:
                forget()
        delta.forget()
        store.evict(own.pins() | {hash_})
    return path


def _whole(
    link: Mirrored, store: FileStore, ref: ObjectRef, cancel: Cancel | None, progress: ProgressCallback | None
) -> Path:
    """Fetch all that is missing, from mirrors as far as they can give it. Raises FileDamaged where the hub's own
    bytes are wrong."""

    def fetch() -> None:
        fetch_object(link, store, ref, cancel, _told(progress, store.partial_size(ref.hash), ref.size))

    from_mirrors = link.has_mirrors
    while True:
        link.from_anywhere(fetch)
        try:
            with store.partial(ref.hash, ref.size) as partial:
                return partial.finish()
        except FileDamaged:
            if not from_mirrors:
                raise
            from_mirrors = False
            link.leave_mirrors()


def _as_member(home: Home, connect: Connect) -> Transport:
    """The hub's link on which files are asked for where a member's own lie. Raises NotEnrolled, CacheError."""
    token = home.secrets().token()
    if not token or home.hub_url is None:
        raise NotEnrolled("This shelf belongs to no member, so it has no files of one.")
    return _Private(connect(home.hub_url), token)


class _Private:
    """A transport to the hub that asks for objects as a member's attachments, showing the device's token."""

    def __init__(self, hub: Transport, token: str) -> None:
        self._hub = hub
        self._shown = {"Authorization": f"Bearer {token}"}

    @property
    def traffic(self) -> Traffic:
        return self._hub.traffic

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        path = uploads.attachment_path(request.path.rpartition("/")[2])
        opened: AbstractContextManager[Reply] = self._hub.open(
            replace(request, path=path, headers={**request.headers, **self._shown})
        )
        with opened as reply:
            yield reply

    def interrupt(self) -> None:
        self._hub.interrupt()

    def close(self) -> None:
        self._hub.close()


_locks: WeakValueDictionary[tuple[Path, str], _Lock] = WeakValueDictionary()
_locks_lock = threading.Lock()


class _Lock:
    """A lock that can be held weakly."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@contextmanager
def _alone(home: Home, hash_: str) -> Iterator[None]:
    """One thread of this program at a time fetches a file: two that append to it would spoil it for each other."""
    with _locks_lock:
        mine = _locks.setdefault((home.path, hash_), _Lock())
    with mine.lock:
        yield


@dataclass(frozen=True)
class _Delta:
    """The way to the file `new` from the one named `old`: fetched aside under a name of its own, then applied."""

    transport: Transport
    store: FileStore
    old: str
    new: ObjectRef
    cancel: Cancel | None

    def is_possible(self) -> bool:
        """Whether the old file is here, neither is too large, and nothing of the whole new one has come yet."""
        if not is_digest(self.old) or self.old == self.new.hash or not self.store.has(self.old):
            return False
        try:
            old_size = self.store.path(self.old).stat().st_size
        except (NotFound, OSError):
            return False
        return file_deltas.may_differ(old_size, self.new.size) and not self.store.partial_size(self.new.hash)

    def bring(self, progress: ProgressCallback | None) -> Path | None:
        """Return the path of the new file, verified, or None where it has to be fetched whole.

        Raises Offline and Cancelled, after which the next call goes on, and CacheError.
        """
        try:
            partial = self._fetch(progress)
            # Into memory, twice the bound at most: nothing may look like a part of the new file but its own bytes.
            old = self.store.path(self.old).read_bytes()
            data = file_deltas.apply(partial.path.read_bytes(), old, self.new)
        except (HubProblem, CaptivePortal):
            return None  # what came of it may still be good
        except (ProtocolError, NotTrusted, FileDamaged, NotFound, OSError, MemoryError):
            self.forget()
            return None
        return self.store.path(self.store.put(data))

    def forget(self) -> None:
        """Remove what came of it."""
        if self._name in self.store.partials():
            with self.store.partial(self._name, self._most) as partial:
                partial.discard()

    @property
    def _name(self) -> str:
        return file_deltas.delta_name(self.old, self.new.hash)

    @property
    def _most(self) -> int:
        return file_deltas.most(self.new.size)

    def _fetch(self, progress: ProgressCallback | None) -> Partial:
        with self.store.partial(self._name, self._most) as partial:
            while True:
                before = partial.offset
                try:
                    self._attempt(partial, progress)
                    return partial
                except Offline:
                    if self.cancel is not None:
                        self.cancel.check()
                    # As for any object: a cut that came some way into the attempt is answered at once.
                    if partial.offset - before < WORTHWHILE:
                        raise

    def _attempt(self, partial: Partial, progress: ProgressCallback | None) -> None:
        # How long it is, only the answer tells. The last byte is asked for again: that range is there even where
        # all has come.
        start = max(0, partial.offset - 1)
        headers = {"Range": f"bytes={start}-"} if partial.offset else {}
        with self.transport.open(Request("GET", delta_path(self.old, self.new.hash), headers)) as reply:
            if reply.status == 416:
                raise NotTrusted("The hub has another delta now than the one that began to come.")
            require(reply, 200, 206)
            first, total = _extent(reply, start)
            if not partial.offset <= total <= self._most:
                raise NotTrusted(f"A delta of {total:,} bytes came for a file of {self.new.size:,}.")
            told = _told(progress, partial.offset, total)
            behind = partial.offset - first
            for piece in reply.pieces():
                if self.cancel is not None:
                    self.cancel.check()
                fresh = piece[behind:]
                behind -= len(piece) - len(fresh)
                partial.write(fresh)
                told(len(fresh))
        if partial.offset != total:
            raise CutOff(f"The answer ended after {partial.offset:,} of {total:,} bytes.")


def _extent(reply: Reply, start: int) -> tuple[int, int]:
    """Return where in the delta the body begins, and the size of the delta. Raises NotTrusted."""
    if reply.status == 200:
        announced = reply.headers.get("Content-Length", "").strip()
        if announced.isascii() and announced.isdigit():
            return 0, int(announced[:15])
    found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
    if reply.status == 200 or found is None:
        raise NotTrusted("An answer does not say how long it is.")
    if (int(found[1]), int(found[2])) != (start, int(found[3]) - 1):
        raise NotTrusted("Other bytes than those asked for were offered: no hub answers like that.")
    return start, int(found[3])


def _told(progress: ProgressCallback | None, done: int, total: int) -> Arrived:
    """Return what tells `progress` about bytes that arrive on top of `done`."""

    def arrived(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(Progress("files", done, total))

    return arrived


def _account(own: Own, transport: Transport) -> None:
    traffic = transport.traffic
    own.add_sync(
        {
            "kind": "file",
            "requests": traffic.requests,
            "bytes_up": traffic.up,
            "bytes_down": traffic.down,
        }
    )
