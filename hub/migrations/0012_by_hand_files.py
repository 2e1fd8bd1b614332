from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0011_by_hand"),
    ]

    operations = [
        migrations.AddField(
            model_name="byhand",
            name="files",
            field=models.JSONField(default=dict),
        ),
    ]
