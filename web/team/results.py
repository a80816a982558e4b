"""Blood results: those of one sample entered together, and one corrected or taken back."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import May
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.dates.schedule import local_date
from reminders.health import blood
from reminders.health.blood import Entry
from reminders.health.blood_tests import TESTS, plain
from reminders.models import BloodResult, BloodTest, Patient
from reminders.reading import care
from web.team.chart import UNITS
from web.team.desk import Desk, faults, once, show, team_page

MOST = 60
DIGITS = "Write it in digits, like 43.5."
WORDS = {
    "taken_on": "Type the date on which the blood was taken.",
    "note": "Shorten it to 2000 characters.",
    "value": DIGITS,
    "unit": "Choose a unit.",
}


class Sample(forms.Form):
    """The usual counts of one sample: a value for each that was measured, in its unit."""

    taken_on = forms.DateField()
    note = forms.CharField(max_length=2000, required=False)

    def __init__(self, *sent: Any) -> None:
        super().__init__(*sent)
        for test, kind in TESTS.items():
            units = [(unit.code, unit.code) for unit in kind.units]
            self.fields[test.value] = forms.DecimalField(required=False)
            self.fields[f"{test}_unit"] = forms.ChoiceField(
                choices=units, required=False, initial=units[0][0]
            )

    def entries(self) -> dict[str, Entry]:
        """What was measured, by the name of its field."""
        told = self.cleaned_data
        return {
            test.value: Entry(
                test,
                told[test.value],
                told[f"{test}_unit"] or kind.shown_in,
                told["taken_on"],
                told["note"],
            )
            for test, kind in TESTS.items()
            if told[test.value] is not None
        }


class Correction(forms.Form):
    """What one result should have been."""

    value = forms.DecimalField()
    unit = forms.CharField(max_length=8)
    taken_on = forms.DateField()
    note = forms.CharField(max_length=2000, required=False)


@require_http_methods(["GET", "POST"])
@team_page
def results(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../results: all of one sample or none, and what was entered before."""
    patient = care.patient_for(desk.user, patient_id, May.ENTER_RESULTS)
    if request.method == "GET":
        return _sheet(request, desk, patient, Sample(), {})
    form = Sample(request.POST)
    errors = {} if form.is_valid() else _faults(form)
    entries = {} if errors else form.entries()
    for field, entry in entries.items():
        try:
            blood.check_entry(entry, local_date(desk.when.now, patient.zone))
        except Invalid as refusal:
            errors["taken_on" if refusal.field == "taken_on" else field] = refusal.message
    if not errors and not entries:
        errors = {BloodTest.HAEMATOCRIT.value: "Type at least one value."}
    if errors:
        return _sheet(request, desk, patient, form, errors, 422)

    def act() -> str:
        stored = blood.enter_results(patient.id, list(entries.values()), desk.actor, desk.when.now)
        return f"Entered: {', '.join(_said(result) for result in stored)}."

    try:
        once(request, desk, act)
    except Conflict as refusal:
        return _sheet(request, desk, patient, form, {}, 409, refusal.message)
    return redirect("team_results", patient.id)


@require_http_methods(["GET", "POST"])
@team_page
def result(request: HttpRequest, desk: Desk, patient_id: UUID, result_id: UUID) -> HttpResponse:
    """/team/patients/.../results/...: what it should have been, or that it was none of theirs."""
    patient = care.patient_for(desk.user, patient_id, May.ENTER_RESULTS)
    former = blood.results(patient).filter(id=result_id).first()
    if former is None or former.value is None:
        raise NotFound("result")
    test = BloodTest(former.test)
    if request.method == "GET":
        known = {"value": plain(former.value), "unit": former.unit, "note": former.note,
                 "taken_on": former.taken_on.isoformat()}  # fmt: skip
        return _one(request, desk, patient, former, Correction(known), {})
    back, form = "take_back" in request.POST, Correction(request.POST)
    if not back and not form.is_valid():
        return _one(request, desk, patient, former, form, faults(form, WORDS), 422)

    def act() -> str:
        entry = None if back else Entry(test, **form.cleaned_data)
        blood.correct_result(patient.id, result_id, entry, desk.actor, desk.when.now)
        return "Taken back." if back else "Corrected. The first one stays in the list."

    try:
        once(request, desk, act)
    except Conflict as refusal:
        return _one(request, desk, patient, former, form, {}, 409, refusal.message)
    except Invalid as refusal:
        errors = {refusal.field: refusal.message}
        return _one(request, desk, patient, former, form, errors, 422)
    return redirect("team_results", patient.id)


def _faults(form: Sample) -> dict[str, str]:
    """A unit's are said beside its value."""
    words = WORDS | dict.fromkeys(TESTS, DIGITS)
    words |= {f"{test}_unit": WORDS["unit"] for test in TESTS}
    return {field.removesuffix("_unit"): said for field, said in faults(form, words).items()}


def _said(result: BloodResult) -> str:
    value = "taken back" if result.value is None else plain(result.value)
    return f"{BloodTest(result.test).label} {value} {UNITS.get(result.unit, result.unit)}"


def _sheet(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    form: Sample,
    errors: dict[str, str],
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    return show(
        request, desk, "patients/results", status,
        patient=patient, form=form, errors=errors, refusal=refusal,
        latest=local_date(desk.when.now, patient.zone).isoformat(),
        rows=[
            {
                "field": test.value,
                "name": test.label,
                "value": form[test.value].value(),
                "units": _units(test),
                "unit": form[f"{test}_unit"].value(),
                "wrong": errors.get(test.value),
            }
            for test in TESTS
        ],
        entered=[
            {
                "result": each,
                "said": _said(each),
                "holds": _holds(each),
            }
            for each in blood.results(patient).order_by("-id")[:MOST]
        ],
    )  # fmt: skip


def _holds(result: BloodResult) -> bool:
    """Whether nothing else holds in its place, and it takes nothing back."""
    return getattr(result, "corrected_by", None) is None and result.value is not None


def _units(test: BloodTest) -> list[tuple[str, str]]:
    return [(unit.code, UNITS.get(unit.code, unit.code)) for unit in TESTS[test].units]


def _one(
    request: HttpRequest,
    desk: Desk,
    patient: Patient,
    former: BloodResult,
    form: Correction,
    errors: dict[str, str],
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    return show(
        request, desk, "patients/result", status,
        patient=patient, result=former, said=_said(former), form=form, errors=errors,
        refusal=refusal, units=_units(BloodTest(former.test)),
        latest=local_date(desk.when.now, patient.zone).isoformat(),
    )  # fmt: skip
