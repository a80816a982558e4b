"""Strict fields: what is taken is what the OpenAPI document says, and nothing is guessed.

Django REST Framework's own take "7" for 7, 7 for "7" and "2027-W01-1" for a date. Where a dose
depends on it, a caller who sends the wrong type has a fault that they want to hear of.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from drf_spectacular.drainage import set_override
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

LINE = (
    r"[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*",
    "Write something, on one line, without control characters.",
)
LINE_OR_NONE = (
    r"[^\u0000-\u001f\u007f]*",
    "Write it on one line, without control characters.",
)
WORDS = (
    r"[^\u0000]*[^\s\u0000][^\u0000]*",
    "Write something, without the character NUL.",
)
LINES = (r"[^\u0000]*", "Leave out the character NUL.")
HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_NEEDED = {"required": "Send this field.", "null": "This can't be null."}


class Strict(serializers.Serializer[Any]):
    """A body or a query whose every name must be known: a typing error is not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            whole = ValidationError("Send a JSON object.", code="not_an_object")
            raise ValidationError({"non_field_errors": whole.detail})
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            known = ", ".join(self.fields) or "none"
            raise ValidationError(
                {
                    name: ValidationError(
                        f"There is no such field here. Known: {known}.", code="unknown_field"
                    ).detail
                    for name in unknown
                }
            )
        return super().to_internal_value(data)


class Nothing(Strict):
    """No field."""


class Text(serializers.Field[str, Any, str, Any]):
    """A string of a kind: LINE, LINE_OR_NONE or LINES. Blanks at its ends don't count."""

    default_error_messages = {
        **_NEEDED,
        "invalid": "Send a string.",
        "max_length": "Shorten it to {max_length} characters.",
    }

    def __init__(
        self, *, max_length: int, kind: tuple[str, str] = LINE, strip: bool = True, **more: Any
    ) -> None:
        super().__init__(**more)
        self.max_length, (self.pattern, self.mend), self.strip = max_length, kind, strip
        described = {"type": "string", "maxLength": max_length, "pattern": f"^{self.pattern}$"}
        set_override(self, "field", described)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        if not re.fullmatch(self.pattern, data):
            raise ValidationError(self.mend, code="invalid")
        return data.strip() if self.strip else data

    def to_representation(self, value: str) -> str:
        return value


class OneOf(serializers.ChoiceField):
    """One of some words."""

    def __init__(self, choices: Any, **more: Any) -> None:
        words = ", ".join(str(word) for word, _ in choices)
        super().__init__(choices, **more)
        self.error_messages |= {**_NEEDED, "invalid_choice": f"Choose one of: {words}."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice")
        return data


class Whole(serializers.IntegerField):
    """A whole number between two bounds, both allowed; in a query, in digits."""

    def __init__(self, least: int, most: int, *, in_query: bool = False, **more: Any) -> None:
        bounds = f"Send a whole number from {least} to {most}."
        super().__init__(
            min_value=least,
            max_value=most,
            error_messages={
                **_NEEDED, "invalid": bounds, "min_value": bounds, "max_value": bounds,
            },
            **more,
        )  # fmt: skip
        self.in_query = in_query

    def to_internal_value(self, data: Any) -> int:
        if self.in_query and isinstance(data, str) and re.fullmatch(r"-?[0-9]{1,9}", data):
            data = int(data)
        # JSON has one kind of number: 7.0 is a way to write 7. True is none.
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if type(data) is not int:
            self.fail("invalid")
        return data


class Day(serializers.DateField):
    """A date, YYYY-MM-DD. What no plan or consent can mean is left to the verbs to refuse."""

    def __init__(self, **more: Any) -> None:
        message = "Write a date that exists, like 2027-01-25."
        super().__init__(
            error_messages={**_NEEDED, "invalid": message, "datetime": message}, **more
        )

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field[datetime, Any, str, Any]):
    """An instant with its zone, RFC 3339. What no rota can mean is left to the verbs to refuse."""

    default_error_messages = {
        **_NEEDED,
        "invalid": "Write an instant with its zone, like 2027-01-04T09:00:00Z.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not re.fullmatch(INSTANT, data, re.ASCII):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(data.upper())
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@extend_schema_field(OpenApiTypes.BOOL)
class YesNo(serializers.Field[bool, Any, bool, Any]):
    """True or false, and nothing that stands for them."""

    default_error_messages = {**_NEEDED, "invalid": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001 - as the framework has it
        return value


@extend_schema_field({"type": "string", "pattern": HOUR})
class Hour(serializers.Field[time, Any, str, Any]):
    """A wall time, HH:MM."""

    default_error_messages = {**_NEEDED, "invalid": "Write a time of day like 09:00."}

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not re.fullmatch(HOUR, data, re.ASCII):
            self.fail("invalid")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        return value.strftime("%H:%M")


@extend_schema_field(OpenApiTypes.UUID)
class Id(serializers.UUIDField):
    """An id as we write them: 36 characters, in any case."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            error_messages={**_NEEDED, "invalid": "Send an id, as you got it."}, **more
        )

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not UUID_TEXT.fullmatch(data):
            self.fail("invalid")
        return UUID(data)
