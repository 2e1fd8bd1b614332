"""What a shelf takes from the library of its machine before it asks its hub, and what it hands in for others.

To the engine the library is a neighbour (`sync.neighbours`) that is read from a folder: what it gives is verified
like anything else, what it lacks the hub has, and nothing that is wrong with it stops a sync.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Literal

from resources_cache.errors import CacheError
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.errors import SyncError
from sync.home import Home
from sync.machine import place as places
from sync.machine.place import Place
from sync.neighbours.giving import may_be_given
from sync.packs.transport import PackGone, answer_from, missing_answer
from sync.protocol import VERSION, documents, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef, root_version, verify_head
from sync.protocol.neighbours import OBJECT_MOST
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS, ROOT
from sync.protocol.trust import Root, pin
from sync.protocol.wire_json import is_digest, sha256
from sync.report import ProgressCallback, SyncReport
from sync.traffic import Traffic
from sync.transport import Reply, Request

KIND: Literal["machine"] = "machine"
"""What a report in the history is of, where the library of the machine gave something."""
_BLOCK = 1 << 20


class MachineLibrary:
    """The library of a machine as a `sync.transport.Transport`: it answers the requests of the public plane."""

    def __init__(self, of: Place) -> None:
        self.traffic = Traffic()
        """Stays empty: nothing here goes over a link."""
        self._of = of
        self._stopped = False

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """As `Transport.open`; raises PackGone once it was interrupted."""
        if self._stopped:
            raise PackGone("Reading the library of this PC was stopped.")
        body = self._found(request.path) if request.method == "GET" else None
        yield missing_answer() if body is None else answer_from(request, BytesIO(body), len(body))

    def interrupt(self) -> None:
        self._stopped = True

    def close(self) -> None:
        """Nothing is held open."""

    def _found(self, path: str) -> bytes | None:
        folder, _slash, name = path.rpartition("/")
        kind = f"{folder}/"
        if path == HEAD:
            return places.read(self._of.head, limits.HEAD)
        if kind == ROOT:
            document = places.read(self._of.root, limits.ROOT)
            return document if document is not None and _is_version(document, name) else None
        if kind not in (DOCUMENTS, OBJECTS) or not is_digest(name):
            return None
        data = places.read(self._of.named("objects", name), OBJECT_MOST)
        if data is None or sha256(data) != name:
            return None
        return documents.pack(data) if kind == DOCUMENTS else data


def take(
    home: Home,
    own: Own,
    library: Library,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
) -> SyncReport | None:
    """Take what the library of this machine has and the shelf has not; None where there is nothing new in it.

    The caller keeps other syncs of the shelf out. Raises nothing but Cancelled.
    """
    from sync.running import Run  # which uses what is in this folder's other modules

    of, run = places.place(home.policies), None
    try:
        if of is None or not _has_news(of, own, library):
            return None
        run = Run(home, library, own, MachineLibrary(of), cancel, progress, 0.0, carried=KIND)
        try:
            report = run.to_the_end()
        except (SyncError, CacheError, ProtocolError):
            if cancel is not None:
                cancel.check()
            report = run.report  # what is not here, the hub has
        if report.records:
            run.keep(report)
        return report
    except (CacheError, ProtocolError):
        return None
    finally:
        if run is not None:
            run.close()


def bring_file(home: Home, store: FileStore, ref: ObjectRef) -> Path | None:
    """Return the path of a file that the library of this machine has, once it is verified and in `store`.

    None where it is not there. Raises CacheError.
    """
    of = places.place(home.policies)
    handle = None if of is None else places.opened(of.named("files", ref.hash), ref.size)
    if handle is None:
        return None
    with os.fdopen(handle, "rb") as source, store.partial(ref.hash, ref.size) as partial:
        if os.fstat(source.fileno()).st_size != ref.size:
            return None
        source.seek(partial.offset)
        while block := source.read(_BLOCK):
            partial.write(block)
        try:
            return partial.finish()
        except CacheError:
            return None  # and nothing of it is left: the hub is asked


def hand_in(home: Home, hash_: str, resource: str, path: Path) -> bool:
    """Give a downloaded file to the library of this machine; whether it was left for who keeps that.

    Only what everybody may have is given: the file of a public record that says so, or (`resource` "") of the
    program's versions. Nobody can see afterwards who had it. What goes wrong is nobody's concern.
    """
    of = places.place(home.policies)
    if of is None or not of.handed_in.is_dir() or of.named("files", hash_).exists():
        return False
    aside = of.handed_in / f"coming-{secrets.token_hex(8)}"
    try:
        if path.stat().st_size > of.quota:
            return False
        if resource:
            with home.library() as library:
                if not may_be_given(library, resource, hash_):
                    return False
        with path.open("rb") as source, aside.open("xb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        aside.chmod(0o644)
        aside.rename(of.handed_in / handed_name(hash_, resource))
        return True
    except (OSError, CacheError):
        with suppress(OSError):
            aside.unlink()
        return False


def handed_name(hash_: str, resource: str) -> str:
    """What a file is called that is handed in: by its hash and the record that it belongs to."""
    return f"{hash_}-{resource.encode().hex()}"


def _has_news(of: Place, own: Own, library: Library) -> bool:
    """Whether its head is one that this shelf can believe and has not all of."""
    document, stored, kept = places.read(of.head, limits.HEAD), library.head(), own.setting("root")
    if document is None or not isinstance(kept, str):
        return False
    order = (0, 0) if stored is None else (stored.epoch, stored.version)
    complete = own.setting("complete_at")
    is_complete = isinstance(complete, list) and tuple(complete[:2]) == order
    try:
        root: Root = pin(kept.encode())
        if root_version(document) > root.version:
            return True  # a newer root, which the engine goes forward to, or not
        found = verify_head(document, root, order, VERSION).order
    except ProtocolError:
        return False
    return found > order or not is_complete


def _is_version(document: bytes, name: str) -> bool:
    try:
        return name == str(pin(document).version)
    except ProtocolError:
        return False
