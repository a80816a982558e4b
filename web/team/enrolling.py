"""A patient is enrolled with consent to texts, or agrees to them again."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import May, clinic_for
from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.models import ConsentSource, Language, Patient, Wording
from reminders.patients import enrolling
from reminders.reading import care
from web.team.desk import Desk, faults, once, show, team_page

ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
AGREED = {
    ConsentSource.WRITTEN: "In writing",
    ConsentSource.SPOKEN: "By word of mouth",
    ConsentSource.ONLINE: "Online",
}
WORDINGS = {
    Wording.DISCREET: "Discreet: they don't say what it is about",
    Wording.EXPLICIT: "Explicit: they name the injection, because the patient chose so",
}
WORDS = {
    "name": "Type the patient's name, in one line of 120 characters at most.",
    "reference": "Shorten it to 40 characters in one line, or leave it out.",
    "number": "Type the number of the patient's phone.",
    "language": "Choose one of these languages.",
    "hour": "Type the time like 9:30.",
    "time_zone": "Type it like Europe/London.",
    "wording": "Choose how texts are worded.",
    "consent_on": "Type the date on which the patient agreed to texts.",
    "consent_source": "Say how the patient agreed.",
}


class Agreed(forms.Form):
    """When and how somebody agreed to texts."""

    consent_on = forms.DateField()
    consent_source = forms.ChoiceField(choices=ConsentSource.choices)


class Enrolment(Agreed):
    """hour: where the patient is, in time_zone."""

    name = forms.RegexField(ONE_LINE, max_length=120)
    reference = forms.RegexField(ONE_LINE, max_length=40, required=False)
    number = forms.RegexField(ONE_LINE, max_length=40)
    language = forms.ChoiceField(choices=Language.choices)
    hour = forms.TimeField()
    time_zone = forms.RegexField(ONE_LINE, max_length=64)
    wording = forms.ChoiceField(choices=Wording.choices)


@require_http_methods(["GET", "POST"])
@team_page
def enrol(request: HttpRequest, desk: Desk) -> HttpResponse:
    """/team/patients/enrol: of the clinic at whose desk one sits. Nothing is sent by it."""
    clinic = clinic_for(desk.user, desk.clinic.id, May.ENROL)
    if request.method == "GET":
        usual = {"language": Language.ENGLISH, "hour": "09:00", "time_zone": clinic.time_zone,
                 "wording": Wording.DISCREET}  # fmt: skip
        return _form(request, desk, Enrolment(usual), {})
    form = Enrolment(request.POST)
    if not form.is_valid():
        return _form(request, desk, form, faults(form, WORDS), 422)
    enrolled: list[Patient] = []

    def act() -> str:
        told = enrolling.Enrolment(**form.cleaned_data)
        enrolled.append(enrolling.enrol(clinic, told, desk.actor, desk.when.now))
        return "Enrolled. No text goes out before a plan is started."

    try:
        once(request, desk, act)
    except (Conflict, Invalid) as refusal:
        status = 422 if isinstance(refusal, Invalid) else 409
        field = refusal.field if refusal.field in form.fields else "name"
        return _form(request, desk, form, {field: refusal.message}, status)
    # A form that came twice leads to the list, where the newest stands first.
    return redirect("team_patient", enrolled[0].id) if enrolled else redirect("team_patients")


@require_http_methods(["GET", "POST"])
@team_page
def agree(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../agree: who had withdrawn agrees to texts again."""
    patient = care.patient_for(desk.user, patient_id, May.ENROL)
    if request.method == "GET":
        return _ask(request, desk, patient, Agreed(), {})
    form = Agreed(request.POST)
    if not form.is_valid():
        return _ask(request, desk, patient, form, faults(form, WORDS), 422)

    def act() -> str:
        enrolling.change_patient(patient.id, form.cleaned_data, desk.actor, desk.when.now)
        return "The date of consent is noted."

    try:
        once(request, desk, act)
    except (Conflict, Invalid) as refusal:
        status = 422 if isinstance(refusal, Invalid) else 409
        return _ask(request, desk, patient, form, {"consent_on": refusal.message}, status)
    return redirect("team_patient", patient.id)


def _form(
    request: HttpRequest, desk: Desk, form: Enrolment, errors: dict[str, str], status: int = 200
) -> HttpResponse:
    today = local_date(desk.when.now, desk.when.zone)
    return show(
        request, desk, "patients/enrol", status, form=form, errors=errors, latest=today.isoformat(),
        languages=Language.choices, wordings=list(WORDINGS.items()), agreed=list(AGREED.items()),
    )  # fmt: skip


def _ask(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    form: Agreed,
    errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    latest = local_date(desk.when.now, patient.zone)
    return show(
        request, desk, "patients/agree", status,
        patient=patient, form=form, errors=errors, latest=latest.isoformat(),
        agreed=list(AGREED.items()),
    )  # fmt: skip
