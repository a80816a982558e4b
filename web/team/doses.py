"""A patient's doses: what was told of each, and recording one."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import May
from accounts.refusals import Conflict, Invalid, Stale
from reminders.dates.schedule import local_date
from reminders.doses.recording import Telling, record_dose
from reminders.models import Dose, DoseState, Missed, Patient, Site, Source, Told
from reminders.policies import policy_of
from reminders.reading import care
from reminders.reading.own import holding, own_dose
from reminders.schedules.injections import last_site
from web.team.adherence import asked
from web.team.desk import Desk, after, faults, once, show, team_page

MOST = 40
STATES = {
    DoseState.PLANNED: "Planned",
    DoseState.DUE: "Waits for an answer",
    DoseState.TAKEN: "Injected",
    DoseState.SKIPPED: "Left out",
    DoseState.MISSED: "Missed: no answer",
}
AS_PRESCRIBED = [("yes", "Yes"), ("no", "No"), ("", "Not said")]
SAID = {"yes": True, "no": False, "": None}
WORDS = {
    "told": "Say what happened.",
    "taken_on": "Type the date of the injection.",
    "taken_at": "Type the time like 9:30, or leave it out.",
    "site": "Choose one of these places.",
    "as_prescribed": "Say whether it was as prescribed.",
    "note": "Shorten it to 500 characters.",
    "seen": "This page was not whole. Look at it again, then save.",
}


class Injected(forms.Form):
    """What is known of an injection."""

    taken_on = forms.DateField(required=False)
    taken_at = forms.TimeField(required=False)
    site = forms.ChoiceField(choices=[("", ""), *Site.choices], required=False)
    as_prescribed = forms.ChoiceField(choices=AS_PRESCRIBED, required=False)
    note = forms.CharField(max_length=500, required=False)
    confirmed = forms.BooleanField(required=False)

    def was_as_prescribed(self) -> bool | None:
        """Whether it was as prescribed; None if nobody said."""
        return SAID[self.cleaned_data["as_prescribed"]]


class Record(Injected):
    """seen: how many records there were when they looked."""

    told = forms.ChoiceField(choices=Told.choices)
    seen = forms.IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        missing = told.get("told") == Told.TAKEN and told.get("taken_on") is None
        if missing and "taken_on" not in self.errors:
            self.add_error("taken_on", "missing")
        return told

    def telling(self) -> Telling:
        """The same for the verb."""
        told = self.cleaned_data
        if told["told"] != Told.TAKEN:
            return Telling(Told(told["told"]), note=told["note"], seen=told["seen"])
        return Telling(
            Told.TAKEN,
            told["taken_on"],
            told["taken_at"],
            told["site"],
            told["note"],
            as_prescribed=self.was_as_prescribed(),
            confirmed=told["confirmed"],
            seen=told["seen"],
        )


def told(dose: Dose) -> dict[str, Any]:
    """A dose with what was told of it, the record that holds first."""
    records = sorted(dose.records.all(), key=lambda record: record.number, reverse=True)
    not_asked = dose.state == DoseState.MISSED and dose.missed_because == Missed.NOT_ASKED
    return {
        "dose": dose,
        "state": "Missed: our text did not arrive" if not_asked else STATES[DoseState(dose.state)],
        "record": records[0] if records else None,
        "earlier": records[1:],
        "late": (records[0].taken_on - dose.date).days
        if records and records[0].taken_on and dose.state == DoseState.TAKEN
        else 0,
    }


@require_safe
@team_page
def doses(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../doses: what was told of each, the one planned last first."""
    patient = care.patient_for(desk.user, patient_id, May.SEE_PATIENTS)
    rows = asked(care.doses_for(desk.user, patient_id)).select_related("schedule")
    if (last := after(request)) is not None:
        rows = rows.filter(id__lt=last)
    found = list(rows.order_by("-id")[: MOST + 1])
    return show(
        request,
        desk,
        "patients/doses",
        patient=patient,
        doses=[told(dose) for dose in found[:MOST]],
        more=str(found[MOST - 1].id) if len(found) > MOST else "",
        after=request.GET.get("after"),
        may_record=May.RECORD in desk.may(patient.clinic_id) and patient.left_at is None,
    )


@require_http_methods(["GET", "POST"])
@team_page
def record(request: HttpRequest, desk: Desk, patient_id: UUID, dose_id: UUID) -> HttpResponse:
    """/team/patients/.../doses/...: what became of a dose, for the first time or corrected."""
    patient = care.patient_for(desk.user, patient_id, May.RECORD)
    dose = own_dose(patient, dose_id)
    if request.method == "GET":
        return _page(request, desk, patient, dose, Record(_first_guess(dose, patient, desk)), {})
    form = Record(request.POST)
    if not form.is_valid():
        return _page(request, desk, patient, dose, form, faults(form, WORDS), 422)
    try:
        once(request, desk, lambda: _record(patient, dose, form.telling(), desk))
    except Stale:
        return _page(request, desk, patient, dose, form, {}, 409, meanwhile=True)
    except (Conflict, Invalid) as refusal:
        if refusal.code == "second_dose_close":
            other = refusal.facts["other"]
            return _page(request, desk, patient, dose, form, {}, 409, second=other)
        field = refusal.field if refusal.field in form.fields else "told"
        return _page(request, desk, patient, dose, form, {field: refusal.message}, 422)
    return redirect("team_patient", patient.id)


def _record(patient: Patient, dose: Dose, telling: Telling, desk: Desk) -> str:
    done = record_dose(patient.id, dose.id, telling, Source.STAFF, desk.actor, desk.when.now)
    said = [f"Recorded for {desk.when.day(dose.date)}: {Told(done.record.told).label.lower()}."]
    said += [caution.message for caution in done.cautions]
    if done.too_late:
        said.append("A text about this dose has left, or may have.")
    return " ".join(said)


def sites_of(patient: Patient, before: str) -> list[tuple[str, str, bool]]:
    """The clinic's sites in words, and which of them was `before`, the last one."""
    sites = policy_of(patient.clinic_id).sites
    return [(site, Site(site).label, site == before) for site in sites]


def _first_guess(dose: Dose, patient: Patient, desk: Desk) -> dict[str, Any]:
    """What the form holds at first: what is known; of a new one nothing is taken for granted."""
    former = holding(dose)
    if former is None:
        return {"taken_on": min(_today(patient, desk), dose.date).isoformat(), "seen": 0}
    return {
        "told": former.told,
        "taken_on": former.taken_on.isoformat() if former.taken_on else "",
        "taken_at": former.taken_at.strftime("%H:%M") if former.taken_at else "",
        "site": former.site,
        "as_prescribed": next(word for word, said in SAID.items() if said is former.as_prescribed),
        "note": former.note,
        "seen": former.number,
    }


def _today(patient: Patient, desk: Desk) -> date:
    return local_date(desk.when.now, patient.zone)


def _page(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    dose: Dose,
    form: Record,
    errors: dict[str, str],
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    former = holding(dose)
    asked_for = [Told.TAKEN, Told.SKIPPED, *([Told.NOT_TAKEN] if former else [])]
    return show(
        request,
        desk,
        "patients/record",
        status,
        patient=patient,
        former=former,
        telling=[(each.value, each.label) for each in asked_for],
        sites=sites_of(patient, last_site(patient, _today(patient, desk), [dose.id])),
        said=AS_PRESCRIBED,
        form=form,
        seen=former.number if former else 0,
        errors=errors,
        latest=_today(patient, desk).isoformat(),
        **told(dose),
        **facts,
    )
