"""The indexes by which households and persons of a whole region are listed and looked up."""

from django.db import migrations, models

from karez.intake.numbers import number_key


class Migration(migrations.Migration):
    dependencies = [("register", "0002_sql")]
    operations = [
        migrations.AddIndex(
            "household", models.Index(number_key("household_no"), name="register_household_by_number")
        ),
        migrations.AddIndex("membership", models.Index(fields=["starts_on", "id"], name="register_membership_by_since")),
    ]
