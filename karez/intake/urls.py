"""Addresses of the pages of files sent in."""

from django.urls import path

from karez.intake import views

app_name = "intake"
urlpatterns = [
    path("files/", views.batches, name="batches"),
    path("files/send/", views.send, name="send"),
    path("places/<id:area_id>/enter/", views.enter_which, name="enter_which"),
    path("files/enter/<slug:sheet>/", views.enter, name="enter"),
    path("files/enter/<slug:sheet>/<slug:column>/", views.options, name="options"),
    path("files/templates/<slug:sheet>.xlsx", views.template, name="template"),
    path("files/<id:batch_id>/", views.batch, name="batch"),
    path("files/<id:batch_id>/progress/", views.progress, name="progress"),
    path("files/<id:batch_id>/faults.csv", views.faults, name="faults"),
    path("files/<id:batch_id>/decide/", views.decide, name="decide"),
]
