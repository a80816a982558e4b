"""`manage.py understand`: what a patient's text says, by the code that the service runs."""

import json
import sys
from argparse import BooleanOptionalAction, RawDescriptionHelpFormatter
from dataclasses import asdict, fields
from datetime import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.text_lines import answered
from reminders.understanding import Match, Understood, When, understand


class Command(BaseCommand):
    """Answers in JSON lines. Exit status 1: some lines of the input could not be read."""

    help = (
        "Print what a text says, and why: JSON with meanings, urgent, human, when and matched.\n"
        'Without a text, read JSON lines of {"lang": ..., "text": ...} from standard input.'
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", nargs="?", help="what the patient wrote")
        parser.add_argument("--language", default="en", help="the patient's language: en, cy, ...")
        parser.add_argument(
            "--digits",
            action=BooleanOptionalAction,
            default=True,
            help="1, 2 and 3 answer, as they do after a reminder, which offers them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        def understood(text: str, language: str) -> dict[str, Any]:
            return _as_json(understand(text, language, digits=options["digits"]))

        if options["text"] is not None:
            found = understood(options["text"], options["language"])
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        all_read = True
        for line, read in answered(sys.stdin, understood):
            self.stdout.write(line)
            all_read = all_read and read
        if not all_read:
            sys.exit(1)


def _as_json(understood: Understood) -> dict[str, Any]:
    return {
        "meanings": list(understood.meanings),
        "urgent": list(understood.urgent),
        "human": understood.human,
        "when": _said(understood.when) if understood.when else None,
        "effects": list(understood.effects),
        "matched": [_printable(match) for match in understood.matched],
    }


def _said(when: When) -> dict[str, Any]:
    """What of a time was said; the rest is left out."""
    values = {one.name: getattr(when, one.name) for one in fields(when)}
    return {
        name: value.strftime("%H:%M") if isinstance(value, time) else value
        for name, value in values.items()
        if value is not None and value is not False
    }


def _printable(match: Match) -> dict[str, Any]:
    """With half characters, which no terminal takes, replaced."""
    return asdict(match) | {"text": match.text.encode(errors="replace").decode()}
