"""Tells Django of this room."""

from django.apps import AppConfig


class WordingConfig(AppConfig):
    """Numbers, units and columns in words of either language."""

    name = "karez.wording"
    label = "wording"
