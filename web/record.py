"""Writing a dose down, and correcting it."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.refusals import Conflict, Invalid, Stale
from reminders.dates.schedule import local_date
from reminders.doses.recording import Recorded, Telling, record_dose
from reminders.models import Dose, DoseState, Missed, Patient, Site, Source, Told
from reminders.policies import policy_of
from reminders.reading.own import holding, own_dose
from reminders.schedules.injections import last_site
from web.own import actor_of, clock_of, day_of, notice, own, own_page, say, warn_of

ONE_DAY = timedelta(days=1)
FIELD_OF = {
    "injection_ahead": "day",
    "dose_before": "day",
    "taken_on": "day",
    "site": "site",
    "nothing_recorded": "told",
    "dose_closed": "told",
    "left": "told",
}
"""Which field of the page a refusal is about."""

AMOUNTS = {"yes": True, "no": False, "": None}
"""What the page asks of the dose: no figure, and nothing has to be said."""


class Record(forms.Form):
    """What a patient tells of a dose. day: a date, or "other" with other_day. seen: how many
    records there were when they looked."""

    told = forms.ChoiceField(choices=Told.choices)
    day = forms.CharField(max_length=10, required=False)
    other_day = forms.DateField(required=False)
    time = forms.TimeField(required=False)
    site = forms.ChoiceField(choices=[("", ""), *Site.choices], required=False)
    as_prescribed = forms.ChoiceField(choices=[(name, name) for name in AMOUNTS], required=False)
    note = forms.CharField(max_length=500, required=False)
    confirmed = forms.BooleanField(required=False)
    seen = forms.IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        if told.get("told") == Told.TAKEN:
            if told.get("day") == "other":
                told["taken_on"] = told.get("other_day")
                if told["taken_on"] is None and "other_day" not in self.errors:
                    self.add_error("other_day", "missing")
            else:
                try:
                    told["taken_on"] = date.fromisoformat(told.get("day") or "")
                except ValueError:
                    self.add_error("day", "missing")
        return told

    def telling(self) -> Telling:
        """The same for the verb."""
        told = self.cleaned_data
        if told["told"] != Told.TAKEN:
            return Telling(Told(told["told"]), note=told["note"], seen=told["seen"])
        return Telling(
            Told.TAKEN,
            told["taken_on"],
            told["time"],
            told["site"],
            told["note"],
            confirmed=told["confirmed"],
            as_prescribed=AMOUNTS[told["as_prescribed"]],
            seen=told["seen"],
        )


@require_http_methods(["GET", "POST"])
@own_page
def record(request: HttpRequest, patient: Patient, dose_id: UUID) -> HttpResponse:
    """/me/days/…: what became of a dose, for the first time or corrected."""
    dose, now = own_dose(patient, dose_id), timezone.now()
    form = Record(request.POST if request.method == "POST" else _first_guess(dose, patient, now))
    if request.method != "POST":
        return _page(request, patient, dose, form, now, {})
    errors = {field: say(patient, "errors")[field] for field in form.errors if field != "seen"}
    facts: dict[str, Any] = {}
    if not form.errors:
        try:
            done = record_dose(
                patient.id, dose.id, form.telling(), Source.PAGE, actor_of(request), now
            )
        except Stale:
            facts["meanwhile"] = True
        except (Conflict, Invalid) as refusal:
            if refusal.code == "second_dose_close":
                other = refusal.facts["other"]
                facts["second"] = day_of(patient, other, local_date(now, patient.zone))
            else:
                errors[FIELD_OF[refusal.code]] = say(patient, "errors")[refusal.code]
        else:
            _tell(request, patient, done, now)
            return redirect("today")
    return _page(request, patient, dose, form, now, errors, 422, **facts)


def _tell(request: HttpRequest, patient: Patient, done: Recorded, now: datetime) -> None:
    day = day_of(patient, done.dose.date, local_date(now, patient.zone))
    notice(request, patient, done.record.told, date=day)
    if any(caution.code == "same_site" for caution in done.cautions):
        notice(request, patient, "same_site", site=say(patient, "sites")[done.record.site])
    if done.record.as_prescribed is False:
        notice(request, patient, "other_amount")
    if done.too_late:
        notice(request, patient, "too_late")
    warn_of(request, patient, done.signs)


def _first_guess(dose: Dose, patient: Patient, now: datetime) -> dict[str, Any]:
    """What the form holds at first: what is known; for a new one, that it was today."""
    former = holding(dose)
    today = local_date(now, patient.zone)
    if former is None:
        return {"told": Told.TAKEN, "day": today.isoformat(), "seen": 0}
    day = former.taken_on or today
    near = today - day <= ONE_DAY
    return {
        "told": former.told,
        "day": day.isoformat() if near else "other",
        "other_day": "" if near else day.isoformat(),
        "time": former.taken_at.strftime("%H:%M") if former.taken_at else "",
        "site": former.site,
        "as_prescribed": {said: name for name, said in AMOUNTS.items()}[former.as_prescribed],
        "note": former.note,
        "seen": former.number,
    }


def _page(
    request: HttpRequest,
    patient: Patient,
    dose: Dose,
    form: Record,
    now: datetime,
    errors: dict[str, str],
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    today, words = local_date(now, patient.zone), say(patient, "record")
    former = holding(dose)
    days = [
        (day.isoformat(), words[name].format(date=day_of(patient, day, today)))
        for name, day in (("today", today), ("yesterday", today - ONE_DAY))
    ]
    day = (former and former.taken_on) or dose.date
    before = last_site(patient, day, [dose.id])
    sites = [(site, say(patient, "sites")[site], site == before)
             for site in policy_of(patient.clinic_id).sites]  # fmt: skip
    asked = [Told.TAKEN, Told.SKIPPED, *([Told.NOT_TAKEN] if former else [])]
    return own(
        request,
        patient,
        "record",
        status,
        dose=dose,
        date=day_of(patient, dose.date, today),
        former=former,
        known=what_is_known(patient, dose, today),
        telling=[(told.value, words[told.value]) for told in asked],
        days=[*days, ("other", words["other"])],
        sites=sites,
        amounts=[
            ("yes", words["amount_yes"]),
            ("no", words["amount_no"]),
            ("", words["no_site"]),
        ],
        form=form,
        errors=errors,
        latest=today.isoformat(),
        **facts,
    )


_UNTOLD = {DoseState.DUE: "due", DoseState.MISSED: "missed"}


def what_is_known(patient: Patient, dose: Dose, today: date) -> str:
    """What was told of a dose, in words."""
    words, former = say(patient, "past"), holding(dose)
    if former is None or former.told == Told.NOT_TAKEN:
        not_asked = dose.missed_because == Missed.NOT_ASKED
        return words[
            "not_asked" if not_asked else _UNTOLD.get(DoseState(dose.state), "nothing_told")
        ]
    if former.told == Told.SKIPPED or former.taken_on is None:
        return words["skipped"]
    parts = [words["taken_on"].format(day=day_of(patient, former.taken_on, today))]
    if former.taken_at:
        parts.append(words["at"].format(time=clock_of(patient, former.taken_at)))
    done = " ".join(parts)
    return ", ".join([done, say(patient, "sites")[former.site]] if former.site else [done])
