"""`manage.py understand`, as translators and reviewers use it."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command


def printed(*args: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("understand", *args, stdout=out)
    finally:
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return lines


def test_a_text_is_explained() -> None:
    [found] = printed("Done but felt awful and cold at 9pm", "--language", "en")
    assert found["meanings"] == ["taken", "side_effect"]
    assert found["urgent"] == ["fever"]
    assert found["human"] is True
    assert found["when"] == {"clock": "21:00"}
    sign = {"what": "urgent.fever", "text": "awful and cold", "start": 14, "end": 28}
    assert sign | {"language": "en", "negated": False} in found["matched"]


def test_lines_are_answered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"lang": "pl", "text": "zrobione"}, {"lang": "cy", "text": "heno", "id": 7}]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(map(json.dumps, lines)) + "\n\n"))
    found = printed()
    assert [(one["meanings"], one["human"]) for one in found] == [
        (["taken"], False),
        (["later"], False),
    ]
    assert found[1]["when"] == {"days": 0, "part": "evening"}


def test_a_bad_line_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["nonsense", "[1]", '{"lang": "en"}', '{"lang": 1, "text": "x"}', "[" * 100_000]
    good = '{"lang": "en", "text": "done \\ud800"}'
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*lines, good])))
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("understand", stdout=out)
    assert ended.value.code == 1
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one.get("error", "")[:7] for one in found] == [*(f"line {n}:" for n in range(1, 6)), ""]
    assert found[-1]["meanings"] == ["taken"]


def test_digits_only_where_they_were_offered() -> None:
    assert printed("1", "--no-digits")[0]["meanings"] == []
    assert printed("1")[0]["meanings"] == ["taken"]
