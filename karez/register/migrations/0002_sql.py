"""The room's functions and triggers."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("register", "0001_initial"), ("notices", "0002_sql")]
    operations = [run_sql_file(__file__, "register.sql")]
