"""How the OpenAPI document is made: from the doors themselves, and what all of them share."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    Direction,
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

IF_MATCH = "If-Match"
REPEAT_KEY = "Idempotency-Key"

View = TypeVar("View", bound=Callable[..., Any])
Shape = type[serializers.Serializer[Any]]

_PATIENT = OpenApiParameter(
    "patient_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The patient's id.",
    examples=[OpenApiExample("Ada", "0198c0de-0000-7000-8000-00000000ada0")],
)
_REPEATABLE = OpenApiParameter(
    REPEAT_KEY,
    {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    OpenApiParameter.HEADER,
    description="Choose one for each act: a request that is repeated with it within 24 hours is "
    "answered as the first one was, and nothing is done twice.",
    examples=[OpenApiExample("Key", "b7c0a5e4-start-ada")],
)
_DECIDED_ON = OpenApiParameter(
    IF_MATCH,
    {"type": "string", "pattern": '^"[!#-~]{1,100}"$'},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the schedule that the decision was made on.",
    examples=[OpenApiExample("ETag", '"5b0c1e2f9a7d4c3b8e6f1a2d3c4b5a69"')],
)
_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="Names the schedule's state. Send it as If-Match with a decision.",
)


def operation(
    name: str,
    tag: str,
    *,
    answer: Shape | Mapping[Any, Any] | None,
    shows: Any = None,
    body: Shape | None = None,
    sends: Any = None,
    query: Shape | None = None,
    status: int = 200,
    problems: Sequence[int] = (),
    patient: bool = False,
    repeatable: bool = False,
    decides: bool = False,
    etag: bool = False,
    media_type: str = "application/json",
) -> Callable[[View], View]:
    """Describe one operation: its docstring says what it does, its first line in short.

    shows, sends: an example of the answer, and of the body. problems: statuses beside those that
    every such operation has. patient, repeatable, decides, etag: which of the common parameters
    and headers it has. media_type: of the body.
    """
    parameters: list[Any] = [query] if query else []
    chosen = ((_PATIENT, patient), (_REPEATABLE, repeatable), (_DECIDED_ON, decides), (_ETAG, etag))
    parameters += [parameter for parameter, wanted in chosen if wanted]
    examples = []
    if sends is not None:
        examples.append(OpenApiExample("Request", sends, request_only=True, media_type=media_type))
    if shows is not None:
        examples.append(
            OpenApiExample("Answer", shows, response_only=True, status_codes=[str(status)])
        )
    answers = answer if isinstance(answer, Mapping) else {status: _response(answer, status)}

    def describe(view: View) -> View:
        described = extend_schema(
            operation_id=name,
            tags=[tag],
            parameters=parameters,
            request=body,
            responses=answers,
            examples=examples,
        )(view)
        described.problems = {  # type: ignore[attr-defined]
            *problems,
            *((404,) if patient else ()),
            *((409,) if repeatable else ()),
            *((412, 428) if decides else ()),
        }
        return described

    return describe


def _response(answer: Shape | None, status: int) -> OpenApiResponse:
    return OpenApiResponse(answer, HTTPStatus(status).phrase)


class DescribedView(AutoSchema):
    """Takes summary and description from the docstring, and adds the problems of each operation."""

    def get_summary(self) -> str:
        return self._words()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        first, _, rest = self._words()
        return rest.strip() or first

    def _words(self) -> tuple[str, str, str]:
        lines = super().get_description().strip()
        return lines.partition("\n\n")

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in sorted(self._problems()):
            bodies[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        return bodies

    def _get_serializer_name(self, *args: Any, **kwargs: Any) -> str:
        # PatientShown is what is shown of a Patient: outside there is nothing else by that name.
        return super()._get_serializer_name(*args, **kwargs).replace("Shown", "")

    def _problems(self) -> set[int]:
        found = {400, 406, 503, *getattr(getattr(self.view, self.method.lower()), "problems", ())}
        if self.view.authentication_classes:
            found |= {401}
        if self.method in {"POST", "PATCH"}:
            found |= {413, 415}
        return found


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document says that a token has to be sent."""

    target_class = "api.entrance.Token"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that signing in gives.",
        }


class StrictScheme(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says that names which aren't known are refused."""

    target_class = "api.fields.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        map_plainly: Any = auto_schema._map_serializer  # noqa: SLF001 - as its documentation does
        return {
            **map_plainly(self.target, direction, bypass_extensions=True),
            "additionalProperties": False,
        }


def describe_problems(
    result: dict[str, Any], generator: Any, request: Any, public: Any
) -> dict[str, Any]:
    """Put the shape of problems into the document, and an example for each status."""
    components = result["components"]
    components["schemas"]["Problem"] = PROBLEM
    components["responses"] = {
        f"Problem{status}": {
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
        for status, (description, code, detail, errors) in PROBLEMS.items()
    }
    return result


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
    },
}

HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Always Bearer."},
    412: {"ETag": "Of the schedule as it is now, which is in `current`."},
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
        "No such patient, or it isn't one of your clinic's.",
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
        "Look at the schedule, and send its ETag as If-Match, so that you decide on what you saw.",
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
