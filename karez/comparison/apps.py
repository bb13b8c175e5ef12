"""Tells Django of this room."""

from django.apps import AppConfig


class ComparisonConfig(AppConfig):
    """Years, places, printed chapters and packages of other installations side by side."""

    name = "karez.comparison"
    label = "comparison"
