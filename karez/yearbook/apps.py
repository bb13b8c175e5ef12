"""The yearbook's place among the rooms."""

from django.apps import AppConfig


class YearbookConfig(AppConfig):
    name = "karez.yearbook"
    label = "yearbook"

    def ready(self) -> None:
        """Makes the table of the proofreader's calls known."""
        from karez.yearbook import proof_calls  # noqa: F401 - registers its model
