"""Tells Django of this room."""

from django.apps import AppConfig


class PublicationConfig(AppConfig):
    """Editions signed and published, and errata beside them."""

    name = "karez.publication"
    label = "publication"
