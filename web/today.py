"""What is to do today: the first of a patient's pages, and what it leads to."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.refusals import Conflict
from reminders.dates.schedule import local_date
from reminders.doses.later import wish_later
from reminders.doses.recording import Telling, record_dose
from reminders.models import DoseState, Patient, Source, Told
from reminders.reading.own import OwnPlan, own_dose, own_plan
from reminders.texts.wording import Said, every
from web.own import actor_of, day_of, notice, own, own_page, say, warn_of

MINUTES = [60, 120, 240]


class Later(forms.Form):
    minutes = forms.TypedChoiceField(choices=[(m, m) for m in MINUTES], coerce=int, initial=120)


class Skip(forms.Form):
    note = forms.CharField(max_length=500, required=False)


@require_safe
@own_page
def today(request: HttpRequest, patient: Patient) -> HttpResponse:
    """/me: one thing to do, or that there is none, and the next days."""
    plan = own_plan(patient, timezone.now())
    kind = _kind(plan)
    dose = plan.waiting or plan.latest
    return own(
        request,
        patient,
        "today",
        kind=kind,
        dose=dose,
        day=day_of(patient, dose.date, plan.today) if dose else "",
        can_wait=plan.waiting is not None and plan.waiting.state == DoseState.DUE,
        planned=plan.planned if kind in ("quiet", "taken", "skipped") else None,
        dates=[day_of(patient, day, plan.today) for day in plan.dates if day != plan.today],
        every=every(patient.language, plan.interval_days) if plan.interval_days else "",
    )


def _kind(plan: OwnPlan) -> str:
    """Which of the words of [today] hold."""
    if plan.waiting is not None:
        return "waiting" if plan.waiting.date == plan.today else "waiting_since"
    latest = plan.latest
    if latest is not None and latest.state == DoseState.MISSED:
        return "missed"
    if plan.status != "running":
        return plan.status
    if latest is not None and (plan.today - latest.date).days <= 1:
        return latest.state if latest.state in (DoseState.TAKEN, DoseState.SKIPPED) else "quiet"
    return "quiet"


@require_http_methods(["GET", "POST"])
@own_page
def later(request: HttpRequest, patient: Patient, dose_id: UUID) -> HttpResponse:
    """/me/days/…/later: one more text today."""
    own_dose(patient, dose_id)
    form = Later(request.POST if request.method == "POST" else None)
    errors: dict[str, str] = {}
    if request.method == "POST":
        if form.is_valid():
            try:
                at = wish_later(
                    patient.id,
                    dose_id,
                    form.cleaned_data["minutes"],
                    actor_of(request),
                    timezone.now(),
                )
            except Conflict as refusal:
                errors["minutes"] = say(patient, "errors")[refusal.code]
            else:
                said = Said(patient)
                if at is None:
                    notice(request, patient, "later_full", phone=said.phone(patient.clinic.phone))
                else:
                    notice(request, patient, "later", time=said.time(at))
                return redirect("today")
        else:
            errors["minutes"] = say(patient, "errors")["minutes"]
    choices = [(m, say(patient, "later")[f"minutes_{m}"]) for m in MINUTES]
    status = 422 if errors else 200
    return own(request, patient, "later", status, choices=choices, errors=errors)


@require_http_methods(["GET", "POST"])
@own_page
def skip(request: HttpRequest, patient: Patient, dose_id: UUID) -> HttpResponse:
    """/me/days/…/skip: leave a dose out, after a second look."""
    dose, now = own_dose(patient, dose_id), timezone.now()
    date = day_of(patient, dose.date, local_date(now, patient.zone))
    form = Skip(request.POST if request.method == "POST" else None)
    errors: dict[str, str] = {}
    if request.method == "POST":
        if form.is_valid():
            telling = Telling(Told.SKIPPED, note=form.cleaned_data["note"])
            done = record_dose(patient.id, dose_id, telling, Source.PAGE, actor_of(request), now)
            notice(request, patient, "skipped", date=date)
            warn_of(request, patient, done.signs)
            return redirect("today")
        errors["note"] = say(patient, "errors")["note"]
    status = 422 if errors else 200
    return own(request, patient, "skip", status, date=date, form=form, errors=errors)
