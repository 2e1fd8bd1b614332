"""Sources that are harvested, their harvests, and the inbox."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import hub.ids


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0015_fleet"),
    ]

    operations = [
        migrations.AddField(
            model_name="source",
            name="every_minutes",
            field=models.PositiveIntegerField(default=0, verbose_name="every so many minutes"),
        ),
        migrations.AddField(
            model_name="source",
            name="harvested",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="harvested"),
        ),
        migrations.AddField(
            model_name="source",
            name="place",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="source",
            name="settings",
            field=models.JSONField(blank=True, default=dict, verbose_name="settings"),
        ),
        migrations.CreateModel(
            name="Harvest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("started", models.DateTimeField(default=django.utils.timezone.now, verbose_name="started")),
                ("ended", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("whole", models.BooleanField(default=False, verbose_name="came to its end")),
                ("pages", models.PositiveIntegerField(default=0, verbose_name="pages")),
                ("read", models.PositiveIntegerField(default=0, verbose_name="read")),
                ("new", models.PositiveIntegerField(default=0, verbose_name="new")),
                ("changed", models.PositiveIntegerField(default=0, verbose_name="changed")),
                ("unchanged", models.PositiveIntegerField(default=0, verbose_name="unchanged")),
                ("deleted", models.PositiveIntegerField(default=0, verbose_name="deleted there")),
                ("refused", models.PositiveIntegerField(default=0, verbose_name="refused")),
                ("problems", models.JSONField(blank=True, default=list, verbose_name="problems")),
                ("error", models.CharField(blank=True, default="", max_length=500, verbose_name="error")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="harvests",
                        to="hub.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "harvest",
                "verbose_name_plural": "harvests",
                "ordering": ["-started", "-id"],
            },
        ),
        migrations.CreateModel(
            name="InboxItem",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=hub.ids.new_id, editable=False, max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=500, verbose_name="id there")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("accepted", "accepted"),
                            ("merged", "merged into another"),
                            ("rejected", "rejected"),
                            ("gone", "deleted there before anybody decided"),
                        ],
                        db_index=True,
                        default="new",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("deleted", models.BooleanField(default=False, verbose_name="deleted there")),
                ("fresh", models.BooleanField(default=False, verbose_name="changed there since it was decided")),
                ("title", models.CharField(blank=True, default="", max_length=1000, verbose_name="title")),
                ("year", models.IntegerField(blank=True, null=True, verbose_name="year")),
                ("lang", models.CharField(default="und", max_length=35, verbose_name="language")),
                ("record", models.JSONField(blank=True, default=dict, verbose_name="record")),
                (
                    "refused",
                    models.CharField(
                        blank=True, default="", max_length=500, verbose_name="why it cannot be taken"
                    ),
                ),
                ("raw", models.TextField(blank=True, default="", verbose_name="as it came")),
                ("digest", models.CharField(default="", editable=False, max_length=64)),
                ("likely_by", models.CharField(blank=True, default="", max_length=40, verbose_name="because of")),
                ("came", models.DateTimeField(default=django.utils.timezone.now, verbose_name="came")),
                ("changed", models.DateTimeField(default=django.utils.timezone.now, verbose_name="changed")),
                (
                    "likely",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="hub.resource",
                        verbose_name="perhaps the same",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="harvested",
                        to="hub.resource",
                        verbose_name="resource",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbox",
                        to="hub.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "item of the inbox",
                "verbose_name_plural": "inbox",
                "ordering": ["came", "id"],
                "constraints": [models.UniqueConstraint(fields=("source", "key"), name="inbox_once_a_source")],
            },
        ),
    ]
