"""What became of a request, step by step, and what its asker says of the answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0006_vocabularies"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="request",
            options={
                "ordering": ["-created", "id"],
                "permissions": [("read_confidential", "Can read confidential requests")],
                "verbose_name": "request",
                "verbose_name_plural": "requests",
            },
        ),
        migrations.AddField(
            model_name="request",
            name="history",
            field=models.JSONField(blank=True, default=list, editable=False, verbose_name="history"),
        ),
        migrations.AddField(
            model_name="request",
            name="may_publish",
            field=models.BooleanField(
                blank=True,
                default=None,
                editable=False,
                null=True,
                verbose_name="the community may read the answer",
            ),
        ),
        migrations.AddField(
            model_name="request",
            name="rated",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="said on"),
        ),
        migrations.AddField(
            model_name="request",
            name="satisfaction",
            field=models.CharField(
                blank=True,
                choices=[("yes", "yes"), ("partly", "partly"), ("no", "no")],
                default="",
                editable=False,
                max_length=8,
                verbose_name="did the answer help?",
            ),
        ),
        migrations.AddField(
            model_name="request",
            name="satisfaction_words",
            field=models.TextField(blank=True, default="", editable=False, verbose_name="in the asker's words"),
        ),
    ]
