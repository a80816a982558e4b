"""What happens to every request before anything else looks at it."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import request_id
from api import problems

Handler = Callable[[HttpRequest], HttpResponse]

LONGEST_FILE = 6_000_000
"""Bytes of a clinic's file of patients; what it may hold: reminders/patients/import_file.py."""

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Names each request: in its answer, in the audit trail and in the log.

    A caller may name it, in X-Request-ID, so that both sides' logs can be laid side by side.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if SANE.fullmatch(given) else uuid4().hex
        token = request_id.current.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.current.reset(token)
        response["X-Request-ID"] = name
        return response


class BodyLimit:
    """Refuses a body that is too long, or of a length that isn't told, before reading any of it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_file = request.content_type == "text/csv"
        most = LONGEST_FILE if is_file else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        told = request.headers.get("Content-Length", "")
        if told.isdecimal() and int(told[:20]) > most:
            return problems.problem(413, "too_long", f"Send at most {most} bytes.")
        if not told and "Transfer-Encoding" in request.headers:
            return problems.problem(411, "length_required", "Send a Content-Length.")
        return self.get_response(request)
