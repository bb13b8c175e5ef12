"""The closing room as a Django app. Holds its label only."""

from django.apps import AppConfig


class ClosingConfig(AppConfig):
    """Checks before closing, figure tables, manifests."""

    name = "karez.closing"
    label = "closing"
