"""The sealer: commits what changed, packs it into runs and snapshots, signs the head that leads there.

One sealer works at a time. The head with the news comes first; what makes later reading cheaper (new snapshots,
long merged runs) and what was erased follow under a second head. Everything that a head leads to is on the disk
before it is signed, and its version is committed before it is served. docs/adr/0009-publish-by-change.md.
"""

from __future__ import annotations

import fcntl
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from hub import builds
from hub.home import served_folder
from hub.models import FeedState, Stream
from hub.publishing import (
    box_key,
    changes,
    epochs,
    erasure,
    garbage,
    listing,
    member_keys,
    members,
    naming,
    runs,
    sealing,
    served,
    snapshots,
)
from hub.publishing.coding import Coded, Coders
from hub.publishing.keys import HubKeys, load_keys
from hub.publishing.ordering import live_counts
from sync.protocol import VERSION
from sync.protocol.feeds import Feed, Index
from sync.protocol.head import Head, ObjectRef
from sync.protocol.sealed import PREFIX, for_members
from sync.protocol.wire_json import dump, sha256

_HEAD_LIFETIME = timedelta(days=90)
_SIGNED = "signed"


@dataclass(frozen=True)
class Published:
    """What a publication did: records put and deleted, streams that changed, and the head now in force."""

    put: int
    deleted: int
    streams: int
    epoch: int
    version: int
    seconds: float


def publish(*, whole: bool = False) -> Published:
    """Bring what is served up to what the facilitators published; nothing changed means no new head.

    What changed is known by marks; with `whole`, everything is compared. Raises KeysUnusable, HomeUnusable,
    DatabaseUnusable.
    """
    home: Path = settings.HOME
    started = time.monotonic()
    with _alone(home):
        keys = load_keys(home)
        epochs.notice_restore(home)
        epochs.notice_upgrade(home)
        sealed = sealing.seal(whole=whole)
        members.rotate_if_due(home)
        with Coders() as coders:
            publication = _Publication(home, keys, coders)
            publication.carry(sealed)
            publication.improve()
        members.settle(home)
        garbage.collect(home)
        epoch, version = epochs.current()
    seconds = round(time.monotonic() - started, 3)
    return Published(sealed.put, sealed.deleted, len(sealed.streams), epoch, version, seconds)


