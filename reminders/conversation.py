"""One inbound text and what it does: the rules of DESIGN's section Answers.

An answer belongs to the dose that was asked about last, else to one planned today; else we ask,
with the date, and never guess. Urgent signs come first, whatever else the text says.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from accounts import audit
from messaging.inbound import say
from messaging.models import InboundSms
from messaging.vocabulary import CarrierWord
from reminders import replies
from reminders.asked_about import latest_dose, next_dates, open_dose, told_lately
from reminders.diary import note_side_effect
from reminders.injections import near_injection
from reminders.later import remind_later
from reminders.models import (
    Answer,
    Cause,
    Dose,
    DoseState,
    Handled,
    Patient,
    Question,
    SideEffect,
    Source,
    Told,
)
from reminders.moments import when_done, when_wished
from reminders.offers import offered
from reminders.policies import policy_of
from reminders.recording import Telling, record_dose
from reminders.replies import Reply
from reminders.schedule import local_date
from reminders.understanding import Meaning, Understood, understand
from reminders.worklist import Finding, open_items, settle_items

ANSWERING = frozenset({Meaning.TAKEN, Meaning.SKIP, Meaning.LATER})
"""Meanings that are about one dose. Two of them in one text are a person's to read."""

TOLD = {Meaning.TAKEN: Told.TAKEN, Meaning.SKIP: Told.SKIPPED}
ASKING_LASTS = timedelta(hours=24)
PATIENT = audit.Actor("patient")


