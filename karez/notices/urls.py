"""Addresses of documents."""

from django.urls import path

from karez.notices import views

app_name = "notices"
urlpatterns = [path("documents/<int:document_id>/", views.document, name="document")]
