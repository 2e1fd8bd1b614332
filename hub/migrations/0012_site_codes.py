"""Site codes, devices that came by one, and members who are joining."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0011_by_hand")]

    operations = [
        migrations.CreateModel(
            name="SiteCode",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("code_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("note", models.CharField(blank=True, default="", max_length=200, verbose_name="note")),
                ("uses", models.PositiveIntegerField(verbose_name="places")),
                ("used", models.PositiveIntegerField(default=0, editable=False, verbose_name="taken")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created")),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("revoked", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
            ],
            options={"verbose_name": "site code", "verbose_name_plural": "site codes", "ordering": ["-created"]},
        ),
        migrations.AddField(
            model_name="member",
            name="said_email",
            field=models.EmailField(blank=True, default="", max_length=254, verbose_name="says their email is"),
        ),
        migrations.AlterField(
            model_name="member",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "active"),
                    ("joining", "joining"),
                    ("suspended", "suspended"),
                    ("left", "left"),
                ],
                default="active",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="site",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="devices",
                to="hub.sitecode",
                verbose_name="came by",
            ),
        ),
    ]
