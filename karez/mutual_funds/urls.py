"""Addresses of the pages of village mutual funds."""

from django.urls import path

from karez.mutual_funds import resolution_views, reversal_views, views

app_name = "mutual_funds"
urlpatterns = [
    path("mutual-funds/", views.societies, name="societies"),
    path("mutual-funds/<int:society_id>/", views.society, name="society"),
    path("mutual-funds/found/<int:area_id>/", views.found, name="found"),
    path("mutual-funds/<int:society_id>/<slug:what>/", views.act, name="act"),
    path("mutual-funds/<int:society_id>/vouchers/<int:voucher_id>/take-back/", reversal_views.take_back, name="take_back"),
    path("mutual-funds/loans/<int:loan_id>/", views.loan, name="loan"),
    path("mutual-funds/loans/<int:loan_id>/<slug:what>/", views.act_loan, name="act_loan"),
    path("mutual-funds/resolutions/<int:resolution_id>/", resolution_views.resolution, name="resolution"),
    path("mutual-funds/resolutions/<int:resolution_id>/documents/", resolution_views.attach_minutes, name="attach"),
    path("mutual-funds/waiting/", views.waiting, name="waiting"),
    path("mutual-funds/waiting/<int:proposal_id>/", views.proposal, name="proposal"),
]
