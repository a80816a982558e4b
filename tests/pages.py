"""A browser without a screen, for the community's pages."""

from django.test import Client
from django.utils import timezone

from community.members import entering
from community.models import Persona


def come_in(persona: Persona, *, appeals_only: bool = False) -> Client:
    """A browser that has a persona's token."""
    client = Client(headers={"Accept-Language": persona.language})
    given = entering._session(persona, timezone.now(), appeals_only=appeals_only)
    client.cookies["community"] = given.token
    return client


def text(client: Client, path: str = "", status: int = 200) -> str:
    """What a page below /community says."""
    answer = client.get(f"/community{path}")
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()
