"""Addresses of the pages of the register."""

from django.urls import path

from karez.register import person_views, views

app_name = "register"
urlpatterns = [
    path("register/households/<id:household_id>/", views.household, name="household"),
    path("register/households/<id:household_id>/dissolve/", person_views.dissolve, name="dissolve"),
    path("register/persons/<id:person_id>/", person_views.person, name="person"),
    path("register/persons/<id:person_id>/<slug:what>/", person_views.act, name="act"),
    path("register/facts/<slug:kind>/<id:fact_id>/", person_views.correct, name="correct"),
    path("register/erasures/", person_views.erasures, name="erasures"),
    path("register/erasures/<id:request_id>/", person_views.erase, name="erase"),
]
