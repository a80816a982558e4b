"""One patient's rows at a moment, and what must be true of them: read and judged without the code
under test, but for its tables."""

from collections import namedtuple
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil import tz
from django.db import connection

from tests.property.strategies import DAY, expected_instant, walk

EIGHT, NINE_PM = time(8), time(21)
DAYS_AFTER = {"day": 0, "next": 1, "overdue": 2}
STEPS = ["", "day", "next", "overdue"]
DID_NOT_GO = {"cancelled", "expired", "suppressed"}
MAY_HAVE_GONE = {"sending", "unknown", "accepted", "sent", "delivered", "undelivered", "failed"}
ENDED = ("taken", "skipped", "missed")
READ = {"accepted", "sent", "delivered"}


@dataclass
class Picture:
    """All that is stored of a patient, oldest first."""

    number: str
    zone: ZoneInfo
    hour: time
    schedules: list[Any]
    versions: list[Any]
    doses: list[Any]
    texts: list[Any]
    items: list[Any]

    @cached_property
    def dose(self) -> dict[UUID, Any]:
        return {row.id: row for row in self.doses}

    @cached_property
    def text(self) -> dict[UUID, Any]:
        return {row.id: row for row in self.texts}

    @cached_property
    def open_causes(self) -> set[str]:
        return {row.cause for row in self.items if row.closed_at is None}

    def doses_of(self, schedule_id: UUID) -> list[Any]:
        return [row for row in self.doses if row.schedule_id == schedule_id]

    def counting(self) -> list[Any]:
        """The texts that nobody asked for and that went, may have gone, or are to go."""
        return [row for row in self.texts if not row.asked_for and row.state not in DID_NOT_GO]

    def instant(self, dose_date: date, step: str) -> datetime:
        """When a step of a dose is due."""
        return instant(dose_date + DAYS_AFTER[step] * DAY, self.hour, self.zone)

    def use_ends(self, dose_date: date, step: str) -> datetime:
        """Nine in the evening, or two hours after the patient's hour, but on that day."""
        day = dose_date + DAYS_AFTER[step] * DAY
        return min(
            max(
                instant(day, NINE_PM, self.zone),
                self.instant(dose_date, step) + timedelta(hours=2),
            ),
            instant(day + DAY, time(), self.zone),
        )

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


def take_picture(patient_id: UUID) -> Picture:
    """In plain SQL, for it is taken some thousand times."""
    with connection.cursor() as cursor:

        def rows(table: str, where: str) -> list[Any]:
            cursor.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY id", [patient_id])  # noqa: S608
            row = _row_of(table, *(column.name for column in cursor.description))
            return list(map(row._make, cursor.fetchall()))

        of_schedule = "schedule_id IN (SELECT id FROM reminders_schedule WHERE patient_id = %s)"
        (patient,) = rows("reminders_patient", "id = %s")
        return Picture(
            number=patient.number,
            zone=ZoneInfo(patient.time_zone),
            hour=patient.hour,
            schedules=rows("reminders_schedule", "patient_id = %s"),
            versions=rows("reminders_scheduleversion", of_schedule),
            doses=rows("reminders_dose", of_schedule),
            texts=rows("messaging_sms", "owner_id = %s"),
            items=rows("reminders_workitem", "patient_id = %s"),
        )


@cache
def _row_of(table: str, *columns: str) -> Any:
    return namedtuple(table.rpartition("_")[2], columns)


