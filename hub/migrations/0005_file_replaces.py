"""Which earlier file a file took the place of, so that readers of that one need only the difference."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0004_key_grants")]

    operations = [
        migrations.AddField(
            model_name="storedfile",
            name="replaces",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
    ]
