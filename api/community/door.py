"""What the community's views are made of: a persona who comes in with a token of their own.

No view here reads `request.user` as a user, for nobody is one here; nor does anything it answers
name a user, a patient or a clinic.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.core.cache import caches
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from accounts import audit, replies, request_id
from accounts.models import User
from accounts.refusals import Forbidden, Refusal
from api.door import Door
from api.schema import REPEAT_KEY
from community.crisis_help import Help
from community.members.entering import persona_of_token
from community.members.house_rules import check_has_accepted
from community.models import Persona, PersonaRole
from community.posts.refused import hear_refused

if TYPE_CHECKING:
    from rest_framework.views import APIView

BEARER = re.compile(r"Bearer ([0-9a-f]{64})")


class PersonaToken(BaseAuthentication):
    """A persona's token, as coming in gave it."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        given = request.headers.get("Authorization", "")
        if not given:
            return None
        found = BEARER.fullmatch(given)
        view: Any = request.parser_context["view"]
        persona = found and persona_of_token(found[1], view.now, to_appeal=view.also_suspended)
        if persona is None or found is None:
            raise AuthenticationFailed("This token isn't good. Come in again.")
        return persona, found[1]

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class _Persona(BasePermission):
    """A persona in one of `roles`, who has accepted the present house rules."""

    roles: frozenset[str] = frozenset()
    whatever_rules = False

    def has_permission(self, request: Request, view: "APIView") -> bool:
        persona: Any = request.user
        if not isinstance(persona, Persona):
            return False
        if persona.role not in self.roles:
            raise Forbidden("role", "This is for moderators.")
        if not self.whatever_rules:
            check_has_accepted(persona.accepted_rules)
        return True


class Joined(_Persona):
    """Every persona, also one who has not accepted the present house rules."""

    roles = frozenset(PersonaRole.values)
    whatever_rules = True


class Member(_Persona):
    """Every persona."""

    roles = frozenset(PersonaRole.values)


class Moderator(_Persona):
    """Moderators, and those who lead them."""

    roles = frozenset({PersonaRole.MODERATOR, PersonaRole.LEAD})


class Lead(_Persona):
    """Those who lead the moderators."""

    roles = frozenset({PersonaRole.LEAD})


class Pace(SimpleRateThrottle):
    """How often one persona may ask, in each web process: a person never gets there. Writing has
    limits of its own (community/posts/limits.py), asked where a cry for help is heard all the same,
    so views that take somebody's words for others leave this out (WordsDoor)."""

    cache = caches["pace"]
    rate = "300/min"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        persona: Any = request.user
        return f"pace:{persona.pk}" if isinstance(persona, Persona) else None


class EntrancePace(SimpleRateThrottle):
    """How often one user may ask to join or to come in, in each web process."""

    cache = caches["pace"]
    rate = "30/min"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        user: Any = request.user
        return f"entrance:{user.pk}" if isinstance(user, User) else None


class CommunityDoor(Door):
    """A view of the community. Parses, fetches, calls one verb.

    also_suspended: a token that is for appeals alone opens it, too.
    """

    authentication_classes = [PersonaToken]
    throttle_classes = [Pace]
    also_suspended = False

    @property
    def me(self) -> Persona:
        """Who has come in."""
        persona: Any = self.request.user
        if not isinstance(persona, Persona):
            raise NotAuthenticated
        return persona

    @property
    def actor(self) -> audit.Actor:
        return audit.as_persona(self.me.id, request_id.current.get())

    def once(self, act: Callable[[], replies.Reply]) -> Response:
        """As Door.once. The reply is kept for a day, so it must hold no text of a post."""
        key = self.request.headers.get(REPEAT_KEY)
        if key is None:
            reply = act()
        else:
            path, sent = self.request.path, self.request.data
            reply = replies.once(self.me.id, path, key, sent, act)
        return Response(reply.body, reply.status)


class WordsDoor(CommunityDoor):
    """A view that takes somebody's words for others. A sign of danger in them is heard whatever is
    wrong with the request: so verbs ask for the house rules, and no throttle is before them."""

    throttle_classes = []
    permission_classes = [Joined]
    help: Help | None = None

    def handle_exception(self, exc: Exception) -> Response:
        heard = isinstance(exc, Refusal) and "help" in exc.facts
        if isinstance(exc, Refusal | APIException) and not heard and self._words():
            self.help = hear_refused(self.me.id, self._words(), self.actor, self.now)
        return super().handle_exception(exc)

    def _words(self) -> str:
        """All that somebody sent who has come in, whatever its names are."""
        who: Any = self.request.user
        return (
            "\n".join(words_of(self.request).values()).strip() if isinstance(who, Persona) else ""
        )


def words_of(request: Request) -> dict[str, str]:
    """The texts in a body that perhaps can't be meant, by their names."""
    try:
        sent = request.data
    except APIException:
        return {}
    if not isinstance(sent, Mapping):
        return {}
    return {str(name): value for name, value in sent.items() if isinstance(value, str)}
