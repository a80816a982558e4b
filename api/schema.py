"""How the OpenAPI document is made: from the doors themselves, and what all of them share."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
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

from api import problem_shapes
from api.entrance import Staff

INTRODUCTION = Path(__file__).with_name("introduction.md")
TAGS = {
    "you": "Signing in and out.",
    "patients": "Whom your clinics remind, and how to reach them.",
    "schedules": "Intervals, and the care team's decisions on them.",
    "doses": "What became of each dose, as it was told.",
    "texts": "What was sent, and what became of it.",
    "health": "How patients fare: side effects, blood results, and what became of doses.",
    "worklist": "What a person has to look at, and who is on duty.",
    "clinics": "What a clinic chooses.",
    "transfers": "Patients whom another clinic takes over.",
    "templates": "A clinic's own texts.",
    "imports": "Taking over patients from a spreadsheet.",
    "community": "Peers under a pseudonym: with a token of the persona's own.",
    "moderation": "For moderators.",
    "twilio": "For Twilio alone.",
    "service": "For whoever runs this.",
}
IF_MATCH = "If-Match"
REPEAT_KEY = "Idempotency-Key"
PATIENT_HEADER = "X-Patient-Token"

View = TypeVar("View", bound=Callable[..., Any])
Shape = type[serializers.Serializer[Any]]

_PATIENT = OpenApiParameter(
    "patient_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The patient's id.",
    examples=[OpenApiExample("Ada", "0198c0de-0000-7000-8000-00000000ada0")],
)
_ITEM = OpenApiParameter(
    "item_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The item's id.",
    examples=[OpenApiExample("No answer", "0198c0de-0000-7000-8000-00000000a27e")],
)
_CLINIC = OpenApiParameter(
    "clinic_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The id of one of your clinics.",
    examples=[OpenApiExample("St Example", "0198c0de-0000-7000-8000-00000000c110")],
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
    description="The ETag of what the decision was made on, as you read it.",
    examples=[OpenApiExample("ETag", '"5b0c1e2f9a7d4c3b8e6f1a2d3c4b5a69"')],
)
_BOTH = OpenApiParameter(
    PATIENT_HEADER,
    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="The token of your signing in as a patient, beside that of the community.",
    examples=[OpenApiExample("Token", "0f" * 32)],
)
_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="Names the state of what was read. Send it as If-Match with a decision.",
)


def operation(
    name: str,
    tag: str,
    *,
    answer: Shape | Mapping[Any, Any] | None,
    shows: Any = None,
    body: Shape | OpenApiTypes | None = None,
    sends: Any = None,
    query: Shape | None = None,
    status: int = 200,
    problems: Sequence[int] = (),
    patient: bool = False,
    item: bool = False,
    clinic: bool = False,
    path: Mapping[str, str] | None = None,
    repeatable: bool = False,
    decides: bool = False,
    etag: bool = False,
    patient_token: bool = False,
    media_type: str = "application/json",
) -> Callable[[View], View]:
    """Describe one operation: its docstring says what it does, its first line in short.

    shows, sends: an example of the answer, and of the body. problems: statuses beside those that
    every such operation has. patient, item, clinic, repeatable, decides, etag, patient_token: which
    of the common parameters and headers it has. path: what else the path names, each with an id to
    show: "post" is post_id. media_type: of the body.
    """
    parameters: list[Any] = [query] if query else []
    chosen = (
        (_PATIENT, patient),
        (_ITEM, item),
        (_CLINIC, clinic),
        (_REPEATABLE, repeatable),
        (_DECIDED_ON, decides),
        (_ETAG, etag),
        (_BOTH, patient_token),
    )
    parameters += [parameter for parameter, wanted in chosen if wanted]
    parameters += [_named(what, example) for what, example in (path or {}).items()]
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
            *((404,) if patient or item or clinic or path else ()),
            *((409,) if repeatable else ()),
            *((412, 428) if decides else ()),
        }
        return described

    return describe


def _named(what: str, example: str) -> OpenApiParameter:
    """A path's id of something."""
    return OpenApiParameter(
        f"{what}_id",
        OpenApiTypes.UUID,
        OpenApiParameter.PATH,
        description=f"The {what.replace('_', ' ')}'s id.",
        examples=[OpenApiExample(what.capitalize(), example)],
    )


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
        if Staff in self.view.permission_classes:
            found |= {403}
        if self.view.throttle_classes:
            found |= {429}
        if self.method in {"POST", "PUT", "PATCH"}:
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


class PersonaScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a persona's token has to be sent."""

    target_class = "api.community.door.PersonaToken"
    name = "persona"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that coming in to the community gives.",
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


def describe_the_whole(
    result: dict[str, Any], generator: Any, request: Any, public: Any
) -> dict[str, Any]:
    """Put the introduction into the document, and the problems that operations refer to."""
    result["info"]["description"] = INTRODUCTION.read_text()
    result["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    components = result["components"]
    components["schemas"]["Problem"] = problem_shapes.PROBLEM
    components["responses"] = {
        f"Problem{status}": problem_shapes.response(status) for status in problem_shapes.PROBLEMS
    }
    return result
