"""The site's addresses and one page with nothing in it, behind the same sign-in, middleware and frame. For a
measurement only.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from karez.web.urls import *  # noqa: F403
from karez.web.urls import urlpatterns as _site


@login_required
def empty(request: HttpRequest) -> HttpResponse:
    """The frame every page has, and no content."""
    return render(request, "web/base.html")


@login_required
def bare(request: HttpRequest) -> HttpResponse:
    """One letter, behind the same sign-in and middleware; no frame, no menu, no template."""
    return HttpResponse("-")


urlpatterns = [path("empty/", empty), path("bare/", bare), *_site]
