"""Addresses of the pages of public money."""

from django.urls import path

from karez.funds import views

app_name = "funds"
urlpatterns = [
    path("money/", views.lines, name="lines"),
    path("money/lines/<int:line_id>/", views.line, name="line"),
    path("money/lines/<int:line_id>/prepare/<slug:what>/", views.prepare, name="prepare"),
    path("money/waiting/", views.waiting, name="waiting"),
    path("money/waiting/<int:proposal_id>/", views.proposal, name="proposal"),
]
