"""Addresses of the pages of returns."""

from django.urls import path

from karez.returns import views

app_name = "returns"
urlpatterns = [
    path("returns/", views.listing, name="list"),
    path("returns/submit/", views.submit, name="submit"),
    path("returns/<id:return_id>/", views.one, name="one"),
    path("returns/<id:return_id>/decide/", views.decide, name="decide"),
    path("returns/<id:return_id>/attach/", views.attach_document, name="attach"),
]
