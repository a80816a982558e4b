"""Missing and wrong settings stop the start with one line that says which, and how to mend it."""

import ast
import os
import subprocess

import pytest

from config.environment import READ
from dev.stack import free_port
from tests.compose import ROOT, command, start_of
from tests.start import read_settings, refusal, required, right

SECRET = "Tr0ub4dor"

WRONG = {
    "SECRET_KEY": [SECRET, f"{SECRET}{'x' * (31 - len(SECRET))}"],
    "ALLOWED_HOSTS": [
        "*", f"{SECRET}.example.org,*", ",", f"https://{SECRET}", f"{SECRET}:80", f"{SECRET}/x",
        f"{SECRET} example.org", ".", "..",
    ],
    "PUBLIC_URL": [
        f"http://{SECRET}.example.org", SECRET, f"ftp://{SECRET}", "https://", f"https://{SECRET}:x",
        f"https://{SECRET}:99999", f"https://me:{SECRET}@example.org", f"https://{SECRET}/?a=1",
        f"https://{SECRET}/#a", f"https://{SECRET} x", "https://[", "//example.org",
    ],
    "DATABASE_URL": [
        f"mysql://me:{SECRET}@db/dosecircle", f"sqlite:///{SECRET}", SECRET, f"postgres://{SECRET}",
        f"postgres://me:{SECRET}@db/", f"postgres://me:{SECRET}@db:port/dosecircle",
        f"postgres://me:{SECRET}@[db/dosecircle", f"://{SECRET}",
    ],
    "REDIS_URL": [
        f"http://:{SECRET}@redis:6379/0", SECRET, "redis://", f"redis://:{SECRET}@redis:port/0",
        f"redis://:{SECRET}@redis:6379/first", "unix://",
    ],
    "TWILIO_ACCOUNTS": [
        SECRET, f"AC{'0' * 32}", f"AC{'0' * 31}={SECRET}", f"SK{'0' * 32}={SECRET}",
        f"AC{'0' * 32}={SECRET},{SECRET}", f"AC{'A' * 32}={SECRET}", ",",
    ],
    "TWILIO_BASE_URL": [f"http://{SECRET}", SECRET, f"https://{SECRET}:x"],
    "TWILIO_QUIET_SECONDS": ["0", "3601", "-1", "1.5", SECRET, "9" * 5000, "²"],
    "EMAIL_URL": [
        SECRET, f"http://{SECRET}", f"smtp://{SECRET}", f"smtps://me:{SECRET}@host", "smtp://?from=a@b",
        f"smtps://{SECRET}@host?from=a@b.example", f"smtps://me:{SECRET}@host?from=nobody",
        f"smtps://me:{SECRET}@host?from=a@b.example&to=c", f"smtps://me:{SECRET}@host/x?from=a@b",
        f"smtps://me:{SECRET}@host:port?from=a@b", f"smtps://me:{SECRET}@host?from=a@b&from=c@d",
    ],
    "TRUSTED_PROXIES": ["10", "-1", SECRET],
}  # fmt: skip

RIGHT = {
    "SECRET_KEY": ["$" + "k" * 31, "é" * 32],
    "ALLOWED_HOSTS": ["a.example, .b.example,", "127.0.0.1,[::1],localhost"],
    "PUBLIC_URL": ["https://a.example/", "http://127.0.0.1:8000", "http://[::1]:8000"],
    "DATABASE_URL": [
        "postgres://me:p%40ss@db:5432/dosecircle?sslmode=require",
        "postgresql:///dosecircle?host=/run/postgresql",
    ],
    "REDIS_URL": ["redis://redis", "rediss://:word@redis:6379/15", "unix:///run/redis.sock?db=1"],
    "TWILIO_ACCOUNTS": [f"AC{'0' * 32}=one, AC{'1' * 32}=two=2"],
    "TWILIO_QUIET_SECONDS": ["1", "3600", " 60 "],
    "EMAIL_URL": [
        "none",
        "smtps://me:p%40ss@mail.example:465?from=us@example.org",
        "smtp://mail.example?from=us@example.org",
        "smtp://127.0.0.1:25?from=us@example.org",
    ],
}


def test_the_cases_here_cover_every_variable():
    assert set(WRONG) == set(READ)
    assert required() == {
        "SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "TWILIO_ACCOUNTS",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("migrate", "DATABASE_URL", ""),
        ("migrate", "SECRET_KEY", SECRET),
        ("web", "PUBLIC_URL", f"http://{SECRET}.example.org"),
        ("worker", "TWILIO_ACCOUNTS", ""),
        ("beat", "REDIS_URL", f"http://:{SECRET}@redis"),
    ],
)
def test_each_program_ends_with_that_one_line(service, name, value):
    environ = right() | {name: value}
    port = ["--port", str(free_port())] if service == "web" else []
    program, *arguments = command(service)
    ended = subprocess.run(
        [*start_of(program), *arguments, *port],
        env=environ | {"PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Granian's workers each say it, between Granian's own lines.
    said = {line for line in ended.stderr.splitlines() if service != "web" or line[0] != "["}
    assert said == {refusal(environ)}
    assert ended.returncode == 1


def test_a_missing_variable_is_named_with_the_mend():
    for name in required():
        for environ in (
            {other: value for other, value in right().items() if other != name},
            right() | {name: "  "},
        ):
            line = f"Dosecircle can't start: {name} is missing. {READ[name]}"
            assert refusal(environ) == line


def test_a_wrong_variable_is_named_with_the_mend_and_never_shown():
    for name, values in WRONG.items():
        for value in values:
            line = refusal(right() | {name: value})
            assert line.startswith(f"Dosecircle can't start: {name} "), (name, value)
            assert line.endswith(f". {READ[name]}"), (name, value)
            assert "\n" not in line
            assert SECRET not in line


def test_bytes_that_are_no_text_are_refused():
    broken = b"\xff".decode(errors="surrogateescape")
    assert "SECRET_KEY has a value that" in refusal(right() | {"SECRET_KEY": broken * 32})


def test_what_is_right_in_many_ways_starts():
    for name, values in RIGHT.items():
        for value in values:
            assert refusal(right() | {name: value}) == "", (name, value)


def test_an_empty_variable_with_a_default_counts_as_left_out():
    without = {name: right()[name] for name in required()}
    with_empty = without | dict.fromkeys(set(READ) - required(), "")
    told = [read_settings(environ) for environ in (without, with_empty)]
    assert [one["TWILIO_BASE_URL"] for one in told] == ["https://api.twilio.com"] * 2
    assert [one["TWILIO_QUIET_SECONDS"] for one in told] == [120] * 2


def test_a_secret_that_begins_with_a_dollar_is_itself():
    secret = "$PATH" + "k" * 40
    assert read_settings(right() | {"SECRET_KEY": secret})["SECRET_KEY"] == secret


def test_nothing_but_environment_py_reads_the_environment():
    """So that READ is the whole list; and DEBUG is never on."""
    readers = {"environ", "getenv", "Env"}
    for folder in (
        "accounts",
        "api",
        "community",
        "messaging",
        "reminders",
        "web",
        "workers",
        "config",
    ):
        for file in (ROOT / folder).rglob("*.py"):
            used = {
                node.attr
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.Attribute)
            } & readers
            allowed = used if file.name == "environment.py" else set()
            if file.name in {
                "wsgi.py",
                "app.py",
            }:  # os.environ.setdefault("DJANGO_SETTINGS_MODULE")
                allowed = {"environ"}
            assert used <= allowed, file
    assert read_settings(right())["DEBUG"] is False
