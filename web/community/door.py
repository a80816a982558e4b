"""What the community's pages are made of: a persona who has come in, and what each page says.

The cookie has a persona's token, as coming in gave it (web/community/entering.py). No view here
reads `request.user` or the session, which `Apart` has taken away; nor does a page name a user, a
patient or a clinic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts import audit, request_id
from accounts.refusals import NotFound, Refusal
from community.crisis_help import Help, help_for, without_moderator
from community.members.entering import Entered, persona_of_token
from community.members.house_rules import VERSION
from community.models import Persona, PersonaRole
from community.moderation.rule_book import current_book
from community.notices import telling
from community.posts.judging import Writing, assess
from community.posts.limits import LONGEST_BODY
from community.posts.refused import hear_refused
from web.community.apart import BELOW
from web.community.words import refusal_in, words
from web.words import preferred

COOKIE = "community"
PER_MINUTE = 300
"""Pages that one persona may ask for, in each web process: as often as in the API."""

P = ParamSpec("P")


class Who(StrEnum):
    """Who may enter a page. appellant: also who is suspended. joined: also who has not accepted
    the present house rules."""

    APPELLANT = "Appellant"
    JOINED = "Joined"
    MEMBER = "Member"
    MODERATOR = "Moderator"


@dataclass(frozen=True)
class Visit:
    """A persona on a page. narrow: their token opens decisions about them, what they share,
    to take it back, and nothing else."""

    me: Persona
    token: str
    now: datetime
    narrow: bool

    @property
    def actor(self) -> audit.Actor:
        return audit.as_persona(self.me.id, request_id.current.get())

    @property
    def moderates(self) -> bool:
        return self.me.role != PersonaRole.MEMBER

    @property
    def help(self) -> Help:
        """Whom to call, where they live, for somebody whose words called a moderator, too."""
        return help_for(self.me.language, self.me.time_zone)

    @property
    def help_alone(self) -> Help:
        """The same for words that are looked at, and not sent: nobody is called, nor is it said."""
        return without_moderator(self.help)


View = Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def entered(response: HttpResponse, given: Entered) -> HttpResponse:
    """Let a browser have a persona's token, for the community's pages alone, as long as it is
    good."""
    response.set_cookie(
        COOKIE,
        given.token,
        expires=given.expires_at,
        path=BELOW,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def forget_token(response: HttpResponse) -> HttpResponse:
    """Let a browser have it no more."""
    response.delete_cookie(COOKIE, path=BELOW, samesite="Strict")
    return response


def persona_page(who: Who) -> Callable[[View[P]], Guarded[P]]:
    """A page for a persona who has come in, who is handed to it as a Visit. Whoever hasn't is told
    how; what they may not see isn't there; what a verb refuses is told in words."""

    def guard(view: View[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            visit = _come_in(request)
            if visit is None:
                return outside(request)
            if turned := _turned_away(request, visit, who):
                return turned
            try:
                return view(request, visit, *args, **kwargs)
            except (NotFound, Http404) as gone:
                return show(request, visit, "gone", 404, **_lost(request, visit, gone))
            except Refusal as refusal:
                return refused(request, visit, refusal)

        guarded.for_personas = who.value  # type: ignore[attr-defined] # the table of entrances
        guarded.login_required = False  # type: ignore[attr-defined] # Django's own: of the session
        return guarded

    return guard


def _come_in(request: HttpRequest) -> Visit | None:
    token, now = request.COOKIES.get(COOKIE, ""), timezone.now()
    me = persona_of_token(token, now) if token else None
    if me is not None:
        return Visit(me, token, now, narrow=False)
    me = persona_of_token(token, now, to_appeal=True) if token else None
    return Visit(me, token, now, narrow=True) if me else None


def _turned_away(request: HttpRequest, visit: Visit, who: Who) -> HttpResponse | None:
    """Where somebody goes who may not see a page; None for who may."""
    words_are_lost = bool(_written(request))
    if visit.narrow and who != Who.APPELLANT:
        if words_are_lost:
            return refused(request, visit, Refusal("suspended", ""))
        return redirect("community_decisions")
    if who == Who.MODERATOR and not visit.moderates:
        return show(request, visit, "moderators_only", 403)
    if who in (Who.MEMBER, Who.MODERATOR) and visit.me.accepted_rules != VERSION:
        if words_are_lost:
            return refused(request, visit, Refusal("house_rules", ""))
        return redirect("community_rules")
    if request.method in ("GET", "HEAD") and _too_often(visit):
        return show(request, visit, "too_often", 429)
    return None


def _too_often(visit: Visit) -> bool:
    """Writing has limits of its own, which are asked where a cry for help is heard all the same."""
    cache, key = caches["pace"], f"pages:{visit.me.pk}:{int(visit.now.timestamp()) // 60}"
    return not cache.add(key, 1, 120) and cache.incr(key) > PER_MINUTE


def show(
    request: HttpRequest, visit: Visit, template: str, status: int = 200, **facts: Any
) -> HttpResponse:
    """A page in its reader's language, for them alone."""
    said = words(visit.me.language)
    facts = {
        "say": said,
        "language": visit.me.language,
        "me": visit.me,
        "visit": visit,
        "told": said["told"].get(request.GET.get("told", ""), ""),
        "unread": 0 if visit.narrow else telling.unread(visit.me),
        **facts,
    }
    response = render(request, f"web/community/{template}.html", facts, status=status)
    return for_one(response)


def for_one(response: HttpResponse) -> HttpResponse:
    """Nobody on the way, and no browser, keeps it."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def refused(request: HttpRequest, visit: Visit, refusal: Refusal) -> HttpResponse:
    """A page that says why something wasn't done; help first, where the words need it."""
    why = refusal_in(visit.me.language, refusal, visit.me)
    return show(request, visit, "refused", 409, why=why, **_lost(request, visit, refusal))


def _lost(request: HttpRequest, visit: Visit, why: Exception) -> dict[str, Any]:
    """What somebody wrote that went nowhere, for them to keep."""
    return {"written": _written(request), "help": heard(request, visit, why)}


def heard(request: HttpRequest, visit: Visit, why: Exception | None = None) -> Help | None:
    """Help for whoever wrote something that wasn't taken and has a sign of danger in it: a person
    is called, as the verb itself has done where its refusal says so."""
    if isinstance(why, Refusal) and "help" in why.facts:
        told: Help = why.facts["help"]
        return told
    written = _written(request)
    return hear_refused(visit.me.id, written, visit.actor, visit.now) if written else None


def looked_at(request: HttpRequest, visit: Visit) -> Help | None:
    """Help for whoever only looks at such words: they are said to nobody yet."""
    return visit.help_alone if in_danger(_written(request), visit.me.language) else None


def outside(request: HttpRequest, status: int = 0) -> HttpResponse:
    """For who hasn't come in, or whose token is over: the way in, and the words that they were
    sending, which nobody got; help first, where these need it."""
    language, written = preferred(request), _written(request)
    facts = {
        "say": words(language),
        "language": language,
        "written": written,
        "help": without_moderator(help_for(language, "")) if in_danger(written, language) else None,
    }
    status = status or (401 if request.method == "POST" else 200)
    return for_one(render(request, "web/community/outside.html", facts, status=status))


def _written(request: HttpRequest) -> str:
    """What somebody wrote into a form, whichever it was."""
    if request.method != "POST":
        return ""
    parts = (request.POST.get(name, "") for name in ("title", "body", "words", "pseudonym"))
    return "\n\n".join(part for part in parts if part.strip())


def in_danger(text: str, language: str) -> bool:
    """Whether there is a sign of danger in a text that isn't stored, however long it is."""
    parts = [text[start : start + LONGEST_BODY] for start in range(0, len(text), LONGEST_BODY)]
    book = current_book()
    return any(assess(Writing("", part, language), book, trusted=True).crisis for part in parts)
