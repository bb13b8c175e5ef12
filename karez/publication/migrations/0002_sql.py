"""The composite keys of editions, and the digest checked against the text."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("publication", "0001_initial"), ("closing", "0001_initial")]
    operations = [run_sql_file(__file__, "editions.sql")]
