"""All addresses: those of programs and those of people, and whom each fault is told to."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from api import problems
from web import faults

urlpatterns = [
    path("", include("api.urls")),
    path("", include("web.urls")),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself refuses."""
    if problems.belongs_here(request):
        return problems.bad_request()
    return faults.page(request, 400)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that isn't there."""
    return problems.not_found() if problems.belongs_here(request) else faults.page(request, 404)


def handler500(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return problems.fault() if problems.belongs_here(request) else faults.page(request, 500)
