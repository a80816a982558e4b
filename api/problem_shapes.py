"""Problems as the OpenAPI document describes them, with an example for each status."""

from http import HTTPStatus
from typing import Any


def response(status: int) -> dict[str, Any]:
    """The answer that a problem of this status is."""
    description, code, detail, errors = PROBLEMS[status]
    return {
        "description": description,
        "headers": {
            name: {"schema": {"type": "string"}, "description": words}
            for name, words in HEADERS.get(status, {}).items()
        },
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {"Problem": {"value": _example(status, code, detail, errors)}},
            }
        },
    }


def _example(status: int, code: str, detail: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "5f8d1c0a9b7e4f6d8c2b1a0e3d4c5b6a",
        "errors": errors,
    }


PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457: what is wrong, where, and how to mend it.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people: what is wrong, what to do."},
        "code": {"type": "string", "description": "For programs: stays when the words change."},
        "request_id": {"type": "string", "description": "What to tell support."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Its name; empty: the whole."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "current": {
            "$ref": "#/components/schemas/Schedule",
            "description": "With 409 and 412 on a schedule: how it is now, to decide again.",
        },
        "decided": {
            "oneOf": [{"$ref": "#/components/schemas/CaseDecision"}, {"type": "null"}],
            "description": "With 412 on a moderators' case: what somebody else decided meanwhile.",
        },
        "dose": {
            "type": "string",
            "format": "uuid",
            "description": "With 409 on an injection: the dose to record instead.",
        },
        "until": {
            "type": "string",
            "format": "date-time",
            "description": "With 403 and 409 in the community: when it is over.",
        },
        "help": {
            "$ref": "#/components/schemas/Help",
            "description": "In the community, where somebody may be in danger: show it first.",
        },
    },
}

HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Always Bearer."},
    412: {"ETag": "With a schedule or a case: of it as it is now."},
    429: {"Retry-After": "Seconds."},
    503: {"Retry-After": "Seconds."},
}

_MEND = "Mend what `errors` names, and send it again."

PROBLEMS: dict[int, tuple[str, str, str, list[dict[str, str]]]] = {
    400: (
        "What was sent can't be meant.",
        "invalid",
        _MEND,
        [
            {
                "field": "interval_days",
                "code": "interval_days",
                "detail": "Your clinic offers intervals of 7, 14, 21 days.",
            }
        ],
    ),
    401: (
        "Not signed in.",
        "not_authenticated",
        "Authentication credentials were not provided.",
        [],
    ),
    403: (
        "This isn't yours to do.",
        "role",
        "Your role (coordinator) may not start and change schedules. Ask a clinician of your team.",
        [],
    ),
    404: (
        "There is none, or none of your clinic's.",
        "not_found",
        "No such patient, or none that you may see.",
        [],
    ),
    406: (
        "Answers are JSON.",
        "not_acceptable",
        "Could not satisfy the request Accept header.",
        [],
    ),
    409: (
        "Sound, but not in the present state.",
        "already_started",
        "This patient has a schedule already. Change that one, or stop it first.",
        [],
    ),
    412: (
        "Decided on a state that has passed.",
        "changed_meanwhile",
        "Somebody changed this schedule, or a dose became due, since you looked. "
        "Look at it as it is now, and decide again.",
        [],
    ),
    413: ("Too long.", "too_long", "Send at most 1000000 bytes.", []),
    415: (
        "The body isn't of the type that is read here.",
        "unsupported_media_type",
        'Unsupported media type "text/plain" in request.',
        [],
    ),
    428: (
        "A decision has to say what it was made on.",
        "if_match_missing",
        "Look at it as it is now, and send its ETag as If-Match, so that you decide on what you "
        "saw.",
        [],
    ),
    429: (
        "Tried too often.",
        "too_many_attempts",
        "There were too many attempts to sign in. Wait 10 min and try again.",
        [],
    ),
    503: (
        "The database doesn't answer; nothing was changed.",
        "unavailable",
        "The database doesn't answer. Nothing was changed: try again in a moment.",
        [],
    ),
}