@lru_cache(maxsize=10_000)
def instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The first real minute at which the wall shows this hour, or a later one."""
    wanted = datetime.combine(day, hour)
    if tz.datetime_exists(wanted, tz.gettz(zone.key)):
        return wanted.replace(tzinfo=tz.gettz(zone.key), fold=0).astimezone(tz.UTC)
    return expected_instant(walk(day, zone), wanted)


def leaves_at(row: Any) -> datetime:
    """When a text left, or can first leave."""
    return row.claimed_at or row.available_at


def too_near(at: datetime, others: list[datetime]) -> bool:
    return any(abs(at - other) < timedelta(hours=20) for other in others)


def too_many(day: date, others: list[date]) -> bool:
    """Whether some seven days that hold this one would hold more than three texts."""
    return any(
        1 + sum(0 <= (other - first).days < 7 for other in others) > 3
        for first in (day - back * DAY for back in range(7))
    )


def over_the_limits(at: datetime, others: list[datetime], zone: ZoneInfo) -> bool:
    return too_near(at, others) or too_many(
        at.astimezone(zone).date(), [other.astimezone(zone).date() for other in others]
    )


# --- what must hold whenever somebody looks -----------------------------------------------------


def check_doses(picture: Picture) -> None:
    """One planned dose if the schedule runs, else nothing open; dates rise and are unique."""
    for schedule in picture.schedules:
        doses = picture.doses_of(schedule.id)
        states = [dose.state for dose in doses]
        assert states.count("planned") == (schedule.status == "running")
        if schedule.status != "running":
            assert "due" not in states
        standing = [dose.date for dose in doses if dose.state != "cancelled"]
        assert standing == sorted(set(standing)), "dates of doses rise"
        assert all(dose.trouble == 0 for dose in doses), "a step failed"
    assert [schedule.status for schedule in picture.schedules][:-1] == ["stopped"] * (
        len(picture.schedules) - 1
    )


def check_steps_ahead(picture: Picture) -> None:
    """Each open dose's next step is at its instant, or later on that day where a text was near."""
    for dose in picture.doses:
        if dose.state not in ("planned", "due"):
            continue
        step = STEPS[STEPS.index(dose.step) + 1]
        due = picture.instant(dose.date, step)
        if dose.next_step_at != due:
            assert due < dose.next_step_at < picture.use_ends(dose.date, step)
            near = [leaves_at(row) + timedelta(hours=20) for row in picture.texts]
            assert dose.next_step_at in near


def check_texts(picture: Picture, now: datetime) -> None:
    """No text twice; none waits about a dose that was closed, or of a plan that rests."""
    standing = [row for row in picture.texts if row.state != "cancelled"]
    keys = [row.dedup_key for row in standing]
    assert len(keys) == len(set(keys))
    latest = picture.schedules[-1] if picture.schedules else None
    for row in standing:
        if row.state != "queued" or row.expires_at <= now or row.dedup_key.startswith("answer:"):
            continue
        dose = picture.dose.get(row.about_id)
        if dose is None:
            check_notice_hours(row, picture.zone)
        else:
            ended = ("cancelled", "taken", "skipped")
            assert dose.state not in ended, "a dose that ended has a text queued"
        if latest.status == "running":
            kind = row.dedup_key.split(":")[2]
            assert kind not in ("paused", "stopped"), "a plan that runs, and a text that denies it"
        else:
            key = f"notice:{latest.id}:{latest.status}:"
            assert row.dedup_key.startswith(key), "a plan that rests, and a text from it"


def check_notice_hours(row: Any, zone: ZoneInfo) -> None:
    starts = row.available_at.astimezone(zone)
    ends = (row.expires_at - timedelta(microseconds=1)).astimezone(zone)
    assert starts.date() == ends.date()
    assert EIGHT <= starts.time() < ends.time() < NINE_PM


# --- what must be true of each act ---------------------------------------------------------------


def check_history(before: Picture, after: Picture, corrected: UUID | None = None) -> None:
    """What was decided, asked and closed stays as it was, but for a dose told of otherwise."""
    assert after.versions[: len(before.versions)] == before.versions
    for dose in before.doses:
        later = after.dose[dose.id]
        assert (later.date, later.schedule_id, later.version_id, later.id) == (
            dose.date, dose.schedule_id, dose.version_id, dose.id,
        )  # fmt: skip
        assert STEPS.index(later.step) >= STEPS.index(dose.step)
        if dose.id == corrected:
            assert later.state in ("taken", "skipped", "missed", "due" if dose.step else "planned")
        elif dose.state == "planned" and later.state == "cancelled" and corrected is not None:
            told = before.dose[corrected]
            assert told.date < dose.date, "planned instead of one that was told of ahead"
            assert after.dose[corrected].state == "planned"
        elif dose.state in ("taken", "skipped", "cancelled"):
            assert later == dose
        if dose.state == "missed":
            assert later.state in ("missed", "taken", "skipped")
    for row in before.texts:
        later = after.text[row.id]
        assert (later.body, later.dedup_key, later.to) == (row.body, row.dedup_key, row.to)
        if row.state != "queued":
            assert later.state != "queued"


