"""Addresses of documents."""

from django.urls import path

from karez.notices import views

app_name = "notices"
urlpatterns = [path("documents/<id:document_id>/", views.document, name="document")]
