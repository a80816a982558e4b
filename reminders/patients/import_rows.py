"""What the rows of a clinic's file come to: new patients, patients who are there, and problems.

Judged set by set, with a fixed number of queries however many rows there are; nothing is stored.
The check and the import itself both judge, so what was shown is what happens.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from accounts import audit
from accounts.models import Clinic
from accounts.refusals import Invalid
from reminders.models import ConsentSource, Language, Patient, Schedule, Wording
from reminders.numbers import e164
from reminders.patients.enrolling import check_consent, known_zone
from reminders.patients.import_file import NEEDED, OF_THE_SCHEDULE, ImportRow
from reminders.patients.phones import number_in_use
from reminders.schedules.effects import Decision, Effect
from reminders.schedules.prescribing import begin

LONGEST = {"name": 120, "reference": 40, "number": 40, "time_zone": 64}
SAME = (
    *("name", "number", "time_zone", "language", "hour", "wording"),
    *("consent_on", "consent_source"),
)
"""Facts that a row must share with the patient who has its reference. The schedule is not one:
it goes its own way after the import."""


@dataclass(frozen=True)
class Problem:
    """What is wrong in a field of a line, and how to mend it. Repeats nothing of what is there."""

    line: int
    field: str
    message: str


@dataclass(frozen=True)
class Newcomer:
    """A patient to be, and the first decision for them worked out, if there is one."""

    patient: Patient
    effect: Effect | None


@dataclass
class Judged:
    """there: rows whose patients the clinic has. bad: rows that have problems."""

    new: list[Newcomer] = field(default_factory=list)
    there: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """What the database says of some rows: the clinic's patients by reference, those of them who
    ever had a schedule, and numbers that belong to other clinics."""

    patients: dict[str, Patient]
    scheduled: Collection[Any]
    elsewhere: Collection[str]


def judge(clinic: Clinic, rows: Sequence[ImportRow], actor: audit.Actor, now: datetime) -> Judged:
    """Judge rows as of now. actor: who would decide on their schedules."""
    read = [(row, *_read(row, clinic)) for row in rows]
    known = _known(clinic, [facts for _, facts, _ in read])
    judged = Judged()
    for row, facts, problems in read:
        found = problems or _against(row, facts, known)
        if not found and facts["reference"] in known.patients:
            judged.there += 1
            continue
        if not found:
            try:
                judged.new.append(_newcomer(clinic, facts, actor, now))
                continue
            except Invalid as refusal:
                found = [Problem(row.line, refusal.field, refusal.message)]
        judged.bad += 1
        judged.problems += found
    return judged


def _read(row: ImportRow, clinic: Clinic) -> tuple[dict[str, Any], list[Problem]]:
    """The facts of a row by field, and what is wrong with each cell by itself."""
    facts: dict[str, Any] = {
        "time_zone": clinic.time_zone, "wording": Wording.DISCREET,
        **dict.fromkeys(OF_THE_SCHEDULE),
    }  # fmt: skip
    problems = []
    if row.surplus:
        mend = "This line has more cells than the first line has names: look for a stray separator."
        problems.append(Problem(row.line, "", mend))
    if row.again is not None:
        mend = f"Line {row.again} has this reference already. Give each patient one of their own."
        problems.append(Problem(row.line, "reference", mend))
    for name, read in _READERS.items():
        cell = row.cells.get(name, "")
        if not cell:
            if name in NEEDED or (row.starts and name in ("interval_days", "starts_on")):
                problems.append(Problem(row.line, name, _MISSING[name]))
            continue
        try:
            facts[name] = read(_plain(name, cell), clinic)
        except Invalid as refusal:
            problems.append(Problem(row.line, name, refusal.message))
    return facts, problems


def _known(clinic: Clinic, facts: Sequence[dict[str, Any]]) -> _Known:
    references = {found["reference"] for found in facts if "reference" in found}
    numbers = {found["number"] for found in facts if "number" in found}
    patients = {
        patient.reference: patient
        for patient in Patient.objects.filter(clinic=clinic, reference__in=references)
    }
    return _Known(
        patients,
        scheduled=set(
            Schedule.objects.filter(patient__in=list(patients.values())).values_list(
                "patient_id", flat=True
            )
        ),
        elsewhere=set(
            Patient.objects.filter(number__in=numbers)
            .exclude(clinic=clinic)
            .values_list("number", flat=True)
        ),
    )


def _against(row: ImportRow, facts: dict[str, Any], known: _Known) -> list[Problem]:
    """What is wrong with a sound row as things are: nothing twice, nobody changed by a file, and
    nobody left without the schedule that a file names."""
    patient = known.patients.get(facts["reference"])
    if patient is None:
        if facts["number"] in known.elsewhere:
            return [Problem(row.line, "number", number_in_use().message)]
        return []
    other = [name for name in SAME if getattr(patient, name) != facts[name]]
    if other:
        mend = "The patient with this reference has another {}. Mend the line, or change them."
        return [Problem(row.line, name, mend.format(name)) for name in other]
    if row.starts and patient.id not in known.scheduled:
        mend = "The patient is here without a schedule. Start it there, and leave this cell blank."
        return [Problem(row.line, "starts_on", mend)]
    return []


def _newcomer(clinic: Clinic, facts: dict[str, Any], actor: audit.Actor, now: datetime) -> Newcomer:
    of_the_patient = {name: facts[name] for name in facts if name not in OF_THE_SCHEDULE}
    patient = Patient(clinic=clinic, **of_the_patient)
    check_consent(patient, now)
    if facts["starts_on"] is None:
        return Newcomer(patient, None)
    decision = Decision(facts["interval_days"], facts["starts_on"])
    return Newcomer(patient, begin(patient, decision, facts["last_injection_on"], actor, now))


# --- Cells: each reader answers what a cell means, or raises Invalid with how to mend it ----------


def _plain(name: str, cell: str) -> str:
    if len(cell) > LONGEST.get(name, 40):
        raise Invalid("cell", f"Shorten it to {LONGEST.get(name, 40)} characters.")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in cell):
        raise Invalid("cell", "Write it on one line, without control characters.")
    return cell


def _words(cell: str, clinic: Clinic) -> str:
    # What a spreadsheet runs as a formula when it opens a list that we export.
    if cell[0] in "=+-@":
        raise Invalid("cell", "Begin it with a letter or a digit: this would be a formula.")
    return cell


def _zone(cell: str, clinic: Clinic) -> str:
    return known_zone(cell)


def _choice(choices: Any) -> Callable[[str, Clinic], str]:
    """One of some words: the stored one or what it is called, in any case."""
    meant = {word.casefold(): value for value, label in choices.choices for word in (value, label)}

    def read(cell: str, clinic: Clinic) -> str:
        value = meant.get(cell.casefold())
        if value is None:
            raise Invalid("cell", f"Choose one of: {', '.join(choices.values)}.")
        return str(value)

    return read


def _day(cell: str, clinic: Clinic) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        try:
            return date.fromisoformat(cell)
        except ValueError:
            pass
    raise Invalid("cell", "Write a date that exists, like 2027-01-25.")


def _hour(cell: str, clinic: Clinic) -> time:
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00)?", cell, re.ASCII)
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2]))
    raise Invalid("cell", "Write a time of day like 09:00.")


def _interval(cell: str, clinic: Clinic) -> int:
    if re.fullmatch(r"[0-9]{1,3}", cell, re.ASCII):
        return int(cell)
    raise Invalid("cell", "Write a whole number of days, like 14.")


_READERS: dict[str, Callable[[str, Clinic], Any]] = {
    "name": _words,
    "reference": _words,
    "number": lambda cell, clinic: e164(cell, clinic.phone),
    "time_zone": _zone,
    "language": _choice(Language),
    "hour": _hour,
    "wording": _choice(Wording),
    "consent_on": _day,
    "consent_source": _choice(ConsentSource),
    "interval_days": _interval,
    "starts_on": _day,
    "last_injection_on": _day,
}
_MISSING = {
    "name": "Write the patient's name.",
    "reference": "Write the clinic's own number for the patient: by it we know them again.",
    "number": "Write the number of the patient's phone.",
    "language": "Write the language of the texts, like en.",
    "hour": "Write when reminders go out where the patient is, like 09:00.",
    "consent_on": "Write when the patient agreed to texts, like 2027-01-25.",
    "consent_source": "Write how the patient agreed: written, spoken or online.",
    "interval_days": "Write the days between injections, or leave the schedule's cells blank.",
    "starts_on": "Write the date of the first injection, or leave the schedule's cells blank.",
}
