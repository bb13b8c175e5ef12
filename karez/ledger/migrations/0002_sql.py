"""The functions that post, and the composite keys Django has no form for."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("periods", "0002_sql")]
    operations = [run_sql_file(__file__, name) for name in ("posting.sql", "books.sql", "bulk.sql")]
