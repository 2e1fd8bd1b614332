"""What the sealer has published: streams, the records in them, the segments that carry them."""

from __future__ import annotations

from django.db import models

from .fields import json_object


class Stream(models.Model):
    """A published stream, such as ``public/cards/en``; ``seq`` is the last number that was sealed."""

    name = models.CharField(primary_key=True, max_length=200)
    seq = models.PositiveBigIntegerField(default=0)
    manifest = json_object()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StreamRecord(models.Model):
    """The sealed state of one record in one stream; ``body`` is its wire JSON, empty when deleted."""

    id = models.BigAutoField(primary_key=True)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="records")
    record_id = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    body = models.BinaryField(default=b"")
    deleted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "record_id"], name="stream_record_once")]
        indexes = [models.Index(fields=["stream", "seq"], name="stream_record_seq")]

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.record_id}"


class Segment(models.Model):
    """An immutable file of the public plane, named by the SHA-256 of its compressed bytes."""

    hash = models.CharField(primary_key=True, max_length=64)
    size = models.PositiveBigIntegerField()
    codec = models.CharField(max_length=32)
    raw_size = models.PositiveBigIntegerField()
    raw_hash = models.CharField(max_length=64)
    records = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.hash


class HubState(models.Model):
    """Single values of the hub: its epoch, the version of its head, its name."""

    key = models.CharField(primary_key=True, max_length=64)
    value = models.JSONField(null=True, default=None)

    def __str__(self) -> str:
        return self.key
