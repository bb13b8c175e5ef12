"""Addresses of the pages of public money."""

from django.urls import path

from karez.funds import views

app_name = "funds"
urlpatterns = [
    path("funds/", views.lines, name="lines"),
    path("funds/lines/<id:line_id>/", views.line, name="line"),
    path("funds/lines/<id:line_id>/prepare/<slug:what>/", views.prepare, name="prepare"),
    path(
        "funds/appropriations/<id:appropriation_id>/take-back/",
        views.take_back_appropriation,
        name="take_back_appropriation",
    ),
    path("funds/allocations/<id:allocation_id>/take-back/", views.take_back_allocation, name="take_back_allocation"),
    path("funds/standards/", views.standards, name="standards"),
    path("funds/waiting/", views.waiting, name="waiting"),
    path("funds/waiting/<id:proposal_id>/", views.proposal, name="proposal"),
]
