"""`manage.py judge`: what the rules make of texts, by the code that posting runs."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from community.rules import Verdict, judge


class Command(BaseCommand):
    """Answers in JSON lines. Exit status 1: some lines of the input could not be read."""

    help = (
        'Read JSON lines of {"lang": ..., "text": ...} from standard input, and print\n'
        "what the rules make of each: JSON with state, crisis, advice, masked and hits."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new-member",
            action="store_true",
            help="judge as for somebody who is new here, whose posts wait for a person",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bad = 0
        for number, line in enumerate(sys.stdin, 1):
            if not line.strip():
                continue
            try:
                text, language = _read(line)
            except ValueError as problem:
                bad += 1
                self.stdout.write(json.dumps({"error": f"line {number}: {problem}"}))
                continue
            verdict = judge(text, language, trusted=not options["new_member"])
            self.stdout.write(json.dumps(_as_json(verdict), ensure_ascii=False))
        if bad:
            sys.exit(1)


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


def _as_json(verdict: Verdict) -> dict[str, Any]:
    """Half characters, which no terminal takes, are replaced."""
    return {
        "state": verdict.state,
        "crisis": verdict.crisis,
        "advice": verdict.advice,
        "masked": verdict.masked.encode(errors="replace").decode(),
        "hits": [
            {
                "rule": hit.rule,
                "version": hit.version,
                "action": hit.action,
                "place": [hit.start, hit.end],
                "note": hit.note,
            }
            for hit in verdict.hits
        ],
    }
