from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0002_row_notes"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="ask_confidence",
            field=models.BooleanField(default=False),
        ),
    ]
