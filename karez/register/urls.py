"""Addresses of the pages of the register."""

from django.urls import path

from karez.register import views

app_name = "register"
urlpatterns = [
    path("register/villages/<int:village_id>/", views.households, name="households"),
    path("register/households/<int:household_id>/", views.household, name="household"),
]
