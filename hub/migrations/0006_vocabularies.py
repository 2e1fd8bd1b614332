"""Vocabularies loaded from SKOS files, and their concepts."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0005_file_replaces"),
    ]

    operations = [
        migrations.CreateModel(
            name="Vocabulary",
            fields=[
                ("id", models.CharField(max_length=24, primary_key=True, serialize=False)),
                ("uri", models.CharField(max_length=500, unique=True, verbose_name="address of the scheme")),
                (
                    "namespace",
                    models.CharField(max_length=500, verbose_name="beginning of its concepts' addresses"),
                ),
                ("titles", models.JSONField(blank=True, default=dict, verbose_name="titles by language")),
                ("rights", models.CharField(blank=True, default="", max_length=500, verbose_name="licence")),
                (
                    "languages",
                    models.CharField(blank=True, default="", max_length=500, verbose_name="languages published"),
                ),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, verbose_name="updated")),
            ],
            options={
                "verbose_name": "vocabulary",
                "verbose_name_plural": "vocabularies",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Concept",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("labels", models.JSONField(blank=True, default=dict, verbose_name="labels by language")),
                (
                    "vocabulary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="concepts", to="hub.vocabulary"
                    ),
                ),
            ],
            options={
                "verbose_name": "concept",
                "verbose_name_plural": "concepts",
                "ordering": ["id"],
            },
        ),
    ]
