"""Tells Django of this room."""

from django.apps import AppConfig


class ProofreaderConfig(AppConfig):
    """Whether what is printed holds together. Knows no records."""

    name = "karez.proofreader"
    label = "proofreader"
