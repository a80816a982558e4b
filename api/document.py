"""The OpenAPI document, and pages to browse it."""

from pathlib import Path
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from api.door import Door
from api.entrance import Anybody

DOCUMENT = Path(__file__).with_name("openapi.yaml")
"""Written by `make schema`, and compared with the code by the tests."""

# Swagger UI sets styles of its own as it runs; scripts come from our files alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Document(Door):
    """/api/openapi.yaml"""

    authentication_classes = []
    permission_classes = [Anybody]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(DOCUMENT.read_bytes(), content_type="application/yaml")


class Docs(SpectacularSwaggerSplitView):
    """/api/docs"""

    authentication_classes = []
    permission_classes = [Anybody]
    url = "/api/openapi.yaml"
    title = "Dosecircle's API"

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response
