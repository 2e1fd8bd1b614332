from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0012_site_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="byhand",
            name="files",
            field=models.JSONField(default=dict),
        ),
    ]
