"""The product's settings with the measurement's addresses."""

from karez.settings import *  # noqa: F403

ROOT_URLCONF = "bench.pages_urls"
