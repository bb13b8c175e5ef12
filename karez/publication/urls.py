"""Addresses of editions, for those who sign them and for everyone."""

from django.urls import path

from karez.publication import public_views, signing_views

app_name = "publication"
urlpatterns = [
    path("yearbook/edition/<id:edition_id>/", signing_views.edition, name="edition"),
    path("yearbook/<slug:region>/<year:year>/prepare/", signing_views.prepare, name="prepare"),
    path("editions/", public_views.editions, name="public_editions"),
    path("editions/<year:year>/<id:number>/", public_views.edition_file, name="public_edition"),
    path("editions/<year:year>/<id:number>/<path:path>", public_views.edition_file, name="public_file"),
]
