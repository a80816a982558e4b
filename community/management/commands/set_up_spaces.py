"""`manage.py set_up_spaces`: make the community's rooms be those of spaces.toml."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import audit
from community.posts.spaces import set_up_spaces


class Command(BaseCommand):
    """Run at installation, and when the file has changed; again does nothing."""

    help = "Make the community's spaces be what community/posts/spaces.toml says."

    def handle(self, *args: Any, **options: Any) -> None:
        new = set_up_spaces(audit.Actor("operator"))
        self.stdout.write(f"{new} new spaces.")
