"""Addresses of lists, their files, and pages of record."""

from django.urls import path

from karez.records import views

app_name = "records"
urlpatterns = [
    path("lists/<str:name>/", views.list_page, name="list"),
    path("lists/<str:name>/file/", views.file, name="file"),
    path("lists/<str:name>/<str:of>/<id:record_id>/", views.list_of, name="list_of"),
    path("lists/<str:name>/<str:of>/<id:record_id>/file/", views.file_of, name="file_of"),
    path("records/<str:name>/<id:record_id>/", views.record, name="record"),
]
