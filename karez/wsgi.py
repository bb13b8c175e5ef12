"""The WSGI entry that the web server imports."""

import os

from django.core.wsgi import get_wsgi_application

from karez.system import sessions

os.environ[sessions.PAGES] = "1"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
application = get_wsgi_application()
