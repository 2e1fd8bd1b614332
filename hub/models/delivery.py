"""What the sealer has published: streams, the records in them, the feeds that carry them; and what has changed."""

from __future__ import annotations

from django.db import models

from .fields import json_list, json_object


class Stream(models.Model):
    """A published stream, such as ``public/cards/en``; ``seq`` is the version in which it last changed."""

    name = models.CharField(primary_key=True, max_length=200)
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["seq"], name="stream_by_seq")]

    def __str__(self) -> str:
        return self.name


class StreamRecord(models.Model):
    """The sealed state of one record in one stream.

    ``seq`` is the version that sealed it, ``owner`` the row that it was made from (``resource/ID``), ``body`` its
    wire JSON. A deleted record keeps its row without the body; ``erased`` until no file that is served holds it.
    The large column stands last, so that SQLite reads the others without it.
    """

    id = models.BigAutoField(primary_key=True)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="records")
    record_id = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    deleted = models.BooleanField(default=False)
    erased = models.BooleanField(default=False)
    owner = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    body = models.BinaryField(default=b"")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "record_id"], name="stream_record_once")]
        indexes = [
            models.Index(fields=["stream", "seq"], name="stream_record_seq"),
            models.Index(fields=["owner"], name="stream_record_owner"),
            models.Index(fields=["stream"], condition=models.Q(deleted=False), name="stream_record_live"),
            models.Index(fields=["id"], condition=models.Q(erased=True), name="stream_record_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.record_id}"


class FeedState(models.Model):
    """What is served of one feed (``sync.protocol.feeds``).

    ``last``: its newest change version; ``changes``: how many it has had; ``since``: bytes of the one-step runs
    after the newest snapshot; ``runs``: each as ``[ordinal, k, start, end, hash, size, …]``, leading over
    2**k changes to the change of that ordinal; ``snapshots``: newest first, each with what it was listed by;
    ``entry``: the feed as the index lists it; ``documents``: the names of the documents that the entry leads to.
    """

    name = models.CharField(primary_key=True, max_length=200)
    last = models.PositiveBigIntegerField()
    changes = models.PositiveBigIntegerField(default=1)
    since = models.PositiveBigIntegerField(default=0)
    runs = json_list()
    snapshots = json_list()
    entry = json_object()
    documents = json_list()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServedName(models.Model):
    """An object or document on the public plane; ``left`` is the version whose index no longer leads to it."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=1)
    hash = models.CharField(max_length=64)
    left = models.PositiveBigIntegerField(null=True, default=None)
    left_at = models.DateTimeField(null=True, default=None)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "hash"], name="served_name_once")]

    def __str__(self) -> str:
        return self.hash


class Touched(models.Model):
    """A row that the database's triggers saw change since it was last sealed (``hub.publishing.marks``)."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["kind", "key"], name="touched_kind_key")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


class HubState(models.Model):
    """Single values of the hub: its epoch, the version of its head, its name."""

    key = models.CharField(primary_key=True, max_length=64)
    value = models.JSONField(null=True, default=None)

    def __str__(self) -> str:
        return self.key
