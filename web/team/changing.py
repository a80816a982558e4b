"""A change of interval: decided on, looked at with all that follows from it, and only then made."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import May
from accounts.refusals import Conflict, Invalid, Stale
from reminders.dates.schedule import local_date
from reminders.models import Patient
from reminders.reading import care
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.prescribing import Outcome, Preview
from reminders.texts.wording import every
from web.team import chart
from web.team.desk import Desk, faults, once, show, team_page
from web.team.patients import plan_of

FATES = [
    ("", "As your clinic's least gap says: closed if the new start is nearer than that"),
    (OpenDose.KEEP.value, "Keep it: it still waits for an answer"),
    (OpenDose.CLOSE.value, "Close it: nobody asks about it any more"),
]
FATE_IN_WORDS = {
    OpenDose.KEEP: "The open dose stays: it still waits for an answer.",
    OpenDose.CLOSE: "The open dose is closed: nobody asks about it any more.",
}
WORDS = {
    "interval_days": "Choose one of your clinic's intervals.",
    "starts_on": "Type the date of the first injection of the new plan.",
    "reason": "Shorten it to 2000 characters.",
    "results": "Choose from these results.",
    "open_dose": "Choose what becomes of the open dose.",
    "token": "This page was not whole. Look at the change again, then confirm it.",
}


class Change(forms.Form):
    """A decision. token: of the state of the schedule that it was looked at with."""

    interval_days = forms.TypedChoiceField(coerce=int)
    starts_on = forms.DateField()
    reason = forms.CharField(max_length=2000, required=False)
    results = forms.MultipleChoiceField(required=False)
    open_dose = forms.ChoiceField(choices=FATES, required=False)
    token = forms.CharField(max_length=64, required=False)

    def __init__(self, patient: Patient, desk: Desk, data: Any = None) -> None:
        super().__init__(data)
        today = local_date(desk.when.now, patient.zone)
        self.counts = chart.latest(patient, today, desk.when)
        self.intervals = [(days, every("en", days)) for days in sorted(patient.clinic.intervals)]
        self.fields["interval_days"].choices = self.intervals  # type: ignore[attr-defined]
        self.fields["results"].choices = self.counts  # type: ignore[attr-defined]

    def decision(self) -> Decision:
        """The same for the verbs."""
        told, words = self.cleaned_data, dict(self.counts)
        fate = told["open_dose"]
        return Decision(
            interval_days=told["interval_days"],
            starts_on=told["starts_on"],
            reason=told["reason"],
            results="; ".join(words[id_] for id_ in told["results"]),
            open_dose=OpenDose(fate) if fate else None,
        )


@require_http_methods(["GET", "POST"])
@team_page
def change(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../change: the decision; a POST shows what it would do, and does nothing."""
    patient = care.patient_for(desk.user, patient_id, May.PRESCRIBE)
    if request.method == "GET":
        return _ask(request, desk, patient, Change(patient, desk), {})
    form = Change(patient, desk, request.POST)
    if not form.is_valid():
        return _ask(request, desk, patient, form, faults(form, WORDS), 422)
    return _preview(request, desk, patient, form)


@require_POST
@team_page
def confirm(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../change/confirm: make it, if the schedule is still as it was seen."""
    patient = care.patient_for(desk.user, patient_id, May.PRESCRIBE)
    form = Change(patient, desk, request.POST)
    if not form.is_valid():
        return _ask(request, desk, patient, form, faults(form, WORDS), 422)
    token = form.cleaned_data["token"]

    def act() -> str:
        done = prescribing.change_interval(
            patient.id, form.decision(), token, desk.actor, desk.when.now
        )
        interval = every("en", done.plan.version.interval_days)
        return f"The plan is changed: {interval}. {aftermath(done, desk)}"

    try:
        once(request, desk, act)
    except Stale as refusal:
        return _preview(request, desk, patient, form, refusal.message)
    except (Conflict, Invalid) as refusal:
        return _refused(request, desk, patient, form, refusal)
    return redirect("team_patient", patient.id)


def aftermath(done: Outcome, desk: Desk) -> str:
    """What a decision leaves to be known: the text to the patient, and those that were too late."""
    told = done.notice
    said = []
    if told is not None and told.leaves_at is not None:
        said.append(f"The patient gets a text, {desk.when.moment(told.leaves_at)}.")
    elif told is not None:
        said.append("No text can go out, there were too many this week: call the patient.")
    if done.too_late:
        said.append(
            "Texts of the former plan have left, or may have: see the conversation, and send a "
            "correction."
        )
    return " ".join(said)


def _preview(
    request: HttpRequest, desk: Desk, patient: Patient, form: Change, stale: str = ""
) -> HttpResponse:
    """What the decision would do now, to be confirmed."""
    decision = form.decision()
    try:
        found = prescribing.preview_change(patient, decision, desk.actor, desk.when.now)
    except (Conflict, Invalid) as refusal:
        return _refused(request, desk, patient, form, refusal)
    return show(
        request,
        desk,
        "patients/preview",
        409 if stale else 200,
        patient=patient,
        form=form,
        stale=stale,
        now_every=every("en", found.plan.version.interval_days),
        new_every=every("en", decision.interval_days),
        decision=decision,
        **_effects(found, patient, desk),
    )


def _effects(found: Preview, patient: Patient, desk: Desk) -> dict[str, Any]:
    before, after = set(found.before), set(found.after)
    today = local_date(desk.when.now, patient.zone)
    return {
        "token": found.plan.token,
        "rows": [
            {"day": day, "before": day in before, "after": day in after}
            for day in sorted(before | after)
        ],
        "until": today + prescribing.PREVIEW,
        "many_before": len(before),
        "many_after": len(after),
        "gap_days": found.gap_days,
        "cautions": found.cautions,
        "fate": FATE_IN_WORDS[found.open_dose]
        if found.open_dose
        else "No dose waits for an answer.",
        "notice": found.notice,
    }


def _refused(
    request: HttpRequest, desk: Desk, patient: Patient, form: Change, refusal: Conflict | Invalid
) -> HttpResponse:
    """The decision again, with what is wrong beside its field, or above all of them."""
    field = refusal.field if refusal.field in form.fields else "interval_days"
    status = 422 if isinstance(refusal, Invalid) else 409
    return _ask(request, desk, patient, form, {field: refusal.message}, status)


def _ask(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    form: Change,
    errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    plan = plan_of(desk, patient)
    today = local_date(desk.when.now, patient.zone)
    return show(
        request,
        desk,
        "patients/change",
        status,
        patient=patient,
        form=form,
        errors=errors,
        plan=plan,
        now_every=every("en", plan.version.interval_days) if plan else "",
        fates=FATES,
        earliest=today.isoformat(),
        farthest=(today + timedelta(days=366)).isoformat(),
    )
