"""A schedule is started: a patient's first, or one after another has ended."""

from datetime import date, timedelta
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import May
from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.models import Patient
from reminders.reading import care
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.texts.wording import every
from web.team.desk import Desk, faults, once, show, team_page

WORDS = {
    "interval_days": "Choose one of your clinic's intervals.",
    "starts_on": "Type the date of the first injection.",
    "last_injection_on": "Type the date, or leave it out.",
    "reason": "Shorten it to 2000 characters.",
}


class Start(forms.Form):
    """last_injection_on: an earlier injection, as a fact."""

    interval_days = forms.IntegerField(min_value=1, max_value=366)
    starts_on = forms.DateField()
    last_injection_on = forms.DateField(required=False)
    reason = forms.CharField(max_length=2000, required=False)


@require_http_methods(["GET", "POST"])
@team_page
def start(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../start: reminders go out from its first date on."""
    patient = care.patient_for(desk.user, patient_id, May.PRESCRIBE)
    if request.method == "GET":
        return _page(request, desk, patient, Start(), {})
    form = Start(request.POST)
    if not form.is_valid():
        return _page(request, desk, patient, form, faults(form, WORDS), 422)

    def act() -> str:
        told = form.cleaned_data
        decision = Decision(told["interval_days"], told["starts_on"], told["reason"])
        last: date | None = told["last_injection_on"]
        done = prescribing.start(patient.id, decision, last, desk.actor, desk.when.now)
        interval = every("en", done.plan.version.interval_days)
        return f"The plan has started: {interval}, from {desk.when.day(decision.starts_on)} on."

    try:
        once(request, desk, act)
    except Conflict as refusal:
        return _page(request, desk, patient, form, {}, 409, refusal.message)
    except Invalid as refusal:
        field = refusal.field if refusal.field in form.fields else "starts_on"
        return _page(request, desk, patient, form, {field: refusal.message}, 422)
    return redirect("team_patient", patient.id)


def _page(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    form: Start,
    errors: dict[str, str],
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    today = local_date(desk.when.now, patient.zone)
    return show(
        request,
        desk,
        "patients/start",
        status,
        patient=patient,
        intervals=[(days, every("en", days)) for days in sorted(patient.clinic.intervals)],
        usual=form["interval_days"].value() or "",
        form=form,
        errors=errors,
        refusal=refusal,
        earliest=today.isoformat(),
        farthest=(today + timedelta(days=366)).isoformat(),
    )
