"""The rules of village funds in the database."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("mutual_funds", "0001_initial"),
        ("ledger", "0002_sql"),
        ("funds", "0002_sql"),
        ("register", "0002_sql"),
        ("periods", "0002_sql"),
    ]
    operations = [run_sql_file(__file__, "rules.sql")]
