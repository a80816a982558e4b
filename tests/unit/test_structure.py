"""The shape of the house: what no single test of behaviour would notice going wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts import audit
from accounts.models import AuditEntry
from reminders.models import DOSE_ARROWS, Dose, DoseState, ScheduleVersion
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, Cast
from workers.app import app
from workers.tasks import Tick
from workers.ticks import BEAT_SCHEDULE, TICKS

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ["accounts", "api", "community", "config", "messaging", "reminders", "web", "workers"]


MONDAY = NOW.date()


def first_version(cast: Cast) -> ScheduleVersion:
    """Ada's, of a schedule that starts on Monday."""
    decision = Decision(7, MONDAY)
    return prescribing.start(cast.ada.id, decision, None, cast.actor, NOW).plan.version


def sources(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def test_imports_go_one_way():
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


def test_doors_hold_no_objects():
    held = [
        path.name for path in sources("api", "web", "workers") if ".objects" in path.read_text()
    ]
    assert held == []


def test_files_are_short_and_named_for_what_is_in_them():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources(*PRODUCT, "dev", "tests")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
    drawers = re.compile(r"^(utils?|common|helpers?|core|services|misc)$")
    assert [path for path in sources(*PRODUCT, "dev", "tests") if drawers.match(path.stem)] == []


def test_the_project_stands_alone():
    shared = "../" + "shared"
    names = [
        path.name
        for path in [*sources(*PRODUCT, "dev", "tests"), *ROOT.glob("*.md"), ROOT / "Makefile"]
        if shared in path.read_text()
    ]
    assert names == []


def test_every_tick_has_a_queue_and_no_two_clocks_decide_whether_it_is_out_of_date():
    for name, entry in BEAT_SCHEDULE.items():
        assert entry["options"] == {"queue": TICKS[name][1]}
        assert isinstance(app.tasks[name], Tick)


@pytest.mark.parametrize("statement", ["UPDATE {} SET created_at = now()", "DELETE FROM {}"])
@pytest.mark.parametrize("model", [AuditEntry, ScheduleVersion])
def test_history_is_append_only(cast, model, statement):

    first_version(cast)
    assert model.objects.exists()
    table = model._meta.db_table
    with connection.cursor() as cursor:
        # What is checked at commit only would stand before the refusal that is looked for.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for refused in (statement.format(table), f"TRUNCATE {table} CASCADE"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(refused)


def test_versions_are_in_order(cast):

    version = first_version(cast)
    with pytest.raises(IntegrityError, match="does not follow"), transaction.atomic():
        ScheduleVersion.objects.create(
            schedule=version.schedule,
            number=3,
            interval_days=7,
            starts_on=version.starts_on,
            holds_from=version.starts_on,
            decided_by=version.decided_by,
            decided_at=version.decided_at,
        )


@pytest.mark.parametrize("before", list(DoseState))
@pytest.mark.parametrize("after", list(DoseState))
def test_doses_move_along_their_arrows_only(cast, before, after):

    if before == after:
        return
    version = first_version(cast)
    Dose.objects.all().delete()
    dose = Dose.objects.create(
        schedule=version.schedule, version=version, date=MONDAY, **fields(before, version)
    )
    changes = fields(after, version)
    if after in DOSE_ARROWS.get(before, frozenset()):
        assert Dose.objects.filter(id=dose.id).update(**changes) == 1
        return
    with pytest.raises(IntegrityError, match="no arrow leads"), transaction.atomic():
        Dose.objects.filter(id=dose.id).update(**changes)


def fields(state: DoseState, version: ScheduleVersion) -> dict[str, object]:
    """What goes with a state, so that only the arrow can be refused."""
    open_ = state in (DoseState.PLANNED, DoseState.DUE)
    return {
        "state": state,
        "next_step_at": version.decided_at if open_ else None,
        "missed_because": "no_answer" if state == DoseState.MISSED else "",
    }


def test_an_audit_row_says_who_what_when_why_and_from_which_request(cast):
    actor = audit.by(cast.clinician, "request-1")
    audit.record(
        actor, "try", clinic_id=cast.clinic.id, subject_id=cast.ada.id, reason="to see", figure=7
    )
    entry = AuditEntry.objects.get(verb="try")
    assert (entry.actor_kind, entry.user, entry.clinic) == ("user", cast.clinician, cast.clinic)
    assert (entry.reason, entry.detail, entry.request_id) == ("to see", {"figure": 7}, "request-1")
    assert entry.created_at is not None
