"""No addresses at all: stands in where the web room is not installed, as in a check of the lower rooms alone."""

urlpatterns: list[object] = []
