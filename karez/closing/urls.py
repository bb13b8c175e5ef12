"""Addresses of the pages of closing."""

from django.urls import path

from karez.closing import views

app_name = "closing"
urlpatterns = [
    path("closing/", views.years, name="years"),
    path("closing/<year:year>/", views.year, name="year"),
    path("closing/<year:year>/progress/", views.progress, name="progress"),
    path("closing/<year:year>/do/", views.act, name="act"),
]
