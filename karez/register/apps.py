"""Tells Django of this room."""

from django.apps import AppConfig


class RegisterConfig(AppConfig):
    """Households, persons, memberships, assessments and cases."""

    name = "karez.register"
    label = "register"
