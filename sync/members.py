"""This shelf's access to what only members may read: its keys, and the link that shows whose device asks.

Without access nothing of this is used; what is public goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace

from resources_cache.files import FileStore
from sync.cancel import Cancel
from sync.errors import SecretsUnusable
from sync.mirrors import ConnectMirror, Mirrored, connect_mirror
from sync.objects import fetch_object
from sync.protocol.errors import WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.sealed import keyring
from sync.protocol.wire_json import sha256
from sync.secrets import Secrets
from sync.traffic import Traffic
from sync.transport import Reply, Request, Transport

_KEPT = 2
"""Keys: the newest and the one before, under which a carrier may still hold something."""


class MemberAccess:
    """The keys of one shelf, and `link`, by which sealed objects come: from mirrors, or from the hub by token."""

    def __init__(
        self, secrets: Secrets, hub: Transport, mirrors: Sequence[str], connect: ConnectMirror = connect_mirror
    ) -> None:
        self._secrets = secrets
        self._badge = _Badge(hub)
        self.link = Mirrored(self._badge, mirrors, connect)
        self.keys: dict[str, bytes] = {}
        """By id, the newest last."""

    def begin(self, token: str | None) -> None:
        """Ask with the device's `token` from now on, and read the keys; a guest (None) has none."""
        self._badge.token = token or ""
        if token:
            with suppress(SecretsUnusable):  # the hub is asked for them again
                self.keys = self._secrets.member_keys()

    @property
    def ids(self) -> list[str]:
        """What the hub is told: the id of the newest key."""
        return list(self.keys)[-1:]

    def take(self, given: Sequence[str]) -> None:
        """Keep keys that the hub gave (64 hexadecimal characters each, the newest first). Raises Malformed."""
        if not given:
            return
        fresh = dict(reversed(keyring(given).items()))
        known = {name: key for name, key in self.keys.items() if name not in fresh}
        self.keys = dict(list({**known, **fresh}.items())[-_KEPT:])
        with suppress(SecretsUnusable):  # they serve this sync, and are asked for again in the next
            self._secrets.keep_member_keys(self.keys.values())

    def forget(self) -> None:
        """Remove the keys; the planner has the streams dropped."""
        self.keys = {}
        with suppress(SecretsUnusable):  # they open nothing that is published from now on
            self._secrets.forget_member_keys()

    def document(self, ref: ObjectRef, incoming: FileStore, cancel: Cancel | None) -> bytes:
        """Return the sealed bytes of a document, which came behind an answer or are fetched now.

        Raises WrongHash, and what `sync.objects.Ranges.bring` raises.
        """
        return self.link.from_anywhere(lambda: self._bring(ref, incoming, cancel))

    def _bring(self, ref: ObjectRef, incoming: FileStore, cancel: Cancel | None) -> bytes:
        here = incoming.partial_size(ref.hash) == ref.size
        partial = fetch_object(self.link, incoming, ref, cancel)
        data = partial.path.read_bytes()
        partial.discard()  # it is kept among the documents, or of no use
        if sha256(data) == ref.hash:
            return data
        if here:  # what came behind an answer was damaged
            return self._bring(ref, incoming, cancel)
        raise WrongHash("A document does not match its name, so it was not used.")


class _Badge:
    """A transport to the hub that shows the device's token with each request."""

    def __init__(self, hub: Transport) -> None:
        self._hub = hub
        self.token = ""

    @property
    def traffic(self) -> Traffic:
        return self._hub.traffic

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        opened: AbstractContextManager[Reply] = self._hub.open(
            replace(request, headers={**request.headers, **shown})
        )
        with opened as reply:
            yield reply

    def interrupt(self) -> None:
        self._hub.interrupt()

    def close(self) -> None:
        """Nothing is its own to close."""
