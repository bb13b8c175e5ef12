"""The functions and views of the tree."""

from django.db import migrations

from karez.kernel.sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("places", "0001_initial"), ("access", "0002_sql")]
    operations = [run_sql_file(__file__, "tree.sql")]
