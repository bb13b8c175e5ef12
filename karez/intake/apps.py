"""Tells Django of this room."""

from django.apps import AppConfig


class Config(AppConfig):
    """The room of this folder."""

    name = "karez.intake"
    label = "intake"

    def ready(self) -> None:
        """Makes the jobs known to the worker."""
        from karez.intake import jobs  # noqa: F401
