"""Tells Django of this room."""

from django.apps import AppConfig


class Config(AppConfig):
    """The room of this folder."""

    name = "karez.records"
    label = "records"
