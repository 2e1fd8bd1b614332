"""Devices that wrote by hand."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0010_device_moves"),
    ]

    operations = [
        migrations.CreateModel(
            name="ByHand",
            fields=[
                ("tag", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("token_hash", models.CharField(max_length=64)),
                ("epoch", models.PositiveBigIntegerField(default=0)),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("cursor", models.JSONField(default=list)),
                ("operations", models.JSONField(default=list)),
                ("keys", models.JSONField(default=list)),
                ("joined", models.BooleanField(default=False)),
                ("problem", models.JSONField(default=None, null=True)),
                ("answers", models.PositiveBigIntegerField(default=0)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="by_hand",
                        to="hub.device",
                    ),
                ),
            ],
        ),
    ]
