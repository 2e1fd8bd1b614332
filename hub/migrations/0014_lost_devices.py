"""Devices that were lost or stolen."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0013_by_hand_files")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="lost",
            field=models.BooleanField(default=False, editable=False, verbose_name="lost"),
        ),
    ]
