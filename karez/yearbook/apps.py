"""The yearbook's place among the rooms."""

from django.apps import AppConfig


class YearbookConfig(AppConfig):
    name = "karez.yearbook"
    label = "yearbook"
