"""`manage.py add_sender`: a number that texts are sent from."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import Actor
from accounts.refusals import Refusal
from messaging.models import Lane, Scope
from messaging.senders import add_sender


class Command(BaseCommand):
    """Adds a sender, or changes one that there is."""

    help = "Add a number to send texts from, or change its account, lane and pace."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="Twilio's AccountSid, one of TWILIO_ACCOUNTS")
        parser.add_argument("number", help="the number, E.164")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.CARE)
        parser.add_argument("--lane", choices=Lane.values, default=Lane.ROUTINE)
        parser.add_argument(
            "--rate",
            type=float,
            default=1.0,
            help="segments a second: US long code 1, toll-free 3, short code 100 and more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sender = add_sender(
                Actor("operator"),
                account=options["account"],
                number=options["number"],
                scope=Scope(options["scope"]),
                lane=Lane(options["lane"]),
                rate=options["rate"],
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{sender.number} sends {sender.lane} texts of {sender.scope}.")
