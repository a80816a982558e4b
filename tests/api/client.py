"""The one way in which these tests ask the API, whether it is to say yes or no."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from django.test import Client

from accounts.models import User
from accounts.sign_in import give_token

PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}


@dataclass(frozen=True)
class Answer:
    """headers: names in lower case. body: what the JSON says, or else the text."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def etag(self) -> str:
        return self.headers["etag"]


Send = Callable[[str, str, bytes, dict[str, str]], Answer]


@dataclass
class Caller:
    """Somebody who asks; `token` is theirs, "" for a stranger to the service."""

    token: str = ""
    send: Send = field(default_factory=lambda: in_process)

    def ask(
        self,
        method: str,
        path: str,
        *,
        expect: int,
        code: str = "",
        field: str = "",
        body: Any = None,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        """Ask, and check that the answer is as expected and in the form that it has to have.

        code, field: of the problem. raw: a body as it is. headers: If_Match="..." is If-Match.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", content_type)
        answer = self.send(method, path, raw or b"", sent)
        assert answer.status == expect, (answer.status, answer.body)
        assert answer.headers.get("x-request-id")
        if expect >= 400:
            _check_problem(answer, code, field)
        else:
            assert not code
            assert not field
        return answer


def signed_in(user: User, send: Send | None = None) -> Caller:
    """Somebody with a token."""
    return Caller(give_token(user).token, send or in_process)


def in_process(method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Ask Django's handler itself."""
    response = Client(raise_request_exception=False).generic(
        method, path, body, headers.pop("Content-Type", ""), headers=headers
    )
    return _answer(response.status_code, response.headers, response.getvalue())


def over_http(url: str) -> Send:
    """Ask a web process."""

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        response = requests.request(method, url + path, data=body, headers=headers, timeout=20)
        return _answer(response.status_code, response.headers, response.content)

    return send


def _answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    found = {name.lower(): value for name, value in headers.items()}
    is_json = "json" in found.get("content-type", "")
    return Answer(status, found, json.loads(content) if is_json else content.decode())


def _check_problem(answer: Answer, code: str, field: str) -> None:
    """Whether it is a whole problem, of this code, that names this field."""
    assert answer.headers["content-type"] == "application/problem+json", answer.body
    assert set(answer.body) >= PROBLEM, answer.body
    assert answer["status"] == answer.status
    assert answer["request_id"] == answer.headers["x-request-id"]
    assert answer["detail"]
    for error in answer["errors"]:
        assert set(error) == {"field", "code", "detail"}
        assert error["detail"]
    codes = {answer["code"], *(error["code"] for error in answer["errors"])}
    assert not code or code in codes, answer.body
    assert not field or field in {error["field"] for error in answer["errors"]}, answer.body
    if answer.status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
