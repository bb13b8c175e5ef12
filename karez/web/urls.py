"""Every address of the site. Rooms keep their own pages; this list says where they hang."""

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from karez.web import views

handler404 = "karez.web.views.not_found"
handler500 = "karez.web.views.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("account/", views.account, name="account"),
    path(
        "account/password/reset/", views.forgotten, name="account_reset_password"
    ),  # before the library's, which sends mail
    path("account/signed-in/", views.signed_in, name="signed_in"),
    path("account/", include("allauth.urls")),
    path("language/", set_language, name="set_language"),
    path("healthy/", views.healthy, name="healthy"),
]
# A room's pages are in its own `urls.py`, under no prefix of ours: its addresses are part of its subject. The highest room is
# asked first: what it names in an address may be what a lower room takes for an id.
urlpatterns += [
    path("", include(f"karez.{room}.urls"))
    for room in reversed(settings.ROOMS)
    if room != "web" and find_spec(f"karez.{room}.urls")
]
