from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("periods", "0001_initial"), ("access", "0001_initial")]
    operations = [run_sql_file(__file__, "periods.sql"), run_sql_file(__file__, "tally.sql")]
