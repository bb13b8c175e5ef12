"""Django's settings for the peer alone, on the same server in a database of its own."""

import os

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "mptt", "djmoney", "hordak"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "hordak",
        "HOST": os.environ.get("HORDAK_HOST", ""),
        "USER": "postgres",
        "CONN_MAX_AGE": None,
    }
}
SECRET_KEY = "bench"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_CURRENCY = CURRENCIES = "CNY"
CURRENCIES = ["CNY"]
HORDAK_DEFAULT_CURRENCY = "CNY"
HORDAK_CURRENCIES = ["CNY"]
