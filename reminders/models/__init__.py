"""The tables of medicine, by subject. Import them from here."""

from reminders.models.experiences import SharedExperience
from reminders.models.health import (
    BloodResult,
    BloodTest,
    ResultSource,
    Severity,
    SideEffect,
    SideEffectEntry,
)
from reminders.models.imports import (
    Import,
    ImportMode,
    ImportPart,
    ImportProblem,
    ImportState,
)
from reminders.models.logins import PatientLogin
from reminders.models.moves import NumberChange, Transfer
from reminders.models.patients import (
    E164,
    ConsentSource,
    Language,
    Patient,
    Wording,
)
from reminders.models.policy import Policy
from reminders.models.records import (
    Answer,
    DoseRecord,
    Handled,
    Injection,
    Question,
    Site,
    Source,
    Told,
)
from reminders.models.schedules import (
    DOSE_ARROWS,
    DailyCount,
    Dose,
    DoseState,
    Missed,
    Schedule,
    ScheduleVersion,
    Status,
)
from reminders.models.templates import Template
from reminders.models.worklist import (
    NEXT_STEP,
    URGENCY,
    Cause,
    Duty,
    Outcome,
    Urgency,
    WorkItem,
    WorkNote,
)

__all__ = [
    "DOSE_ARROWS",
    "E164",
    "NEXT_STEP",
    "URGENCY",
    "Answer",
    "BloodResult",
    "BloodTest",
    "Cause",
    "ConsentSource",
    "DailyCount",
    "Dose",
    "DoseRecord",
    "DoseState",
    "Duty",
    "Handled",
    "Import",
    "ImportMode",
    "ImportPart",
    "ImportProblem",
    "ImportState",
    "Injection",
    "Language",
    "Missed",
    "NumberChange",
    "Outcome",
    "Patient",
    "PatientLogin",
    "Policy",
    "Question",
    "ResultSource",
    "Schedule",
    "ScheduleVersion",
    "Severity",
    "SharedExperience",
    "SideEffect",
    "SideEffectEntry",
    "Site",
    "Source",
    "Status",
    "Template",
    "Told",
    "Transfer",
    "Urgency",
    "Wording",
    "WorkItem",
    "WorkNote",
]
