from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0003_ask_confidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="sensitive",
            field=models.BooleanField(default=False),
        ),
    ]
