"""Karez: a management system for a regional anti-poverty office. Holds the version only; the rooms are the packages
below.
"""

__version__ = "0.1.0"
