"""Which device was given which key for what only members may read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0003_feeds")]

    operations = [
        migrations.CreateModel(
            name="KeyGrant",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("device", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=16)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "device"), name="key_grant_once")],
            },
        ),
    ]
