"""What the care team's pages are made of: who is at work, in which clinic, what a page holds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts import audit, replies, request_id
from accounts.access import MAY, May, memberships_of
from accounts.models import Clinic, Membership, User
from accounts.refusals import Conflict, Forbidden, NotFound
from web.team.moments import When

P = ParamSpec("P")
CHOSEN = "clinic"
"""In the session: the id of the clinic that somebody of several works in now."""
LONGEST_KEY = 64


@dataclass(frozen=True)
class Desk:
    """Who is at work: their memberships, and the clinic that they work in now."""

    user: User
    memberships: list[Membership]
    clinic: Clinic
    when: When

    @property
    def actor(self) -> audit.Actor:
        """Who acts, in this request."""
        return audit.by(self.user, request_id.current.get())

    def may(self, clinic_id: UUID) -> frozenset[May]:
        """What they may do in a clinic; nothing in one that isn't theirs. For what a page offers:
        the readings ask again."""
        roles = (each.role for each in self.memberships if each.clinic_id == clinic_id)
        return next((MAY[role] for role in roles), frozenset())


Page = Callable[Concatenate[HttpRequest, Desk, P], HttpResponse]


def staff_page(
    view: Callable[Concatenate[HttpRequest, list[Membership], P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for members of a clinic, whose memberships are handed to it. Patients are led to the
    sign-in like strangers."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = request.user
        memberships = memberships_of(user) if isinstance(user, User) else []
        if not memberships:
            following = {"next": request.path} if request.method == "GET" else {}
            query = f"?{urlencode(following)}" if following else ""
            return redirect(reverse("team_sign_in") + query)
        return view(request, memberships, *args, **kwargs)

    guarded.for_team = True  # type: ignore[attr-defined] # the table of entrances reads it
    return guarded


def team_page(view: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for somebody at work in one clinic. What isn't theirs isn't there; what their role
    doesn't allow is refused, and says so."""

    @staff_page
    @wraps(view)
    def at_work(
        request: HttpRequest, memberships: list[Membership], /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        clinic = _chosen(request, memberships)
        if clinic is None:
            return redirect("team_clinic")
        when = When(clinic, timezone.now())
        desk = Desk(memberships[0].user, memberships, clinic, when)
        try:
            return view(request, desk, *args, **kwargs)
        except NotFound:
            raise Http404 from None
        except Forbidden as refusal:
            return show(request, desk, "forbidden", 403, refusal=refusal.message)

    return at_work


def _chosen(request: HttpRequest, memberships: list[Membership]) -> Clinic | None:
    if len(memberships) == 1:
        return memberships[0].clinic
    chosen = request.session.get(CHOSEN)
    return next((each.clinic for each in memberships if str(each.clinic_id) == chosen), None)


def show(
    request: HttpRequest, desk: Desk, template: str, status: int = 200, **facts: Any
) -> HttpResponse:
    """One of the team's pages. Nobody on the way, and no browser, keeps it."""
    facts |= {
        "desk": desk,
        "when": desk.when,
        "tab": template.partition("/")[0],
        "key": uuid4().hex,
    }
    response = render(request, f"web/team/{template}.html", facts, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def once(request: HttpRequest, desk: Desk, act: Callable[[], str]) -> None:
    """Act, and say on the next page what was done; a form that is sent twice, as by a double
    click, acts once. act: answers what to say."""
    key = request.POST.get("key", "")
    sent = {name: request.POST.getlist(name) for name in request.POST if name != FORGERY}
    if 1 <= len(key) <= LONGEST_KEY and key.isalnum() and key.isascii():
        try:
            kept = replies.once(
                desk.user.id, request.path, key, sent, lambda: replies.Reply(200, {"said": act()})
            )
            said = kept.body["said"]
        except Conflict as refusal:
            if refusal.code != "idempotency_key_reused":
                raise
            # Gone back to, written anew and sent again: another act, which its verb judges.
            said = act()
    else:
        said = act()
    messages.success(request, said)


FORGERY = "csrfmiddlewaretoken"


def faults(form: forms.Form, words: dict[str, str]) -> dict[str, str]:
    """What is wrong with a form, by field, in the words for each."""
    return {
        field: words.get(field) or " ".join(str(each) for each in problems)
        for field, problems in form.errors.items()
    }


def after(request: HttpRequest, name: str = "after") -> UUID | None:
    """The id after which a page of a list begins, as its address says; 404 for what is none."""
    given = request.GET.get(name)
    try:
        return UUID(given) if given else None
    except ValueError:
        raise Http404 from None
