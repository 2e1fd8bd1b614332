"""What PCs tell of themselves, and groups of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0014_lost_devices"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="failures",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="device",
            name="free_mb",
            field=models.PositiveBigIntegerField(
                blank=True, editable=False, null=True, verbose_name="free megabytes"
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="group",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="group"),
        ),
        migrations.AddField(
            model_name="device",
            name="in_step",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last in step"),
        ),
        migrations.AddField(
            model_name="device",
            name="shelf_mb",
            field=models.PositiveBigIntegerField(
                blank=True, editable=False, null=True, verbose_name="megabytes of the shelf"
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="told",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="told"),
        ),
        migrations.AddField(
            model_name="device",
            name="version",
            field=models.CharField(blank=True, default="", editable=False, max_length=40, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="sitecode",
            name="group",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="group"),
        ),
    ]
