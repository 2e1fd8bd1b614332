"""What became of a resource after it was published: corrected, superseded, withdrawn."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0007_request_timeline"),
    ]

    operations = [
        migrations.AddField(
            model_name="resource",
            name="notice_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("corrected", "corrected"),
                    ("superseded", "superseded by a newer one"),
                    ("withdrawn", "withdrawn: the record stays, texts and files go"),
                ],
                default="",
                max_length=12,
                verbose_name="what became of it",
            ),
        ),
        migrations.AddField(
            model_name="resource",
            name="notice_note",
            field=models.JSONField(blank=True, default=dict, verbose_name="why, by language"),
        ),
        migrations.AddField(
            model_name="resource",
            name="notice_since",
            field=models.DateField(blank=True, null=True, verbose_name="since"),
        ),
        migrations.AddField(
            model_name="resource",
            name="notice_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replaced",
                to="hub.resource",
                verbose_name="the newer one",
            ),
        ),
    ]
