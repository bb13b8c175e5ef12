"""Addresses of the pages of closing."""

from django.urls import path

from karez.closing import views

app_name = "closing"
urlpatterns = [
    path("closing/", views.years, name="years"),
    path("closing/<int:year>/", views.year, name="year"),
    path("closing/<int:year>/progress/", views.progress, name="progress"),
    path("closing/<int:year>/do/", views.act, name="act"),
]
