"""Tells Django of this room."""

from django.apps import AppConfig


class TraceConfig(AppConfig):
    """A figure down to its rows and documents; the catalogue of figures."""

    name = "karez.trace"
    label = "trace"
