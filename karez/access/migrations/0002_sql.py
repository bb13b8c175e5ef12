"""The room's functions and triggers."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [run_sql_file(__file__, "messages.sql"), run_sql_file(__file__, "roles.sql")]
