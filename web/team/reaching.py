"""Reaching a patient: a checked text, a correction of one that was too late, and their consent."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import May
from accounts.refusals import Conflict, Invalid
from reminders.conversation import messages
from reminders.models import Patient
from reminders.patients import consent
from reminders.reading import care
from reminders.schedules.notices import Notice
from web.team.desk import Desk, once, show, team_page


class Message(forms.Form):
    kind = forms.CharField(max_length=48)


class Correction(forms.Form):
    text = forms.UUIDField()


@require_http_methods(["GET", "POST"])
@team_page
def message(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../message: one of the clinic's checked texts, as this patient reads it."""
    patient = care.patient_for(desk.user, patient_id, May.TEXT)
    if request.method == "GET":
        return _ask(request, desk, patient)
    form = Message(request.POST)
    if not form.is_valid():
        return _ask(request, desk, patient, "Choose which text.", 422)
    kind = form.cleaned_data["kind"]

    def act() -> str:
        sent = messages.send_message(patient.id, kind, desk.actor, desk.when.now)
        return f"The text {_leaves(sent, desk)}."

    try:
        once(request, desk, act)
    except (Conflict, Invalid) as refusal:
        status = 422 if isinstance(refusal, Invalid) else 409
        return _ask(request, desk, patient, refusal.message, status, kind)
    return redirect("team_conversation", patient.id)


@require_POST
@team_page
def correct(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../corrections: tell them to ignore a text whose day was cancelled."""
    patient = care.patient_for(desk.user, patient_id, May.TEXT)
    form = Correction(request.POST)
    text_id = form.cleaned_data["text"] if form.is_valid() else patient.id

    def act() -> str:
        sent = messages.send_correction(patient.id, text_id, desk.actor, desk.when.now)
        return f"The correction {_leaves(sent, desk)}."

    try:
        once(request, desk, act)
    except (Conflict, Invalid) as refusal:
        return show(
            request, desk, "patients/refused", 409, patient=patient, refusal=refusal.message
        )
    return redirect("team_conversation", patient.id)


@require_http_methods(["GET", "POST"])
@team_page
def withdraw(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../consent: stop all texts to somebody who no longer agrees to them."""
    patient = care.patient_for(desk.user, patient_id, May.ENROL)
    if request.method == "GET":
        return show(request, desk, "patients/consent", patient=patient)

    def act() -> str:
        consent.withdraw_consent(patient.id, desk.actor, desk.when.now)
        return "Consent is withdrawn: no text goes out any more. The plan stays."

    try:
        once(request, desk, act)
    except Conflict as refusal:
        return show(
            request, desk, "patients/refused", 409, patient=patient, refusal=refusal.message
        )
    return redirect("team_patient", patient.id)


def _leaves(sent: Notice, desk: Desk) -> str:
    at = sent.leaves_at
    return "leaves now" if at is None or at <= desk.when.now else f"leaves {desk.when.moment(at)}"


def _ask(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    error: str = "",
    status: int = 200,
    kind: str = "",
) -> HttpResponse:
    return show(
        request,
        desk,
        "patients/message",
        status,
        patient=patient,
        choices=[
            {"kind": each, "name": each.partition(":")[2].replace("-", " "), "body": body}
            for each, body in messages.messages_for(patient).items()
        ],
        kind=kind,
        errors={"kind": error} if error else {},
    )
