"""`manage.py add_member`: somebody who works in a clinic."""

from getpass import getpass
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import Actor
from accounts.models import Clinic, Role
from accounts.people import add_member
from accounts.refusals import Refusal


class Command(BaseCommand):
    """Adds a member; asks for the password, which a command line would show to others."""

    help = "Let somebody into a clinic in one role."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clinic", type=UUID, help="its id, as add_clinic printed it")
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = Clinic.objects.filter(id=options["clinic"]).first()
        if clinic is None:
            raise CommandError("There is no such clinic.")
        try:
            add_member(
                Actor("operator"),
                clinic,
                email=options["email"],
                name=options["name"],
                role=Role(options["role"]),
                password=getpass("Password for the new member: "),
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{options['email']} is a {options['role']} of {clinic.name}.")
