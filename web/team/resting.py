"""A schedule at rest: paused, taken up again, or ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import May
from accounts.refusals import Conflict, Invalid, Stale
from reminders.dates.schedule import local_date
from reminders.models import Patient
from reminders.reading import care
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import Plan
from reminders.schedules.prescribing import Outcome
from reminders.texts.wording import every
from web.team.changing import aftermath
from web.team.desk import Desk, faults, once, show, team_page

WORDS = {
    "review_on": "Type the date on which somebody looks at the pause again.",
    "interval_days": "Choose one of your clinic's intervals.",
    "starts_on": "Type the date of the first injection.",
    "reason": "Shorten it to 2000 characters.",
    "token": "This page was not whole. Look at it again, then decide.",
}


class Decided(forms.Form):
    """token: of the state of the schedule that was looked at."""

    token = forms.CharField(max_length=64)
    reason = forms.CharField(max_length=2000, required=False)


class Pause(Decided):
    review_on = forms.DateField()


class Resume(Decided):
    interval_days = forms.IntegerField(min_value=1, max_value=366)
    starts_on = forms.DateField()


@require_http_methods(["GET", "POST"])
@team_page
def pause(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../pause: no doses, until a date on which somebody looks at it again."""

    def decide(told: dict[str, Any]) -> Outcome:
        return prescribing.pause(
            patient_id, told["review_on"], told["reason"], told["token"], desk.actor, desk.when.now
        )

    return _decide(request, desk, patient_id, "pause", Pause, decide, "The plan is paused.")


@require_http_methods(["GET", "POST"])
@team_page
def resume(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../resume: on from a date that a clinician chooses."""

    def decide(told: dict[str, Any]) -> Outcome:
        decision = Decision(told["interval_days"], told["starts_on"], told["reason"])
        return prescribing.resume(patient_id, decision, told["token"], desk.actor, desk.when.now)

    return _decide(request, desk, patient_id, "resume", Resume, decide, "The plan goes on.")


@require_http_methods(["GET", "POST"])
@team_page
def stop(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../stop: the end of this schedule. Its history stays."""

    def decide(told: dict[str, Any]) -> Outcome:
        return prescribing.stop(
            patient_id, told["reason"], told["token"], desk.actor, desk.when.now
        )

    return _decide(request, desk, patient_id, "stop", Decided, decide, "The plan has ended.")


def _decide(
    request: HttpRequest,
    desk: Desk,
    patient_id: UUID,
    verb: str,
    shape: type[Decided],
    decide: Callable[[dict[str, Any]], Outcome],
    said: str,
) -> HttpResponse:
    """Show the decision, or make it. One on a state that has passed shows the present one."""
    patient = care.patient_for(desk.user, patient_id, May.PRESCRIBE)
    plan = care.schedule_for(desk.user, patient_id, May.PRESCRIBE)
    if request.method == "GET":
        return _page(request, desk, patient, plan, verb, shape(), {})
    form = shape(request.POST)
    if not form.is_valid():
        return _page(request, desk, patient, plan, verb, form, faults(form, WORDS), 422)
    try:
        once(request, desk, lambda: f"{said} {aftermath(decide(form.cleaned_data), desk)}")
    except (Conflict, Stale) as refusal:
        now = care.schedule_for(desk.user, patient_id, May.PRESCRIBE)
        return _page(request, desk, patient, now, verb, form, {}, 409, refusal=refusal.message)
    except Invalid as refusal:
        field = refusal.field if refusal.field in form.fields else "reason"
        errors = {field: refusal.message}
        return _page(request, desk, patient, plan, verb, form, errors, 422)
    return redirect("team_patient", patient.id)


def _page(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    plan: Plan,
    verb: str,
    form: Decided,
    errors: dict[str, str],
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    today = local_date(desk.when.now, patient.zone)
    return show(
        request,
        desk,
        f"patients/{verb}",
        status,
        patient=patient,
        plan=plan,
        now_every=every("en", plan.version.interval_days),
        intervals=[(days, every("en", days)) for days in sorted(patient.clinic.intervals)],
        usual=form["interval_days"].value() or plan.version.interval_days
        if "interval_days" in form.fields
        else None,
        form=form,
        errors=errors,
        refusal=refusal,
        earliest=today.isoformat(),
        tomorrow=(today + timedelta(days=1)).isoformat(),
        farthest=(today + timedelta(days=366)).isoformat(),
    )
