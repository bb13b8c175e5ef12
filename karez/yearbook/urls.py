"""Addresses of the yearbook."""

from django.urls import path

from karez.yearbook import catalogue, proof_views, public_views, side_by_side, signing_views, views

app_name = "yearbook"
urlpatterns = [
    path("yearbook/", views.home, name="home"),
    path("yearbook/catalogue/", catalogue.catalogue, name="catalogue"),
    path("yearbook/side-by-side/", side_by_side.side_by_side, name="side_by_side"),
    path("yearbook/record/<slug:table>/<slug:column>/<str:key>/", views.record, name="record"),
    path("yearbook/edition/<id:edition_id>/", signing_views.edition, name="edition"),
    path("yearbook/<slug:region>/<year:year>/prepare/", signing_views.prepare, name="prepare"),
    path("yearbook/<slug:region>/<year:year>/", views.chapter, name="chapter"),
    path("yearbook/<slug:region>/<year:year>/figures.csv", views.figures_csv, name="figures"),
    path("yearbook/<slug:region>/<year:year>/<str:figure_id>/", views.trace, name="trace"),
    path("editions/", public_views.editions, name="public_editions"),
    path("editions/<year:year>/<id:number>/", public_views.edition_file, name="public_edition"),
    path("editions/<year:year>/<id:number>/<path:path>", public_views.edition_file, name="public_file"),
    path("proof/", proof_views.proof, name="proof"),
    path("proof/download/", proof_views.download, name="proof_download"),
    path("proof/example/<slug:name>/", proof_views.example, name="proof_example"),
    path("proof/example/<slug:name>.csv", proof_views.example_file, name="proof_example_file"),
]
