"""Strict readers of the environment: a missing or wrong variable stops the start with one line.

Every variable that the settings read is described here or in settings.py by a call of `read`, and
nowhere else, so that `READ` is the whole list: docker-compose.yml is tested against it.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import environ

Value = TypeVar("Value")

READ: dict[str, str] = {}
"""Name of each variable read so far, with how to set it."""


class Misconfigured(SystemExit):
    """Ends the process with status 1 and one line on standard error, instead of a traceback."""

    def __init__(self, name: str, trouble: str, mend: str) -> None:
        super().__init__(f"Dosecircle can't start: {name} {trouble}. {mend}")


def read(name: str, parse: Callable[[str], Value], mend: str, default: str | None = None) -> Value:
    """The parsed value of one environment variable.

    `mend` is one sentence that tells an operator how to set it. A `default` of None means that
    there is none; one that is set but empty counts as left out. Raises Misconfigured when the
    variable is missing, or `parse` raises ValueError.
    """
    READ[name] = mend
    # Not by django-environ, to which a secret that begins with $ names another variable.
    text = os.environ.get(name, "").strip() or default
    if not text:
        raise Misconfigured(name, "is missing", mend)
    try:
        text.encode()  # else bytes that are no UTF-8 would fail at their first use
        return parse(text)
    except (ValueError, KeyError, TypeError) as error:
        # The value itself may be a secret, so the line says what is wrong, never what it was.
        trouble = str(error) if isinstance(error, WrongValue) else "has a value that can't be read"
        raise Misconfigured(name, trouble, mend) from None


class WrongValue(ValueError):
    """A value that can't be used; its words are safe to show."""


def secret(text: str) -> str:
    """A secret of at least 32 characters."""
    if len(text) < 32:
        raise WrongValue("is shorter than 32 characters")
    return text


def database(text: str) -> dict[str, Any]:
    """Django's settings of one Postgres database from a postgres:// URL."""
    if urlsplit(text).scheme not in {"postgres", "postgresql"}:
        raise WrongValue("is not a postgres:// URL")
    found: dict[str, Any] = dict(environ.Env.db_url_config(text))
    if not found["NAME"]:
        raise WrongValue("names no database")
    # A worker that is stopped amid a transaction would hold its rows' locks for as long as it is.
    limit = "-c idle_in_transaction_session_timeout=10s"
    options = found.setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} {limit}".strip()
    return found


def redis(text: str) -> str:
    """A Redis URL as Celery's transport names it (it calls a Unix socket redis+socket)."""
    parts = urlsplit(text)
    if parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0:
        if not re.fullmatch(r"/?\d*", parts.path):
            raise WrongValue("ends in something else than the number of a database")
        return text
    if parts.scheme == "unix" and parts.path:
        number = re.search(r"(?:^|&)db=(\d+)", parts.query)
        return f"redis+socket://{parts.path}?virtual_host={number[1] if number else 0}"
    raise WrongValue("is not a redis://, rediss:// or unix:// URL")


@dataclass(frozen=True)
class Mail:
    """Where e-mail is handed over. tls: "whole", "starttls", or "" on this machine. sender: whom it
    is from. host is "" where there is none."""

    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    tls: str = ""
    sender: str = ""


def mail(text: str) -> Mail:
    """A mail server, "none" for none: smtps://, or smtp://, which asks for STARTTLS but on this
    machine itself. `?from=` is whom our e-mails are from."""
    if text == "none":
        return Mail()
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0:
        raise WrongValue("is not an smtp:// or smtps:// URL")
    asked = parse_qs(parts.query, strict_parsing=True, keep_blank_values=True)
    sender = asked.pop("from", [""])
    if parts.path not in {"", "/"} or parts.fragment or asked:
        raise WrongValue("holds more than a server and ?from=")
    if len(sender) != 1 or not re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", sender[0]):
        raise WrongValue("doesn't say whom e-mails are from (?from=)")
    if bool(parts.username) != bool(parts.password):
        raise WrongValue("has a user or a password alone")
    whole = parts.scheme == "smtps"
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return Mail(
        host=parts.hostname,
        port=parts.port or (465 if whole else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls="whole" if whole else "" if here else "starttls",
        sender=sender[0],
    )


def origin(text: str) -> str:
    """A public address without a trailing slash; https but for this machine itself."""
    parts = urlsplit(text)
    odd = parts.username or parts.query or parts.fragment or parts.port == 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd or text.split() != [text]:
        raise WrongValue("is not a web address")
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise WrongValue("is not https")
    return text.rstrip("/")


def names(text: str) -> list[str]:
    """Comma-separated host names; one that begins with a dot stands for its subdomains too."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found or "*" in found:
        raise WrongValue("names no host, or any host")
    host = re.compile(r"\.?[\w-]+(\.[\w-]+)*|\[[0-9a-f:.]+\]", re.ASCII)
    if not all(host.fullmatch(name) for name in found):
        raise WrongValue("holds what is not a host name")
    return found


def accounts(text: str) -> dict[str, str]:
    """Twilio accounts: `ACsid=token`, comma-separated."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        sid, _, token = pair.strip().partition("=")
        if not re.fullmatch(r"AC[0-9a-f]{32}", sid) or not token:
            raise WrongValue("is not a list of ACsid=token")
        found[sid] = token
    return found


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers between two bounds, both allowed."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise WrongValue(f"is not a whole number from {least} to {most}")
        return int(text)

    return parse
