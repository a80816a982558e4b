"""`manage.py add_clinic`: a clinic, and what its patients call."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import Actor
from accounts.people import USUAL_INTERVALS, found_clinic
from accounts.refusals import Refusal


class Command(BaseCommand):
    """Adds a clinic and prints its id."""

    help = "Add a clinic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="as texts name it: short, and without an illness")
        parser.add_argument("phone", help="what its patients call, with its country")
        parser.add_argument("time_zone", help="like Europe/London")
        parser.add_argument(
            "--intervals", type=int, nargs="+", default=USUAL_INTERVALS, help="days, like 7 14 21"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            clinic = found_clinic(
                Actor("operator"),
                name=options["name"],
                phone=options["phone"],
                time_zone=options["time_zone"],
                intervals=options["intervals"],
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{clinic.id} is {clinic.name}.")