def forget(record_ids: list[str]) -> Published:
    """Publish, and take these deleted records out of every run and snapshot that is served.

    Records whose rows are gone are forgotten by themselves; this is for those that were only withdrawn. Raises
    what `publish` raises.
    """
    publish()
    erasure.mark(record_ids)
    return publish()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (served_folder(home) / "publish.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Publication:
    """One publication: the state of all feeds in memory until it is committed with the head."""

    def __init__(self, home: Path, keys: HubKeys, coders: Coders) -> None:
        self._home = home
        self._keys = keys
        self._coders = coders
        self._epoch, self._version = epochs.current()
        self._states = {state.name: state for state in FeedState.objects.all() if self._is_whole(state)}
        self._counts = live_counts()
        self._begin_outdated()
        self._changed: set[str] = set()
        self._streams: dict[str, list[str]] = defaultdict(list)
        for stream in Stream.objects.order_by("name").values_list("name", flat=True):
            for feed in naming.feeds_of(stream):
                self._streams[feed].append(stream)

    def carry(self, sealed: sealing.Sealed) -> None:
        """Lead readers to what was sealed: a run for each feed that changed, a snapshot for each that is new."""
        version = max(sealed.version or 0, self._version + 1)
        touched: dict[str, list[str]] = defaultdict(list)
        if sealed.version is not None:
            for stream in Stream.objects.filter(seq=sealed.version).values_list("name", flat=True):
                for feed in naming.feeds_of(stream):
                    touched[feed].append(stream)
        changed: set[str] = set()
        coding: list[tuple[FeedState, runs.Step, Coded]] = []
        for name in sorted(touched, key=naming.order):
            state = self._states.get(name)
            if state is None:
                continue
            if runs.too_much(touched[name], version, state.snapshots[0]["size"]):
                # Readers begin anew: whatever led to the former state is of no more use to them.
                del self._states[name]
            elif made := runs.step(state, self._streams[name], version, sealed.old):
                coding.append((state, made, self._coders.submit(made.lines, made.prefix)))
        for state, made, coded in coding:
            runs.add_step(self._home, self._epoch, state, made, coded.result())
            changed.add(state.name)
        fresh = [
            FeedState(name=name, last=version)
            for name, streams in self._streams.items()
            if name not in self._states and any(self._counts.get(stream) for stream in streams)
        ]
        remade = [
            self._states[name]
            for name in changed
            if snapshots.due(self._states[name]) and snapshots.small(self._states[name])
        ]
        remade = [state for state in remade if state.name not in self._outdated]
        # Whole again under the newest key; who was in step needs only that, and the run if there is one.
        remade += [self._states[name] for name in sorted(self._outdated & self._states.keys())]
        changed |= self._outdated & self._states.keys()
        self._snapshot([*fresh, *remade])
        for state in fresh:
            changes.drop_feed(self._home, self._epoch, state.name)  # of a feed that begins anew
            self._states[state.name] = state
        self._changed = changed
        self._merge(changed, only_small=True)
        self._release(version, changed | {state.name for state in fresh}, force=sealed.version is not None)

    def improve(self) -> None:
        """Make what is due but takes time, and take out what was erased, under a head of its own."""
        erased = erasure.Erasure(self._states)
        changed = self._merge(self._changed, only_small=False)
        due = {
            name
            for name, state in self._states.items()
            if snapshots.due(state) or state.snapshots[0]["at"] < erased.deleted_in.get(name, 0)
        }
        self._snapshot([self._states[name] for name in due])
        for name in list(erased.deleted_in):
            state = self._states[name]
            erased.strip(self._home, self._epoch, state)
            due.add(name)
            if not state.snapshots:
                # Nothing is left in it; it begins anew with its next record.
                del self._states[name]
                FeedState.objects.filter(name=name).delete()
        if due | changed or erased:
            self._release(self._version + 1, due | changed, force=bool(erased))
        if erased:
            served_now = set(listing.names_of(self._states))
            garbage.remove(self._home, erased.finish(served_now))

    def _is_whole(self, state: FeedState) -> bool:
        """Whether a feed's newest snapshot is on the disk; else the feed begins anew."""
        newest = state.snapshots[0] if state.snapshots else None
        return (
            newest is not None
            and served.path_of(self._home, served.object_kind(state.name), newest["bulk"][0]).exists()
            and served.path_of(self._home, served.document_kind(state.name), newest["document"][0]).exists()
        )

    def _begin_outdated(self) -> None:
        """Take what an older key sealed off the lists; `carry` seals those feeds whole with the newest."""
        key = member_keys.newest_id(self._home)
        self._outdated = {
            name
            for name, state in self._states.items()
            if for_members(name) and state.snapshots[0].get("key") != key
        }
        for name in self._outdated:
            changes.drop_feed(self._home, self._epoch, name)
            self._states[name].runs = []
            if not any(self._counts.get(stream) for stream in naming.feeds_of(name)):
                del self._states[name]

    def _snapshot(self, feeds: list[FeedState]) -> None:
        with_records = {
            feed.name: [name for name in self._streams[feed.name] if self._counts.get(name)] for feed in feeds
        }
        snapshots.build(self._home, self._coders, feeds, with_records)

    def _merge(self, names: set[str], *, only_small: bool) -> set[str]:
        """Make the merged runs that are due; returns the feeds that got one."""
        merged = set()
        for name in sorted(names, key=naming.order):
            state = self._states[name]
            while due := runs.due_merge(state):
                if only_small and not due.small:
                    break
                lines = runs.merge(self._home, self._epoch, state, due)
                if lines is None:
                    break
                segments = self._coders.submit(lines).result()
                if not runs.add_merge(self._home, self._epoch, state, due, lines, segments):
                    break
                merged.add(name)
        return merged

    def _release(self, version: int, changed: set[str], *, force: bool) -> None:
        """Sign a head of `version` if the feeds changed or the head in force is old, lost or of another key."""
        for name in changed & self._states.keys():
            runs.thin(self._home, self._epoch, self._states[name])
        written = listing.write_entries(self._home, self._states, changed, self._counts)
        feeds = listing.index_feeds(self._states, self._counts)
        hidden = listing.index_feeds(self._states, self._counts, members=True)
        now = datetime.now(UTC)
        wanted = {
            "feeds": sha256(dump([feed.to_json() for feed in feeds])),
            "epoch": self._epoch,
            "root": self._keys.root.version,
            "key": self._keys.head.key_id,
            "mirrors": epochs.get_value("mirrors", []),
            "members": self._members_fingerprint(hidden),
            "box": box_key.public(self._home),
            "builds": builds.of_head() or "",
        }
        signed = epochs.get_value(_SIGNED, {})
        renew = now.timestamp() > signed.get("renew", 0)
        same = all(signed.get(key, "") == value for key, value in wanted.items())
        if same and not force and not renew and self._is_in_force():
            return
        sealed_index = self._seal_index(version, hidden)
        head = self._head(version, feeds, sealed_index, now)
        names = {*listing.names_of(self._states), (served.DOCUMENT, head.index.hash)}
        if sealed_index is not None:
            names.add((served.SEALED, sealed_index["hash"]))
        # Committed before it is served: a version number that readers saw is never given twice.
        with transaction.atomic():
            FeedState.objects.exclude(name__in=list(self._states)).delete()
            for name in sorted(written):
                self._states[name].save()
            epochs.set_value("version", version)
            epochs.set_value("epoch", self._epoch)
            epochs.set_value(epochs.WIRE, VERSION)
            epochs.set_value(epochs.SEALING, None)
            epochs.set_value(members.STATE, sealed_index or {"epoch": self._epoch})
            epochs.set_value(_SIGNED, {**wanted, "renew": (now + _HEAD_LIFETIME / 2).timestamp()})
            self._note_index(version, head.index.hash)
            garbage.note(names, version)
        served.write_head(self._home, head.sign(self._keys.head))
        self._version = version

    def _members_fingerprint(self, feeds: tuple[Feed, ...]) -> str:
        """What tells one state of the members' feeds from another; "" where there are none."""
        if not feeds:
            return ""
        listed = [feed.to_json() for feed in feeds]
        return sha256(dump([self._epoch, member_keys.newest_id(self._home), listed]))

    def _seal_index(self, version: int, feeds: tuple[Feed, ...]) -> dict[str, Any] | None:
        """Return how the members' index is named, sealed anew only where it differs: no seal is like another."""
        if not feeds:
            return None
        fingerprint = self._members_fingerprint(feeds)
        known: dict[str, Any] = epochs.get_value(members.STATE, {})
        if known.get("fingerprint") == fingerprint and served.sealed_path(self._home, known["hash"]).exists():
            return known
        ref = served.put_document(self._home, Index(self._epoch, version, feeds).to_bytes(), PREFIX)
        return {**ref.to_json(), "version": version, "epoch": self._epoch, "fingerprint": fingerprint}

    def _head(
        self, version: int, feeds: tuple[Feed, ...], sealed_index: dict[str, Any] | None, now: datetime
    ) -> Head:
        return Head(
            epoch=self._epoch,
            version=version,
            root=self._keys.root.version,
            client=VERSION,
            index=served.put_document(self._home, Index(self._epoch, version, feeds).to_bytes()),
            hub=str(epochs.get_value("name", "Hubshelf")),
            published=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            expires=(now + _HEAD_LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
            mirrors=tuple(epochs.get_value("mirrors", [])),
            members=None if sealed_index is None else ObjectRef(sealed_index["hash"], sealed_index["size"]),
            box=box_key.public(self._home),
            builds=None if (given := builds.of_head()) is None else ObjectRef(**given["ref"]),
            shares=given["shares"] if given is not None else {},
            groups=given.get("groups", {}) if given is not None else {},
        )

    def _note_index(self, version: int, digest: str) -> None:
        known = epochs.get_value(served.INDEXES, {})
        versions = known.get("versions", {}) if known.get("epoch") == self._epoch else {}
        oldest = version - garbage.INDEXES_KEPT
        newest = {number: name for number, name in versions.items() if int(number) > oldest}
        newest[str(version)] = digest
        epochs.set_value(served.INDEXES, {"epoch": self._epoch, "versions": newest})

    def _is_in_force(self) -> bool:
        index = served.index_of(self._version)
        return (
            epochs.published(self._home) == (self._epoch, self._version)
            and index is not None
            and served.document_path(self._home, index).exists()
        )
