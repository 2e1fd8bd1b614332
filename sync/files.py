"""Documents that a person opens: fetched alone, resumed at the byte, verified before they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from resources_cache.own import Own
from sync.cancel import Cancel
from sync.errors import Cancelled, NotTrusted, SyncError
from sync.home import Home
from sync.objects import fetch_object
from sync.protocol import limits
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback
from sync.transport import HttpTransport, Transport

Connect = Callable[[str | None], Transport]


def fetch_file(
    home: Home,
    hash_: str,
    size: int,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
    *,
    connect: Connect = HttpTransport,
) -> Path:
    """Return the path of a file by its SHA-256 and size in bytes, fetching what is missing of it.

    What was read least recently and is not pinned makes room. What it cost is kept in the history.
    Raises SyncError (Offline, CaptivePortal, HubProblem, NotEnrolled, Cancelled, NotTrusted for a name or size
    that no hub gives) and CacheError (FileDamaged, QuotaExceeded, DiskFull).
    """
    if not is_digest(hash_) or not 0 <= size <= limits.FILE:
        raise NotTrusted("The record names a file that no hub can have.")
    store = home.files()
    if store.has(hash_):
        return store.path(hash_)
    transport = connect(home.hub_url)
    forget = cancel.watch(transport.interrupt) if cancel is not None else None
    done = store.partial_size(hash_)

    def arrived(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(Progress("files", done, size))

    with home.own() as own:
        try:
            partial = fetch_object(transport, store, ObjectRef(hash_, size), cancel, arrived)
        except SyncError:
            if cancel is not None and cancel.cancelled:
                raise Cancelled("The download was stopped, as asked.") from None
            raise
        finally:
            _account(own, transport)
            transport.close()
            if forget is not None:
                forget()
        with store.partial(partial.hash, size) as whole:
            path = whole.finish()
        store.evict(own.pins() | {hash_})
    return path


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
