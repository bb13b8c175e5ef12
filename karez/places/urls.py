"""Addresses of the pages of places."""

from django.urls import path

from karez.places import people, views

app_name = "places"
urlpatterns = [
    path("places/", views.home, name="home"),
    path("places/<id:area_id>/", views.area, name="area"),
    path("users/", people.users, name="users"),
    path("users/add/", people.add_user, name="add_user"),
    path("users/waiting/", people.waiting_roles, name="waiting_roles"),
    path("users/waiting/<id:proposal_id>/", people.answer_role, name="answer_role"),
    path("users/<id:user_id>/", people.user, name="user"),
    path("users/<id:user_id>/renew/", people.renew, name="renew_user"),
    path("users/<id:user_id>/deactivate/", people.deactivate, name="deactivate_user"),
    path("users/<id:user_id>/role/", people.give_role, name="give_role"),
    path("users/roles/<id:grant_id>/end/", people.end_role, name="end_role"),
]
