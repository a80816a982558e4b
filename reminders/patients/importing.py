"""Taking over a clinic's patients from a file: upload, check, confirm, import.

A worker checks part by part, each in a transaction of its own that marks the part: one that dies
costs a part. It imports all parts in one transaction: nothing is half done. Both hold an advisory
lock that ends with their connection, so that another worker goes on at once after a kill.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from accounts import audit
from accounts.models import Clinic, User
from accounts.refusals import Conflict
from reminders.models import (
    Dose,
    Import,
    ImportMode,
    ImportPart,
    ImportProblem,
    ImportState,
    Patient,
    Schedule,
    ScheduleVersion,
)
from reminders.patients.import_file import ImportRow, read_parts
from reminders.patients.import_rows import Newcomer, Problem, judge
from reminders.patients.phones import hold_all_numbers

log = logging.getLogger(__name__)

MOST_TROUBLE = 3
KEPT_FOR = timedelta(days=7)
"""How long a file waits for somebody to confirm it; it is about patients, so not for ever."""


class _Spoilt(Exception):
    """All rows or none were to come in, and one has become bad since they were checked."""


def upload(clinic: Clinic, text: str, actor: audit.Actor, now: datetime) -> Import:
    """Take a file of patients in, to be checked by a worker; no patient comes of it yet.

    Raises Invalid for a file that can't be read as a whole.
    """
    file = Import(clinic=clinic, made_by=_user(actor), rows=0, starts=0, uploaded_at=now)
    with transaction.atomic():
        file.save()
        for number, rows in enumerate(read_parts(text), 1):
            file.rows += len(rows)
            file.starts += sum(row.starts for row in rows)
            stored = [row.stored() for row in rows]
            ImportPart.objects.create(file=file, number=number, rows=stored)
        file.save(update_fields=["rows", "starts"])
        audit.record(
            actor, "upload_patients", clinic_id=clinic.id, subject_id=file.id, rows=file.rows
        )
    return file


def confirm(import_id: UUID, mode: ImportMode, actor: audit.Actor, now: datetime) -> Import:
    """Let a checked file in, by a worker. Raises Conflict if it isn't checked, or if all rows are
    to come in and some are bad."""
    with transaction.atomic():
        file = Import.objects.select_for_update().get(id=import_id)
        if file.state != ImportState.CHECKED:
            raise Conflict(file.state, _WAIT[ImportState(file.state)])
        if mode == ImportMode.ALL and file.bad:
            raise Conflict(
                "rows_bad",
                f"{file.bad} rows are bad. Mend them and send the file again, or choose the good "
                "ones.",
                "mode",
            )
        file.state, file.mode, file.done = ImportState.IMPORTING, mode, 0
        file.confirmed_by = _user(actor)
        file.save(update_fields=["state", "mode", "done", "confirmed_by"])
        audit.record(
            actor,
            "confirm_import",
            clinic_id=file.clinic_id,
            subject_id=file.id,
            mode=mode.value,
            good=file.good,
            bad=file.bad,
        )
    return file


def take_imports(now: datetime) -> int:
    """Check one part of a file, or import one file; how many it worked on, 0 if there is none.

    Any number of workers may call it. A file that fails three times is left as failed.
    """
    waiting = Import.objects.filter(state__in=_A_WORKERS_TURN).order_by("id")
    for import_id in list(waiting.values_list("id", flat=True)[:20]):
        try:
            if _work_on(import_id, now):
                return 1
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("working on import %s failed", import_id)
            _note_trouble(import_id, now)
            return 1
    return 0


def forget_unconfirmed(now: datetime) -> None:
    """Delete the rows of files that nobody confirmed within a week."""
    stale = Import.objects.filter(state=ImportState.CHECKED, uploaded_at__lt=now - KEPT_FOR)
    ids = list(stale.select_for_update(skip_locked=True).values_list("id", flat=True))
    ImportPart.objects.filter(file__in=ids).delete()
    Import.objects.filter(id__in=ids).update(state=ImportState.FAILED, ended_at=now)


_A_WORKERS_TURN = [ImportState.CHECKING, ImportState.IMPORTING]
_WAIT = {
    ImportState.CHECKING: "This file is being checked. Look again in a moment.",
    ImportState.IMPORTING: "This file is being imported already.",
    ImportState.DONE: "This file was imported already.",
    ImportState.FAILED: "Nothing came of this file. Send it again.",
}


def _work_on(import_id: UUID, now: datetime) -> bool:
    """One step of one file; whether it was free to work on."""
    try:
        with transaction.atomic():
            if not _hold(import_id):
                return False
            file = Import.objects.select_related("clinic", "made_by", "confirmed_by").get(
                id=import_id
            )
            if file.state == ImportState.CHECKING:
                _check_part(file, now)
            elif file.state == ImportState.IMPORTING:
                _import_all(file, now)
    except _Spoilt:
        _check_again(import_id)
    return True


def _hold(import_id: UUID) -> bool:
    """Whether this worker has the file, until its transaction ends. The row itself is not locked:
    it tells how far the import is meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))", [str(import_id)]
        )
        (held,) = cursor.fetchone()
    return bool(held)


