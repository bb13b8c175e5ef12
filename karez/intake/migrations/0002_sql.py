from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial"), ("periods", "0002_sql")]
    operations = [run_sql_file(__file__, "intake.sql"), run_sql_file(__file__, "numbers.sql")]
