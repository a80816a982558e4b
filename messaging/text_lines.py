"""Texts to try as JSON lines: how `manage.py understand` and `manage.py judge` are asked."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def answered(
    lines: Iterable[str], answer: Callable[[str, str], dict[str, Any]]
) -> Iterator[tuple[str, bool]]:
    """For each line of {"lang": ..., "text": ...} the answer to its text and language, as a line
    of JSON, and whether it could be read; else that line says what is wrong. Blank lines are
    passed over."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            text, language = _read(line)
        except ValueError as problem:
            yield json.dumps({"error": f"line {number}: {problem}"}), False
        else:
            yield json.dumps(answer(text, language), ensure_ascii=False), True


def _read(line: str) -> tuple[str, str]:
    """The text and the language of one line. ValueError says what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"not JSON ({problem})") from None
    if not isinstance(row, dict):
        raise ValueError('not an object with "lang" and "text"')
    for name in ("text", "lang"):
        if not isinstance(row.get(name), str):
            raise ValueError(f'"{name}" is missing or is no string')
    return row["text"], row["lang"]
