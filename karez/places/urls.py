"""Addresses of the pages of places."""

from django.urls import path

from karez.places import views

app_name = "places"
urlpatterns = [
    path("places/", views.home, name="home"),
    path("places/<int:area_id>/", views.area, name="area"),
]
