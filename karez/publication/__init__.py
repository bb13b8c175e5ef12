"""Editions signed and published, and errata beside them."""
