"""Very many patients with schedules, doses and texts, made by the database itself."""

from datetime import UTC, datetime

from django.db import connection

from accounts.models import Clinic, Role, User
from dev.environment import ROUTINE_NUMBER
from messaging.models import Lane, Sender
from tests.cast import make_clinic, make_sender, make_user

NOW = datetime(2027, 1, 4, 9, 5, tzinfo=UTC)
"""A Monday morning in winter, just after everybody's hour in London."""

DUE = 500
"""The first patients of the big clinic: their dose is today's. Nobody else's is, however many."""

SMALL = 100
"""Of so many patients is the small clinic, and they were there before all others."""

CLINICS = 100
"""That have texts due at the same time, and take turns."""


class House:
    """A small clinic and a big one, a clinician in each, other clinics that only have texts, and a
    sender that nothing holds back."""

    def __init__(self) -> None:
        self.small, self.big = make_clinic("Small"), make_clinic("Big")
        others = [make_clinic(f"Clinic {number}") for number in range(3, CLINICS + 1)]
        self.clinics = [self.small, self.big, *others]
        self.of_small = make_user("small@example.org", self.small, Role.CLINICIAN)
        self.of_big = make_user("big@example.org", self.big, Role.CLINICIAN)
        self.sender: Sender = make_sender(ROUTINE_NUMBER, Lane.ROUTINE, rate=100_000)
        self._add(self.small, self.of_small, -SMALL, -1)
        self._patients = 0

    def grow(self, patients: int) -> None:
        """Add patients to the big clinic until it has so many."""
        self._add(self.big, self.of_big, self._patients, patients - 1)
        self._patients = patients

    def _add(self, clinic: Clinic, clinician: User, first: int, last: int) -> None:
        values = {
            "clinic": clinic.id,
            "clinician": clinician.id,
            "sender": self.sender.id,
            "account": self.sender.account,
            "now": NOW,
            "due": DUE,
            "first": first,
            "last": last,
        }
        with connection.cursor() as cursor:
            # Without checking foreign keys and triggers row by row: these rows are right. And
            # indexes are made sooner than kept.
            cursor.execute(
                "SET session_replication_role = replica; SET maintenance_work_mem = '1GB'"
            )
            cursor.execute(INDEXES)
            indexes = cursor.fetchall()
            drop = [f'DROP INDEX "{name}"' for name, _ in indexes]
            make = [definition for _, definition in indexes]
            for statement in (*drop, *MAKE.split(";"), *make, "VACUUM ANALYZE"):
                cursor.execute(statement, values if "%(" in statement else None)
            cursor.execute("RESET session_replication_role; RESET maintenance_work_mem")


INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE (tablename LIKE 'reminders%' OR tablename LIKE 'messaging%')
        AND schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
        AND indexdef NOT LIKE 'CREATE UNIQUE%'
"""

# day: of the planned dose. The area code 555 is nobody's.
MAKE = """
CREATE TEMP TABLE fresh AS
    SELECT n, uuidv7() AS patient, uuidv7() AS schedule, uuidv7() AS version,
        %(now)s::date
            + CASE WHEN n BETWEEN 0 AND %(due)s - 1 THEN 0 ELSE 1 + abs(n) %% 20 END AS day
    FROM generate_series(%(first)s::int, %(last)s::int) AS n;

INSERT INTO reminders_patient (id, clinic_id, name, reference, number, time_zone, language, hour,
        wording, consent_on, consent_source)
    SELECT patient, %(clinic)s, 'Patient N' || n, 'R' || n, '+1555' || 1000000 + n,
        'Europe/London', 'en', '09:00', 'discreet', '2026-12-01', 'written'
    FROM fresh ORDER BY n;

INSERT INTO reminders_schedule (id, patient_id, status)
    SELECT schedule, patient, 'running' FROM fresh;

INSERT INTO reminders_scheduleversion (id, schedule_id, number, interval_days, starts_on,
        holds_from, reason, results, decided_by_id, decided_at)
    SELECT version, schedule, 1, 7, day - 21, day - 21, '', '', %(clinician)s, %(now)s FROM fresh;

INSERT INTO reminders_dose (id, schedule_id, version_id, date, state, step, next_step_at,
        missed_because, trouble)
    SELECT uuidv7(), schedule, version, day, 'planned', '', day + time '09:00', '', 0 FROM fresh
    UNION ALL
    SELECT uuidv7(), schedule, version, day - 7 * week, 'taken', 'day', NULL, '', 0
    FROM fresh, generate_series(1, 3) AS week;

INSERT INTO messaging_sms (id, scope, lane, kind, clinic_id, owner_id, about_id, dedup_key, "to",
        body, body_digest, segments, asked_for, last_word, state, queued_at, available_at,
        expires_at, cancel_wished, attempt, refusals, requeued, quiet_reads, account, sender_id,
        sid, untaken)
    SELECT uuidv7(), 'care', 'routine', 'once', %(clinic)s, patient, dose.id, 'dose:' || dose.id,
        '+1555' || 1000000 + n,
        'Monday 4 January: your injection is today. Answer 1 when you have taken it.',
        md5(dose.id::text), 1, false, false, 'delivered', at, at, at + interval '12 hours', false,
        1, 0, false, 0, %(account)s, %(sender)s, 'SM' || md5(dose.id::text), false
    FROM fresh JOIN reminders_dose AS dose ON dose.schedule_id = schedule AND dose.date = day - 7,
        LATERAL (SELECT dose.date + time '09:00' AS at);

DROP TABLE fresh
"""
