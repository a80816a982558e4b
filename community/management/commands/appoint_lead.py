"""`manage.py appoint_lead PSEUDONYM`: who leads the moderators; leads appoint the others."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from community.members.pseudonyms import key_of
from community.models import Persona, PersonaRole
from community.moderation.appointing import appoint
from messaging.clock import read_clock


class Command(BaseCommand):
    """Refuses a pseudonym that nobody has."""

    help = "Let a member of the community lead its moderators."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pseudonym")

    def handle(self, *args: Any, **options: Any) -> None:
        persona = Persona.objects.filter(pseudonym_key=key_of(options["pseudonym"])).first()
        if persona is None:
            raise CommandError("Nobody here has this pseudonym: join first, then name it here.")
        appoint(persona.id, PersonaRole.LEAD, audit.Actor("operator"), read_clock())
        self.stdout.write(f"{persona.pseudonym} leads the moderators now.")
