"""Tells Django of this room."""

from django.apps import AppConfig
from django.urls import register_converter

from karez.access.parameters import IdConverter, YearConverter

# Before any room's addresses are read: `<id:...>` and `<year:...>`.
register_converter(IdConverter, "id")
register_converter(YearConverter, "year")


class Config(AppConfig):
    """The room of this folder."""

    name = "karez.access"
    label = "access"
