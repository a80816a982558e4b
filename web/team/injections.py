"""Injections that belong to no dose: of a date that a decision closed, or that no plan gave."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import May
from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.doses import noting
from reminders.doses.noting import note_injection
from reminders.models import Injection, Patient, Source
from reminders.reading import care
from reminders.schedules.injections import last_site
from web.team.desk import Desk, faults, once, show, team_page
from web.team.doses import AS_PRESCRIBED, WORDS, Injected, sites_of

MOST = 40


class Fact(Injected):
    taken_on = forms.DateField()

    def told(self) -> noting.Injected:
        """The same for the verb."""
        told = self.cleaned_data
        return noting.Injected(
            told["taken_on"],
            told["taken_at"],
            told["site"],
            self.was_as_prescribed(),
            told["note"],
            confirmed=told["confirmed"],
        )


@require_http_methods(["GET", "POST"])
@team_page
def injections(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../facts: those that are noted, and another."""
    patient = care.patient_for(desk.user, patient_id, May.RECORD)
    if request.method == "GET":
        return _page(request, desk, patient, Fact(), {})
    form = Fact(request.POST)
    if not form.is_valid():
        return _page(request, desk, patient, form, faults(form, WORDS), 422)

    def act() -> str:
        noted = note_injection(patient.id, form.told(), Source.STAFF, desk.actor, desk.when.now)
        return " ".join(["Noted.", *(caution.message for caution in noted.cautions)])

    try:
        once(request, desk, act)
    except (Conflict, Invalid) as refusal:
        if refusal.code == "second_dose_close":
            return _page(request, desk, patient, form, {}, 409, second=refusal.facts["other"])
        field = refusal.field if refusal.field in form.fields else "taken_on"
        status = 422 if isinstance(refusal, Invalid) else 409
        there = refusal.facts.get("dose")
        return _page(request, desk, patient, form, {field: refusal.message}, status, there=there)
    return redirect("team_injections", patient.id)


@require_POST
@team_page
def take_back(
    request: HttpRequest, desk: Desk, patient_id: UUID, injection_id: UUID
) -> HttpResponse:
    """/team/patients/.../facts/.../take-back: it was none, or another patient's."""
    patient = care.patient_for(desk.user, patient_id, May.RECORD)

    def act() -> str:
        noting.correct_injection(
            patient.id, injection_id, None, Source.STAFF, desk.actor, desk.when.now
        )
        return "Taken back. What was noted stays in the list."

    try:
        once(request, desk, act)
    except Conflict as refusal:
        return _page(request, desk, patient, Fact(), {}, 409, refusal=refusal.message)
    return redirect("team_injections", patient.id)


def _page(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    form: Fact,
    errors: dict[str, str],
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    today = local_date(desk.when.now, patient.zone)
    found = care.injections_for(desk.user, patient.id).order_by("-id")[:MOST]
    return show(
        request,
        desk,
        "patients/injections",
        status,
        patient=patient,
        injections=[
            {
                "injection": each,
                "holds": _holds(each),
                "here": each.patient_id == patient.id,
            }
            for each in found
        ],
        sites=sites_of(patient, last_site(patient, today)),
        said=AS_PRESCRIBED,
        form=form,
        errors=errors,
        latest=today.isoformat(),
        **facts,
    )


def _holds(injection: Injection) -> bool:
    """Whether nothing else holds in its place, and it takes nothing back."""
    return getattr(injection, "corrected_by", None) is None and injection.taken_on is not None
