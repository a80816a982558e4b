"""`manage.py add_sender`: a number that texts are sent from."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import Actor
from accounts.refusals import Refusal
from messaging.models import Lane, Scope
from messaging.senders import add_sender


class Command(BaseCommand):
    """Adds a sender, or changes one that there is."""

    help = "Add a number to send texts from, or change its account, lane, pace and line."

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
        parser.add_argument(
            "--standby",
            action="store_true",
            help="send by it only while no other sender of its scope and lane can",
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
                standby=options["standby"],
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        when = "stands by for" if sender.standby else "sends"
        self.stdout.write(f"{sender.number} {when} {sender.lane} texts of {sender.scope}.")
        if sender.standby and sender.inbound_seen_at is None:
            self.stdout.write("Text it once, any word: only then do we know that answers arrive.")
