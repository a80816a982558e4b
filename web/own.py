"""What the pages of a patient are made of: who is signed in, and what each page says."""

from collections.abc import Callable
from datetime import date, time
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from babel.dates import format_date, format_time
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import audit, request_id
from accounts.models import User
from accounts.refusals import NotFound
from reminders.conversation import replies
from reminders.models import Patient
from reminders.patients.signing_in import patient_of
from reminders.policies import policy_of
from reminders.texts.wording import Said, locale_of, written
from web.words import show, words

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Patient, P], HttpResponse]
TAB_OF = {
    "today": "today", "record": "today", "later": "today", "skip": "today",
    "past": "past", "diary": "diary", "feel": "diary",
}  # fmt: skip
"""Which of the three parts of the menu a page belongs to."""
LATELY = 200
"""Days within which a date needs no year."""


def own_page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for a signed-in patient, who is handed to it. Others are led to the sign-in; what
    isn't theirs isn't there."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return redirect("account_login")
        patient = patient_of(user)
        if patient is None:
            return show(request, "web/own/nobody.html", "en")
        try:
            return view(request, patient, *args, **kwargs)
        except NotFound:
            raise Http404 from None

    guarded.for_patients = True  # type: ignore[attr-defined] # the table of entrances reads it
    return guarded


def actor_of(request: HttpRequest) -> audit.Actor:
    """The patient who is signed in, in this request."""
    user = request.user
    return audit.Actor(
        "patient", user if isinstance(user, User) else None, request_id.current.get()
    )


def own(
    request: HttpRequest, patient: Patient, template: str, status: int = 200, **facts: Any
) -> HttpResponse:
    """One of a patient's pages, in their language, with how to reach their team."""
    team = {
        "clinic": patient.clinic.name,
        "phone": Said(patient).phone(patient.clinic.phone),
        "tel": patient.clinic.phone,
        "emergency": policy_of(patient.clinic_id).emergency,
    }
    facts |= {"team": team, "tab": TAB_OF[template]}
    return show(request, f"web/own/{template}.html", patient.language, status, **facts)


def say(patient: Patient, section: str) -> dict[str, str]:
    """A section of the words in a patient's language."""
    found: dict[str, str] = words(patient.language)[section]
    return found


def notice(request: HttpRequest, patient: Patient, kind: str, **facts: str) -> None:
    """Something to be said on the next page."""
    messages.success(request, say(patient, "notices")[kind].format(**facts))


def warn_of(request: HttpRequest, patient: Patient, signs: list[str]) -> None:
    """The fixed safety words on the next page, if there are urgent signs."""
    for text in replies.safety_words(patient, signs):
        messages.error(request, text)


def day_of(patient: Patient, day: date, today: date) -> str:
    """A date as the patient would write it, with its year if that isn't plain."""
    if abs((today - day).days) < LATELY:
        return written(patient.language, day)
    return format_date(day, "full", locale=locale_of(patient))


def clock_of(patient: Patient, at: time) -> str:
    """A wall time as the patient would write it."""
    return format_time(at, "short", locale=locale_of(patient))
