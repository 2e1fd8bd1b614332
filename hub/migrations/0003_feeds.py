"""Wire version 2: what is published is kept by feed and by change, and made anew from the content itself.

What stood here for version 1 can all be made again, so the tables are replaced, in an order of columns that lets
SQLite read the small ones without the bodies. The next publication begins a new epoch.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0002_uploads")]

    operations = [
        migrations.DeleteModel(name="StreamRecord"),
        migrations.DeleteModel(name="Stream"),
        migrations.DeleteModel(name="Segment"),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("seq", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "ordering": ["name"],
                "indexes": [models.Index(fields=["seq"], name="stream_by_seq")],
            },
        ),
        migrations.CreateModel(
            name="StreamRecord",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="records", to="hub.stream"
                    ),
                ),
                ("record_id", models.CharField(max_length=64)),
                ("seq", models.PositiveBigIntegerField()),
                ("deleted", models.BooleanField(default=False)),
                ("erased", models.BooleanField(default=False)),
                ("owner", models.CharField(max_length=80)),
                ("digest", models.CharField(max_length=64)),
                ("body", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("stream", "record_id"), name="stream_record_once")
                ],
                "indexes": [
                    models.Index(fields=["stream", "seq"], name="stream_record_seq"),
                    models.Index(fields=["owner"], name="stream_record_owner"),
                    models.Index(
                        condition=models.Q(("deleted", False)), fields=["stream"], name="stream_record_live"
                    ),
                    models.Index(condition=models.Q(("erased", True)), fields=["id"], name="stream_record_erased"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeedState",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("last", models.PositiveBigIntegerField()),
                ("changes", models.PositiveBigIntegerField(default=1)),
                ("since", models.PositiveBigIntegerField(default=0)),
                ("runs", models.JSONField(blank=True, default=list)),
                ("snapshots", models.JSONField(blank=True, default=list)),
                ("entry", models.JSONField(blank=True, default=dict)),
                ("documents", models.JSONField(blank=True, default=list)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="ServedName",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=1)),
                ("hash", models.CharField(max_length=64)),
                ("left", models.PositiveBigIntegerField(default=None, null=True)),
                ("left_at", models.DateTimeField(default=None, null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "hash"), name="served_name_once")],
            },
        ),
        migrations.CreateModel(
            name="Touched",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=12)),
                ("key", models.CharField(max_length=64)),
            ],
            options={"indexes": [models.Index(fields=["kind", "key"], name="touched_kind_key")]},
        ),
    ]
