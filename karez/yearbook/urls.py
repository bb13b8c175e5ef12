"""Addresses of the yearbook."""

from django.urls import path

from karez.yearbook import views

app_name = "yearbook"
urlpatterns = [
    path("yearbook/", views.home, name="home"),
    path("yearbook/record/<slug:table>/<slug:column>/<str:key>/", views.record, name="record"),
    path("yearbook/<slug:region>/<int:year>/", views.chapter, name="chapter"),
    path("yearbook/<slug:region>/<int:year>/figures.csv", views.figures_csv, name="figures"),
    path("yearbook/<slug:region>/<int:year>/<str:figure_id>/", views.trace, name="trace"),
]