class Conversation:
    """One text of one phone. The caller holds the locks of the text and of these patients."""

    def __init__(self, row: InboundSms, patients: list[Patient], now: datetime) -> None:
        self.row = row
        self.patients = patients
        self.now = now
        self.question = self._open_question()
        self.open_doses = {patient.id: open_dose(patient, now) for patient in patients}
        self.said = self._understand(row)
        self.answers: dict[UUID, Answer] = {}

    def handle(self) -> None:
        """Do what the text asks for, and keep what we made of it."""
        match self.row.carrier_word:
            case CarrierWord.STOP:
                self._stop()
            case CarrierWord.START:
                self._start()
            case _:
                self._urgent()
                self._answer()

    # -- what is wanted ---------------------------------------------------------------------------

    def _answer(self) -> None:
        said, digit = self.said, lone_digit(self.row.body)
        if Meaning.STOP in said.meanings:
            self._stop(confirm=True)
        elif self.question is not None and digit is not None:
            self._answer_question(self.question, digit)
        elif Meaning.START in said.meanings:
            self._start(confirm=True)
        elif self._about_a_dose(said):
            self._answer_dose(said)
        else:
            self._others(said)

    def _about_a_dose(self, said: Understood) -> bool:
        """Whether it answers for a dose, and nothing in it makes that doubtful."""
        if len(ANSWERING & set(said.meanings)) != 1:
            return False
        explained = said.urgent or {Meaning.SIDE_EFFECT, Meaning.CALL_ME} & set(said.meanings)
        return bool(explained) or not said.human

    def _answer_dose(self, said: Understood) -> None:
        [meaning] = ANSWERING & set(said.meanings)
        asked = [patient for patient in self.patients if self.open_doses[patient.id] is not None]
        if len(asked) > 1:
            self._ask(Question.Kind.WHO, asked[0], [str(p.id) for p in asked], choices=asked)
        elif asked:
            self._tell(asked[0], self.open_doses[asked[0].id], meaning, said, self.row)
        elif len(self.patients) == 1:
            self._tell(self.patients[0], None, meaning, said, self.row)
        else:
            self._to_read(self.patients)
        self._others(said, answered=True)

    def _others(self, said: Understood, *, answered: bool = False) -> None:
        """What a text may say beside its answer, or instead."""
        told = set(said.meanings)
        if Meaning.SIDE_EFFECT in told:
            self._close(Handled.TO_READ, None if said.urgent else Reply("effect"))
            self._keep_in_diary(said)
        if Meaning.CALL_ME in told:
            self._finding(Cause.CALL_ME)
            self._close(Handled.TO_READ, Reply("call_me"))
        if answered or {Meaning.SIDE_EFFECT, Meaning.CALL_ME} & told:
            return
        if Meaning.HELP in told or self.row.carrier_word == CarrierWord.HELP:
            self._close(Handled.ANSWERED, Reply("help"))
        elif Meaning.WHEN in told and len(self.patients) == 1:
            days = next_dates(self.patients[0])
            self._close(Handled.ANSWERED, Reply("when" if days else "when_none", days=days))
        elif not said.urgent:  # which is a person's to read already
            self._to_read(self.patients)

    def _keep_in_diary(self, said: Understood) -> None:
        """Each effect that the diary knows; what it doesn't, and what may be of either of two
        people, a person reads."""
        known = [SideEffect(e.value) for e in said.effects if e.value in SideEffect.values]
        if not known or len(self.patients) > 1:
            self._finding(Cause.SIDE_EFFECT)
            return
        [patient] = self.patients
        today, answer = local_date(self.now, patient.zone), self.answers[patient.id]
        for effect in known:
            note_side_effect(
                patient.id, effect, None, today, "", Source.TEXT, PATIENT, self.now, answer
            )

    def _urgent(self) -> None:
        """The fixed safety text at once, and an urgent item: also for what was denied, for a false
        alarm costs a call."""
        signs = self.said.urgent
        if not signs:
            return
        named = {m.what for m in self.said.matched if not m.negated}
        denied = [sign.value for sign in signs if f"urgent.{sign}" not in named]
        self._finding(Cause.URGENT_SIGN, signs=[sign.value for sign in signs], denied=denied)
        for sign in signs:
            kind = "mood" if sign in replies.MOOD else "safety"
            replies.send(Reply(kind, subject=sign.value), self.patients[0], self.row, self.now)
        self._close(Handled.TO_READ)

    # -- doses ------------------------------------------------------------------------------------

    def _tell(
        self,
        patient: Patient,
        dose: Dose | None,
        meaning: Meaning,
        said: Understood,
        text: InboundSms,
        *,
        confirmed: bool = False,
    ) -> None:
        """One patient answers for one dose; for none: ask, or leave it to a person."""
        if dose is None:
            self._without_dose(patient, meaning)
        elif meaning == Meaning.LATER:
            self._later(patient, dose, said, text)
        else:
            self._record(patient, dose, meaning, said, text, confirmed=confirmed)

    def _record(
        self,
        patient: Patient,
        dose: Dose,
        meaning: Meaning,
        said: Understood,
        text: InboundSms,
        *,
        confirmed: bool,
    ) -> None:
        telling = Telling(TOLD[meaning], confirmed=confirmed)
        if meaning == Meaning.TAKEN:
            day, clock = when_done(said.when, text.received_at.astimezone(patient.zone))
            if (dose.date - day).days >= dose.version.interval_days:
                self._to_read([patient])
                return
            telling = Telling(Told.TAKEN, day, clock, confirmed=confirmed)
            near = near_injection(patient, day, [dose.id])
            if near is not None and not confirmed:
                facts = {"dose": str(dose.id), "other": near.isoformat()}
                self._finding(Cause.SECOND_DOSE, only=patient, **facts)
                second = Question.Kind.SECOND
                self._ask(second, patient, [str(dose.id)], day=dose.date, other=near)
                return
        answer = self._keep(patient, Handled.RECORDED, dose)
        record_dose(patient.id, dose.id, telling, Source.TEXT, PATIENT, self.now, answer)
        kind = "taken" if meaning == Meaning.TAKEN else "skipped"
        self._reply(Reply(kind, subject=str(dose.id), day=dose.date), patient)

    def _later(self, patient: Patient, dose: Dose, said: Understood, text: InboundSms) -> None:
        if dose.state != DoseState.DUE:
            self._to_read([patient])
            return
        here = text.received_at.astimezone(patient.zone)
        wished = when_wished(said.when, here, policy_of(patient.clinic_id).later_minutes)
        at = remind_later(patient, dose, wished, PATIENT, self.now)
        self._keep(patient, Handled.REMINDS_LATER if at else Handled.ANSWERED, dose)
        reply = Reply("later_at", subject=str(dose.id), at=at) if at else Reply("later_full")
        self._reply(reply, patient)

    def _without_dose(self, patient: Patient, meaning: Meaning) -> None:
        """Nothing waits for an answer. It may be about one that was missed lately, which we ask;
        or be said a second time."""
        latest = latest_dose(patient, self.now)
        if latest is None or meaning not in TOLD:
            self._to_read([patient])
        elif latest.state == DoseState.MISSED:
            self._ask(Question.Kind.WHICH, patient, [str(latest.id)], day=latest.date)
        elif told_lately(latest, TOLD[meaning], self.now - ASKING_LASTS):
            self._keep(patient, Handled.ANSWERED, latest)
        else:
            self._to_read([patient])

    # -- questions --------------------------------------------------------------------------------

    def _open_question(self) -> Question | None:
        found = (
            Question.objects.select_for_update(of=("self",))
            .select_related("text")
            .filter(number=self.row.number, closed_at=None)
            .first()
        )
        if found is not None and found.ends_at <= self.now:
            self._end(found)
            return None
        return found

    def _end(self, question: Question) -> None:
        question.closed_at = self.now
        question.save(update_fields=["closed_at"])

    def _ask(
        self,
        kind: Question.Kind,
        patient: Patient,
        ids: list[str],
        *,
        day: date | None = None,
        other: date | None = None,
        choices: Iterable[Patient] = (),
    ) -> None:
        """Ask back, once: a question that was asked lately is a person's to ask again."""
        if self.question is not None:
            self._end(self.question)
        reply = Reply(kind.value, subject=ids[0], day=day, other=other, choices=tuple(choices))
        if not replies.send(reply, patient, self.row, self.now):
            self._to_read([patient])
            return
        Question.objects.create(
            number=self.row.number,
            kind=kind,
            text=self.row,
            choices=ids,
            asked_at=self.now,
            ends_at=self.now + ASKING_LASTS,
        )
        self._keep(patient, Handled.ASKED_BACK)

    def _answer_question(self, question: Question, digit: int) -> None:
        """The text that waited is handled now, with what the digit says."""
        self._end(question)
        if not 1 <= digit <= len(question.choices):
            self._to_read(self.patients)
            return
        chosen = UUID(question.choices[digit - 1])
        said = self._understand(question.text, alone=True)
        meanings = ANSWERING & set(said.meanings)
        patient, dose = self._chosen(question, chosen)
        if patient is None or len(meanings) != 1:
            self._to_read(self.patients)
            return
        [meaning] = meanings
        second = question.kind == Question.Kind.SECOND
        self._tell(patient, dose, meaning, said, question.text, confirmed=second)

    def _chosen(self, question: Question, id_: UUID) -> tuple[Patient | None, Dose | None]:
        if question.kind == Question.Kind.WHO:
            patient = next((p for p in self.patients if p.id == id_), None)
            return patient, self.open_doses[id_] if patient else None
        dose = (
            Dose.objects.select_related("version", "schedule")
            .filter(id=id_, schedule__patient__in=self.patients)
            .exclude(state=DoseState.CANCELLED)
            .first()
        )
        if dose is None:
            return None, None
        return next(p for p in self.patients if p.id == dose.schedule.patient_id), dose

    # -- stop and start ---------------------------------------------------------------------------

    def _stop(self, *, confirm: bool = False) -> None:
        """Opting out of texts is not stopping treatment: the plan stays, the team is told. A
        carrier's word was honoured, and is confirmed by the carrier, before we read it."""
        if confirm:
            row = self.row
            say(row.scope, row.number, opted_out=True, said_at=row.received_at)
        self._finding(Cause.OPTED_OUT)
        self._close(Handled.STOPPED, Reply("texts_stopped") if confirm else None)

    def _start(self, *, confirm: bool = False) -> None:
        if confirm:
            row = self.row
            say(row.scope, row.number, opted_out=False, said_at=row.received_at)
        ids = [patient.id for patient in self.patients]
        causes = [Cause.OPTED_OUT, Cause.CONSENT_MISSING, Cause.NUMBER_LOST]
        settle_items(ids, causes, self.now, text=str(self.row.id))
        self._close(Handled.STARTED, Reply("texts_started") if confirm else None)

    # -- what is kept and told --------------------------------------------------------------------

    def _understand(self, text: InboundSms, *, alone: bool = False) -> Understood:
        digits = alone or any(
            dose.state == DoseState.DUE and offered(patient, [dose])
            for patient in self.patients
            if (dose := self.open_doses[patient.id]) is not None
        )
        return understand(text.body, self.patients[0].language, digits=digits)

    def _to_read(self, patients: list[Patient]) -> None:
        for patient in patients:
            self._finding(Cause.TEXT_TO_READ, only=patient)
            self._keep(patient, Handled.TO_READ)
        if not self.said.urgent:
            self._reply(Reply("not_understood"), patients[0])

    def _finding(self, cause: Cause, only: Patient | None = None, **facts: object) -> None:
        concerned = [only] if only else self.patients
        about = {"text": str(self.row.id), **facts}
        open_items((Finding(patient.id, cause, about) for patient in concerned), self.now)

    def _close(self, handled: Handled, reply: Reply | None = None) -> None:
        for patient in self.patients:
            self._keep(patient, handled)
        if reply is not None:
            self._reply(reply, self.patients[0])

    def _reply(self, reply: Reply, patient: Patient) -> None:
        replies.send(reply, patient, self.row, self.now)

    def _keep(self, patient: Patient, handled: Handled, dose: Dose | None = None) -> Answer:
        """What we made of the text for one patient: "to read" gives way to what it did besides."""
        answer = self.answers.get(patient.id)
        if answer is None:
            answer = self.answers[patient.id] = Answer(
                inbound=self.row,
                patient=patient,
                meanings=[meaning.value for meaning in self.said.meanings],
                urgent=[sign.value for sign in self.said.urgent],
                handled=handled,
                handled_at=self.now,
            )
        if answer.handled == Handled.TO_READ:
            answer.handled = handled
        answer.dose = dose or answer.dose
        answer.save()
        return answer


def lone_digit(body: str) -> int | None:
    """The digit that is the whole text, whatever marks or emoji dress it up."""
    letters = [char for char in unicodedata.normalize("NFKC", body) if char.isalnum()]
    return int(letters[0]) if len(letters) == 1 and letters[0].isdecimal() else None
