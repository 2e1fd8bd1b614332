"""A device that took another one's place, and what a device runs on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0009_reports")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="system",
            field=models.CharField(blank=True, default="", editable=False, max_length=40, verbose_name="system"),
        ),
        migrations.AddField(
            model_name="device",
            name="moved_to",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=models.SET_NULL,
                related_name="moved_from",
                to="hub.device",
                verbose_name="moved to",
            ),
        ),
    ]
