"""Tells Django of this room."""

from django.apps import AppConfig


class ChapterConfig(AppConfig):
    """Sentences, tables and pictures of a chapter."""

    name = "karez.chapter"
    label = "chapter"
