"""Tells Django of this room."""

from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    """Returns, their approval, and the measures they may report."""

    name = "karez.returns"
    label = "returns"
