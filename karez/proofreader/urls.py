"""Addresses of the public proofreader."""

from django.urls import path

from karez.proofreader import views

app_name = "proofreader"
urlpatterns = [
    path("proof/", views.proof, name="proof"),
    path("proof/download/", views.download, name="proof_download"),
    path("proof/example/<slug:name>/", views.example, name="proof_example"),
    path("proof/example/<slug:name>.csv", views.example_file, name="proof_example_file"),
]
