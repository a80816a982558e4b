"""How bodies are read: JSON by the letter, and the forms that Twilio posts."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class Json(BaseParser):
    """JSON as RFC 8259 has it, in UTF-8, and without what only some programs would understand:
    a name twice, numbers beyond any number, halves of characters."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            read = json.loads(
                stream.read().decode(),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_each_once,
            )
            # A half of a surrogate pair can't be stored, logged or sent back.
            json.dumps(read, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ParseError("The body holds half a character (a lone surrogate).") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except _Unclear as error:
            raise ParseError(str(error)) from None
        except ValueError as error:
            raise ParseError(f"The body isn't JSON in UTF-8: {_reason(error)}") from None
        return read


class Form(BaseParser):
    """An HTML form, in UTF-8 whatever it says of itself."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        return QueryDict(stream.read(), encoding="utf-8")


class Csv(BaseParser):
    """A file of a spreadsheet's, in UTF-8: its `text`, still to be read."""

    media_type = "text/csv"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        try:
            return {"text": stream.read().decode("utf-8-sig")}
        except UnicodeDecodeError:
            raise ParseError("The file isn't UTF-8. Save it as CSV UTF-8.") from None


class _Unclear(ValueError):
    """JSON that can be read in more than one way; its words are safe to show."""


def _refuse_constant(name: str) -> None:
    raise _Unclear(f"{name} isn't a number in JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise _Unclear("The body holds a number that is too large.")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise _Unclear("The body holds a name twice in one object.")
    return read


def _reason(error: ValueError) -> str:
    """Where it stops being JSON. Never the text itself, which may be about a patient."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, line {error.lineno}, column {error.colno}."
    return "a number is too long, or the bytes aren't UTF-8."
