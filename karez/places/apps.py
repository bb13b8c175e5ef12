"""The places room as a Django app. Holds its label only."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """Areas, their codes and names over time, and what lists they stand on."""

    name = "karez.places"
    label = "places"
