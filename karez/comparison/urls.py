"""The address of the page side by side."""

from django.urls import path

from karez.comparison import side_by_side

app_name = "comparison"
urlpatterns = [path("yearbook/side-by-side/", side_by_side.side_by_side, name="side_by_side")]
