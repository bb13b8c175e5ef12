"""Addresses of the years and of a year's chapter."""

from django.urls import path

from karez.chapter import views

app_name = "chapter"
urlpatterns = [
    path("yearbook/", views.home, name="home"),
    path("yearbook/<slug:region>/<year:year>/", views.chapter, name="chapter"),
    path("yearbook/<slug:region>/<year:year>/figures.csv", views.figures_csv, name="figures"),
]
