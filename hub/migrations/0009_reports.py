"""What members report to the moderators."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import hub.ids


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0008_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=hub.ids.new_id, editable=False, max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("target", models.CharField(max_length=64, verbose_name="id of what was reported")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("wrong", "wrong or outdated"),
                            ("offensive", "offensive"),
                            ("private", "private information"),
                            ("spam", "spam"),
                            ("other", "something else"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("words", models.TextField(blank=True, default="", verbose_name="in the reporter's words")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("removed", "looked at: removed"),
                            ("changed", "looked at: corrected or marked"),
                            ("stays", "looked at: stays as it is"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("created", models.DateTimeField(default=django.utils.timezone.now, verbose_name="reported")),
                ("handled", models.DateTimeField(blank=True, null=True, verbose_name="looked at")),
                (
                    "handled_by",
                    models.CharField(blank=True, default="", max_length=150, verbose_name="looked at by"),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="hub.member",
                        verbose_name="reported by",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reports",
                        to="hub.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reports",
                        to="hub.resource",
                        verbose_name="resource",
                    ),
                ),
            ],
            options={
                "verbose_name": "report",
                "verbose_name_plural": "reports",
                "ordering": ["-created", "id"],
                "indexes": [
                    models.Index(fields=["state", "created"], name="report_state_created"),
                    models.Index(fields=["member", "created"], name="report_member_created"),
                ],
            },
        ),
    ]
