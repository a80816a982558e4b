"""`manage.py judge`: what the rules make of texts, by the code that posting runs."""

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from community.rules import Verdict, judge
from messaging.text_lines import answered


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
        def judged(text: str, language: str) -> dict[str, Any]:
            return _as_json(judge(text, language, trusted=not options["new_member"]))

        all_read = True
        for line, read in answered(sys.stdin, judged):
            self.stdout.write(line)
            all_read = all_read and read
        if not all_read:
            sys.exit(1)


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
