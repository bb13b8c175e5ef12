"""Addresses of the pages of village mutual funds."""

from django.urls import path

from karez.mutual_funds import resolution_views, reversal_views, views
from karez.records.views import list_page

app_name = "mutual_funds"
urlpatterns = [
    path("mutual-funds/", list_page, {"name": "mutual_funds.societies"}, name="societies"),
    path("mutual-funds/<id:society_id>/", views.society, name="society"),
    path("mutual-funds/found/<id:area_id>/", views.found, name="found"),
    path("mutual-funds/<id:society_id>/<slug:what>/", views.act, name="act"),
    path(
        "mutual-funds/<id:society_id>/vouchers/<id:voucher_id>/take-back/", reversal_views.take_back, name="take_back"
    ),
    path("mutual-funds/loans/<id:loan_id>/", views.loan, name="loan"),
    path("mutual-funds/loans/<id:loan_id>/<slug:what>/", views.act_loan, name="act_loan"),
    path("mutual-funds/resolutions/<id:resolution_id>/", resolution_views.resolution, name="resolution"),
    path("mutual-funds/resolutions/<id:resolution_id>/documents/", resolution_views.attach_minutes, name="attach"),
    path("mutual-funds/waiting/", views.waiting, name="waiting"),
    path("mutual-funds/waiting/<id:proposal_id>/", views.proposal, name="proposal"),
]