def check_new_texts(before: Picture, after: Picture, now: datetime) -> None:
    """New texts keep the limits, and lie in the hours in which they are welcome."""
    counting = after.counting()
    former = {(row.dedup_key, row.available_at) for row in before.texts}
    for row in after.texts:
        if row.id in before.text or row.state == "cancelled":
            continue
        if (row.dedup_key, row.available_at) in former:
            assert row.to == after.number, "the same text, to the new number"
            continue
        if row.asked_for:
            check_asked_for(row, after, now)
            continue
        others = [leaves_at(other) for other in counting if other.id != row.id]
        assert not over_the_limits(row.available_at, others, after.zone), "too many, or too near"
        assert row.available_at >= now
        dose = after.dose.get(row.about_id)
        if dose is None:
            check_notice_hours(row, after.zone)
        else:
            step = row.dedup_key.split(":")[2]
            assert row.available_at >= after.instant(dose.date, step)
            assert row.expires_at <= after.use_ends(dose.date, step)


def check_asked_for(row: Any, after: Picture, now: datetime) -> None:
    """An answer goes at once; a reminder put off goes today, and not at night."""
    dose = after.dose.get(row.about_id)
    if dose is None:
        assert row.dedup_key.startswith("answer:")
        assert row.available_at == now
        return
    assert dose.state == "due"
    starts = row.available_at.astimezone(after.zone)
    assert starts.date() == after.today(now)
    evening = after.instant(starts.date(), "day") + timedelta(hours=1)
    assert min(EIGHT, after.hour) <= starts.time()
    assert starts.time() < NINE_PM or row.available_at < evening


def check_steps_taken(before: Picture, after: Picture, now: datetime) -> None:
    """Each step of the clock had its text, was past its use, or somebody has been told."""
    keys = {row.dedup_key for row in after.texts}
    for dose in after.doses:
        former = before.dose.get(dose.id)
        taken = STEPS[STEPS.index(former.step if former else "") + 1 : STEPS.index(dose.step) + 1]
        for step in taken:
            if f"dose:{dose.id}:{step}" in keys or now >= after.use_ends(dose.date, step):
                continue
            assert "held_back" in after.open_causes, "held back, and nobody was told"
            _had_to_yield(before, after, dose, step, now)
        if dose.state == "missed" and (former is None or former.state != "missed"):
            asked = [row for row in after.texts if row.about_id == dose.id and row.state in READ]
            assert dose.missed_because == ("no_answer" if asked else "not_asked")
            assert dose.missed_because in after.open_causes


def _had_to_yield(before: Picture, after: Picture, dose: Any, step: str, now: datetime) -> None:
    """A text is held back only for what had gone or was promised before, or for what goes before
    it: day, next, notices, overdue."""
    others = [leaves_at(row) for row in before.counting()]
    for row in after.texts:
        if row.asked_for:
            continue
        kind = row.dedup_key.split(":")[2]
        if row.id not in before.text and STEPS.index(kind) <= STEPS.index(step):
            others.append(row.available_at)
    if step != "day":
        ahead = [row.date for row in after.doses if row.state == "planned"]
        span = (0,) if step == "next" else (0, 1)
        others += [after.instant(day + n * DAY, "day") for day in ahead for n in span]
    assert over_the_limits(now, others, after.zone), (
        f"the {step} text of {dose.date} gave way to one of less weight"
    )
