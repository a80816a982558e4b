"""Coming in from one's own pages: here, and in sharing a post with one's care team (sharing.py), a
person's session and a persona meet, and nowhere else.

What these pages call is `community/members/entering.py`, as the API does; the answer sets a cookie
that the browser sends to the community alone.
"""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.refusals import Conflict, Forbidden, Invalid
from community.crisis_help import Help
from community.members import entering
from community.members.house_rules import VERSION, house_rules
from reminders.patients.signing_in import patient_of
from web.community.door import entered, for_one
from web.community.words import refusal_in, words
from web.words import preferred

LANGUAGES = [("en", "English"), ("cy", "Cymraeg"), ("de", "Deutsch"), ("es", "Español"),
             ("fr", "Français"), ("pl", "Polski")]  # fmt: skip


def zones() -> list[tuple[str, str]]:
    """The time zones that there are."""
    return [(zone, zone) for zone in sorted(available_timezones())]


class Joining(forms.Form):
    pseudonym = forms.CharField(max_length=1000)  # the verb says how long, after help
    language = forms.ChoiceField(choices=LANGUAGES)
    time_zone = forms.ChoiceField(choices=zones)
    accepts = forms.TypedChoiceField(choices=[(VERSION, VERSION)], coerce=int)


@require_http_methods(["GET", "POST"])
def open_community(request: HttpRequest) -> HttpResponse:
    """/me/community: a button; pressed, the way in, or to joining."""
    user = request.user
    if not isinstance(user, User):
        return _to_sign_in()
    if request.method != "POST":
        return page_of_user(request, user, "open")
    try:
        given = entering.enter(user, timezone.now())
    except entering.NotJoined:
        return redirect("join_community")
    except Forbidden as refusal:
        why = refusal_in(language_of(request, user), refusal)
        return page_of_user(request, user, "suspended", 403, why=why)
    return entered(redirect("community"), given)


@require_http_methods(["GET", "POST"])
def join_community(request: HttpRequest) -> HttpResponse:
    """/me/community/join: a pseudonym, and the house rules."""
    user = request.user
    if not isinstance(user, User):
        return _to_sign_in()
    language = language_of(request, user)
    patient = patient_of(user)
    guess = {"language": language, "time_zone": patient.time_zone if patient else "Europe/London"}
    form = Joining(request.POST if request.method == "POST" else guess)
    errors: dict[str, str] = {}
    help_: Help | None = None
    if request.method == "POST":
        now = timezone.now()
        errors = {field: words(language)["errors"][field] for field in form.errors}
        if errors:
            # A name may be a cry for help, whatever else is wrong with the form.
            said = request.POST.get("pseudonym", "")
            help_ = entering.hear_who_joins(user, said, language, guess["time_zone"], now)
        else:
            try:
                given = entering.join(user, **form.cleaned_data, now=now)
            except (Conflict, Invalid) as refusal:
                if refusal.code == "joined":
                    return redirect("open_community")
                errors[refusal.field or "pseudonym"] = refusal_in(language, refusal)
                help_ = refusal.facts.get("help")
            else:
                return entered(redirect("community"), given)
    return page_of_user(
        request,
        user,
        "join",
        422 if errors else 200,
        form=form,
        errors=errors,
        help=help_,
        rules=house_rules(language),
        version=VERSION,
        languages=LANGUAGES,
        zones=[zone for zone, _ in zones()],
    )


@require_POST
def open_to_appeal(request: HttpRequest) -> HttpResponse:
    """/me/community/appeal: in to the decisions about oneself alone, also for the suspended."""
    user = request.user
    if not isinstance(user, User):
        return _to_sign_in()
    try:
        given = entering.enter_to_appeal(user, timezone.now())
    except entering.NotJoined:
        return redirect("join_community")
    return entered(redirect("community_decisions"), given)


def _to_sign_in() -> HttpResponse:
    return redirect(reverse("account_login", query={"next": reverse("open_community")}))


def language_of(request: HttpRequest, user: User | None) -> str:
    """The language of somebody's own pages."""
    patient = patient_of(user) if user else None
    return patient.language if patient else preferred(request)


def page_of_user(
    request: HttpRequest, user: User | None, template: str, status: int = 200, **facts: Any
) -> HttpResponse:
    """A page of the community for who is signed in as a person, or isn't yet, in the language of
    their own pages."""
    language = language_of(request, user)
    facts |= {"say": words(language), "language": language}
    return for_one(render(request, f"web/community/{template}.html", facts, status=status))
