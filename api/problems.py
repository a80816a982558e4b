"""Every no of this door, as RFC 9457 problem details: what is wrong, where, and how to mend it."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError

from accounts import request_id
from accounts.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal, Stale
from accounts.sign_in import NotSignedIn, TooMany

log = logging.getLogger(__name__)

STATUS: dict[type[Refusal], int] = {
    Invalid: 400,
    NotSignedIn: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooMany: 429,
}
TRY_AGAIN = 5


@dataclass(frozen=True)
class Error:
    """One thing to mend. field: its name in the body or query, a header's name, or ""."""

    field: str
    code: str
    detail: str


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Iterable[Error] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    """The answer that a problem gets. `code` is for programs and stays; `detail` is for people."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.current.get(),
        "errors": [vars(error) for error in errors],
        **more,
    }
    return JsonResponse(
        body,
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
        json_dumps_params={"ensure_ascii": False},
    )


def answer(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """The problem that an exception in a view is; None for a fault of ours, which becomes a 500.
    The `help` of a refusal, or of the view, is for somebody who may be in danger: they were heard
    all the same."""
    help_ = getattr(context.get("view"), "help", None)
    more = {"help": help_.as_json()} if help_ else {}
    match error:
        case Refusal():
            return _refusal(error, more)
        case ValidationError():
            errors = list(_flat(error.detail))
            detail = "Mend what `errors` names, and send it again."
            return problem(400, "invalid", detail, errors, **more)
        case APIException():
            return _framework(error, more)
        case Http404():
            return not_found()
        case PermissionDenied():
            return problem(403, "forbidden", "You may not do this.")
        case SuspiciousOperation():
            return bad_request()
        case OperationalError():
            log.exception("The database did not answer")
            return problem(
                503,
                "unavailable",
                "The database doesn't answer. Nothing was changed: try again in a moment.",
                headers={"Retry-After": str(TRY_AGAIN)},
            )
    return None


def not_found() -> HttpResponse:
    """For a path under /api that isn't there."""
    return problem(404, "not_found", "There is nothing at this address. See /api/docs.")


def bad_request() -> HttpResponse:
    """For a request that Django itself refuses: its host, its headers, its fields."""
    return problem(400, "bad_request", "This request can't be read. See /api/docs.")


def fault() -> HttpResponse:
    """For a fault of ours. What it was is in the log, under the same request id."""
    return problem(500, "fault", "Something went wrong here. Tell support the request_id.")


def _refusal(refusal: Refusal, more: dict[str, Any]) -> HttpResponse:
    status = next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
    errors = [Error(refusal.field, refusal.code, refusal.message)] if refusal.field else []
    headers = {}
    if isinstance(refusal, TooMany):
        headers["Retry-After"] = str(math.ceil(refusal.wait.total_seconds()))
    if isinstance(refusal, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if "current" in refusal.facts:
        # The door has put the state there that the caller should have decided on.
        more["current"] = refusal.facts["current"]
        headers["ETag"] = refusal.facts["etag"]
    if "decided" in refusal.facts:
        more["decided"] = refusal.facts["decided"]
        headers["ETag"] = refusal.facts["etag"]
    if "dose" in refusal.facts:
        more["dose"] = refusal.facts["dose"]
    if "until" in refusal.facts:
        more["until"] = refusal.facts["until"]
    if "help" in refusal.facts:
        more["help"] = refusal.facts["help"].as_json()
    return problem(status, refusal.code, refusal.message, errors, headers, **more)


def _framework(error: APIException, more: dict[str, Any]) -> HttpResponse:
    """Django REST Framework's own: parsing, signing in, methods, media types."""
    code = error.get_codes()
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(math.ceil(getattr(error, "wait", None) or 1))
    return problem(
        error.status_code,
        code if isinstance(code, str) else "refused",
        str(error.detail),
        headers=headers,
        **more,
    )


def _flat(detail: Any, path: str = "") -> Iterator[Error]:
    """DRF's nested lists and dictionaries of errors, each with the path of its field."""
    if isinstance(detail, ErrorDetail):
        yield Error(path, detail.code or "invalid", str(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(part for part in (path, here) if part))
    else:
        for inner in detail:
            yield from _flat(inner, path)


def belongs_here(request: HttpRequest) -> bool:
    """Whether a request is a program's, so that its problems are told in JSON."""
    return request.path.startswith(("/api/", "/health")) or request.path == "/api"
