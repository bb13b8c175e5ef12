"""The indexes that give the list of societies its orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mutual_funds", "0002_sql")]
    operations = [
        migrations.AddIndex("society", models.Index(fields=["name", "id"], name="mutual_funds_society_by_name")),
        migrations.AddIndex("society", models.Index(fields=["starts_on", "id"], name="mutual_funds_society_by_day")),
    ]
