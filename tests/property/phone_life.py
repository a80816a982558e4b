"""What becomes of a patient's phone in their life: it is shared, lost and changed, and consent to
texts is withdrawn and given again."""

from datetime import date
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from reminders.models import Patient
from reminders.patients.consent import withdraw_consent
from reminders.patients.enrolling import Enrolment, change_patient, enrol
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.codes import code_sent
from tests.property.life import SECOND, SILENCING, Life, Moment, moments

OF_THE_NUMBER = {"number_lost", "number_doubtful", "opted_out", "undelivered"}


class PhoneLife(Life):
    """A life with a phone that changes."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(100)
        self.shared = False

    @rule(moment=moments)
    @precondition(lambda self: not self.shared)
    def somebody_else_gets_texts_on_this_phone(self, moment: Moment) -> None:
        self._until(moment)
        self.shared = True
        other = enrol(
            self.cast.clinic,
            Enrolment(
                name="Alan Example",
                number=self.patient.number,
                time_zone=self.patient.time_zone,
                language="en",
                hour=self.patient.hour,
                consent_on=date(2023, 12, 1),
                consent_source="written",
            ),
            self.actor,
            self.now,
        )
        prescribing.start(other.id, Decision(7, self._today()), None, self.actor, self.now)

    @rule(moment=moments)
    @precondition(lambda self: "consent_missing" not in self.seen.open_causes)
    def consent_is_withdrawn(self, moment: Moment) -> None:
        self._until(moment)
        self.now += SECOND
        withdraw_consent(self.patient.id, self.actor, self.now)
        after = self._judge()
        assert self.blocked()
        assert "consent_missing" in after.open_causes

    @rule(moment=moments)
    @precondition(lambda self: "consent_missing" in self.seen.open_causes)
    def consent_is_given_again(self, moment: Moment) -> None:
        """Texts come again, unless it is the patient's own STOP or a lost phone that keeps them."""
        self._until(moment)
        self.now += SECOND
        agreed = {"consent_on": min(self.now.date(), self._today())}
        self.patient = change_patient(self.patient.id, agreed, self.actor, self.now).patient
        after = self._judge()
        given = "consent_missing" not in after.open_causes
        assert self.blocked() == (not given or self.stopped or self.lost)
        assert not given or self.blocked() == bool(after.open_causes & set(SILENCING))

    @rule(
        moment=moments,
        lost=st.booleans(),
        answer=st.sampled_from(["code", "code", "wrong", "nothing"]),
    )
    def the_patient_gets_a_new_number(self, moment: Moment, lost: bool, answer: str) -> None:
        self._until(moment)
        self.now += SECOND
        former, number = self.patient.number, f"+447700900{next(self.numbers)}"
        wish = {"number": number} | ({"old_number": "lost"} if lost else {})
        change_patient(self.patient.id, wish, self.actor, self.now)
        after = self._judge()
        if lost:
            self.lost = True
            assert self.blocked()
            assert "number_lost" in after.open_causes
        if answer == "nothing":
            return
        code = code_sent(number)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        assert not self._text(code if answer == "code" else wrong, number)
        self.patient = Patient.objects.get(id=self.patient.id)
        after = self._judge()
        if answer == "wrong":
            assert self.patient.number == former
            return
        assert self.patient.number == number
        self.stopped = self.lost = False
        assert not after.open_causes & OF_THE_NUMBER
        assert self.blocked() == ("consent_missing" in after.open_causes)