def _check_part(file: Import, now: datetime) -> None:
    part = file.parts.filter(checked=False).order_by("number").first()
    if part is None:
        file.state = ImportState.CHECKED
        file.save(update_fields=["state"])
        return
    judged = judge(file.clinic, _rows(part), audit.by(file.made_by, ""), now)
    _keep(file, judged.problems)
    part.checked = True
    part.save(update_fields=["checked"])
    Import.objects.filter(id=file.id).update(
        good=F("good") + len(judged.new),
        there=F("there") + judged.there,
        bad=F("bad") + judged.bad,
        done=F("done") + len(part.rows),
    )


def _import_all(file: Import, now: datetime) -> None:
    """All parts in this transaction, judged again as things are now."""
    assert file.confirmed_by is not None  # noqa: S101 - held by the database
    actor = audit.by(file.confirmed_by, "")
    hold_all_numbers()
    file.problems.all().delete()
    good = there = bad = 0
    beside = connection.copy()
    try:
        for part in file.parts.order_by("number").iterator(chunk_size=1):
            judged = judge(file.clinic, _rows(part), actor, now)
            if judged.bad and file.mode == ImportMode.ALL:
                raise _Spoilt
            _enrol_all(file, judged.new, actor)
            _keep(file, judged.problems)
            good, there, bad = good + len(judged.new), there + judged.there, bad + judged.bad
            with beside.cursor() as cursor:
                cursor.execute(_TELL_PROGRESS, [good + there + bad, file.id])
    finally:
        beside.close()
    file.parts.all().delete()
    Import.objects.filter(id=file.id).update(
        state=ImportState.DONE, done=file.rows, ended_at=now, good=good, there=there, bad=bad
    )
    audit.record(
        actor,
        "import_patients",
        clinic_id=file.clinic_id,
        subject_id=file.id,
        good=good,
        there=there,
        bad=bad,
    )


_TELL_PROGRESS = "UPDATE reminders_import SET done = %s WHERE id = %s"
"""By a connection of its own, for what the import's transaction writes is seen when it ends."""


def _enrol_all(file: Import, new: Sequence[Newcomer], actor: audit.Actor) -> None:
    """What enrol and prescribing.start would store for each, a statement for each table."""
    effects = [newcomer.effect for newcomer in new if newcomer.effect is not None]
    Patient.objects.bulk_create([newcomer.patient for newcomer in new])
    Schedule.objects.bulk_create([effect.plan.schedule for effect in effects])
    ScheduleVersion.objects.bulk_create([effect.plan.version for effect in effects])
    Dose.objects.bulk_create([effect.adding for effect in effects if effect.adding is not None])
    patients = [newcomer.patient.id for newcomer in new]
    schedules = [effect.plan.schedule.id for effect in effects]
    for verb, subjects in (("enrol", patients), ("start", schedules)):
        audit.record_each(
            actor, verb, clinic_id=file.clinic_id, subject_ids=subjects, imported=str(file.id)
        )


def _rows(part: ImportPart) -> list[ImportRow]:
    return [ImportRow(**row) for row in part.rows]


def _keep(file: Import, problems: Iterable[Problem]) -> None:
    ImportProblem.objects.bulk_create(
        ImportProblem(file=file, line=found.line, field=found.field, message=found.message)
        for found in problems
    )


def _check_again(import_id: UUID) -> None:
    """Let the file be checked anew, so that its report says all that is bad by now."""
    with transaction.atomic():
        file = Import.objects.select_for_update().get(id=import_id)
        file.problems.all().delete()
        file.parts.update(checked=False)
        file.state, file.mode, file.confirmed_by = ImportState.CHECKING, "", None
        file.good = file.there = file.bad = file.done = 0
        file.save()


def _note_trouble(import_id: UUID, now: datetime) -> None:
    """Count a failure; at the third nothing comes of the file, and its rows are kept no longer."""
    with transaction.atomic():
        file = Import.objects.select_for_update().get(id=import_id)
        file.trouble += 1
        if file.trouble >= MOST_TROUBLE:
            file.parts.all().delete()
            file.state, file.ended_at, file.done = ImportState.FAILED, now, 0
        file.save()


def _user(actor: audit.Actor) -> User:
    """Somebody answers for each file: the clock and carriers send none."""
    if actor.user is None:
        raise Conflict("nobody", "Sign in to import patients.")
    return actor.user
