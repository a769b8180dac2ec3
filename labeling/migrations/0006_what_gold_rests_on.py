import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0005_slots_pin_their_question"),
    ]

    operations = [
        migrations.AddField(
            model_name="adjudication",
            name="seen",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="consensus",
            name="gold",
            field=models.CharField(blank=True, default="", max_length=8),
        ),
        migrations.AddField(
            model_name="consensus",
            name="gold_sha256",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="golditem",
            name="decision",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gold_items",
                to="labeling.adjudication",
            ),
        ),
        migrations.AddField(
            model_name="golditem",
            name="judgments",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="golditem",
            name="outcome",
            field=models.CharField(default="labelled", max_length=14),
        ),
        migrations.AddField(
            model_name="golditem",
            name="settled_sha256",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
