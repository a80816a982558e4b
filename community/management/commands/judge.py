"""`manage.py judge`: what the rules make of texts, by the function that posting calls."""

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from community.moderation.rule_book import Book, current_book
from community.posts.judging import Assessment, Writing, assess
from community.rules import Rulebook
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
        book = self._book()

        def judged(text: str, language: str) -> dict[str, Any]:
            # Half characters, which no terminal takes and posting refuses, are replaced.
            writing = Writing("", text.encode(errors="replace").decode(), language)
            return _as_json(assess(writing, book, trusted=not options["new_member"]))

        all_read = True
        for line, read in answered(sys.stdin, judged):
            self.stdout.write(line)
            all_read = all_read and read
        if not all_read:
            sys.exit(1)

    def _book(self) -> Book:
        """The rules in force; the house's alone where there is no database to ask."""
        try:
            return current_book()
        except DatabaseError:
            self.stderr.write("No database: judged by the house's rules, without moderators'.")
            return Book(0, Rulebook())


def _as_json(assessment: Assessment) -> dict[str, Any]:
    """Places are in the text as it was given, which is judged below an empty title."""
    return {
        "state": assessment.state,
        "crisis": assessment.crisis,
        "advice": assessment.advice,
        "masked": assessment.writing.body,
        "hits": [
            {
                "rule": hit.rule,
                "version": hit.version,
                "action": hit.action,
                "place": [max(hit.start - 1, 0), max(hit.end - 1, 0)],
                "note": hit.note,
            }
            for hit in assessment.found
        ],
    }
