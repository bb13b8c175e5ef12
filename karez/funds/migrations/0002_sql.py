from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial"), ("ledger", "0002_sql"), ("periods", "0002_sql"), ("places", "0002_tree")]
    operations = [run_sql_file(__file__, "funds.sql")]
