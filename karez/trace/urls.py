"""Addresses of the catalogue, of a figure's trace, and of the way from a frozen key to its record."""

from django.urls import path

from karez.trace import catalogue, views

app_name = "trace"
urlpatterns = [
    path("yearbook/catalogue/", catalogue.catalogue, name="catalogue"),
    path("yearbook/record/<slug:table>/<slug:column>/<str:key>/", views.record, name="record"),
    path("yearbook/<slug:region>/<year:year>/<str:figure_id>/", views.trace, name="trace"),
]
