"""One inbound text and what it does: the rules of DESIGN's section Answers.

An answer belongs to the dose that was asked about last, else to one planned today; else we ask,
with the date, and never guess. Urgent signs come first, whatever else the text says.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from accounts import audit
from messaging.inbound import say
from messaging.models import InboundSms
from messaging.vocabulary import CarrierWord
from reminders.conversation import danger, questions, replies
from reminders.conversation.moments import when_done, when_wished
from reminders.conversation.replies import Reply
from reminders.dates.schedule import local_date
from reminders.doses.asked_about import latest_dose, next_dates, open_dose, told_lately
from reminders.doses.later import remind_later
from reminders.doses.recording import Telling, record_dose
from reminders.health.diary import note_side_effect
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
from reminders.policies import policy_of
from reminders.schedules.injections import near_injection
from reminders.texts.offers import offered
from reminders.understanding import Meaning, Understood, understand
from reminders.worklist.items import Finding, open_items, settle_items

ANSWERING = frozenset({Meaning.TAKEN, Meaning.SKIP, Meaning.LATER})
"""Meanings that are about one dose. Two of them in one text are a person's to read."""

TOLD = {Meaning.TAKEN: Told.TAKEN, Meaning.SKIP: Told.SKIPPED}
PATIENT = audit.Actor("patient")


class Conversation:
    """One text of one phone. The caller holds the locks of the text and of these patients."""

    def __init__(self, row: InboundSms, patients: list[Patient], now: datetime) -> None:
        self.row = row
        self.patients = patients
        self.now = now
        self.question = questions.open_question(row, patients, now)
        self.open_doses = {patient.id: open_dose(patient, now) for patient in patients}
        self.said = self._understand(row)
        self.answers: dict[UUID, Answer] = {}
        self.ends_texts = False

    def handle(self) -> None:
        """Do what the text asks for, and keep what we made of it."""
        match self.row.carrier_word:
            case CarrierWord.STOP:
                self._stop()
            case CarrierWord.START:
                self._start()
            case _:
                if self.said.urgent:
                    danger.tell_the_team(self.said, self.patients, self.row, self.now)
                    danger.answer(self.said, self.patients, self.row, self.now)
                    self._close(Handled.TO_READ)
                self._answer()

    # -- what is wanted ---------------------------------------------------------------------------

    def _answer(self) -> None:
        said, digit = self.said, lone_digit(self.row.body)
        if Meaning.STOP in said.meanings:
            self._answer_and_stop(said)
        elif self.question is not None and digit is not None:
            self._answer_question(self.question, digit)
        elif Meaning.START in said.meanings:
            self._start(confirm=True)
        elif self._about_a_dose(said):
            self._answer_dose(said)
        else:
            self._others(said)

    def _answer_and_stop(self, said: Understood) -> None:
        """What else it says counts too; the confirmation is our only answer."""
        self.ends_texts = True
        if self._about_a_dose(said):
            self._answer_dose(said)
        else:
            self._others(said, answered=True)
        self._stop(confirm=True)

    def _about_a_dose(self, said: Understood) -> bool:
        """Whether it answers for a dose, and nothing in it makes that doubtful."""
        return len(ANSWERING & set(said.meanings)) == 1 and not said.doubtful

    def _answer_dose(self, said: Understood) -> None:
        [meaning] = ANSWERING & set(said.meanings)
        asked = [patient for patient in self.patients if self.open_doses[patient.id] is not None]
        told = [patient for patient in self.patients if self._told_lately(patient, meaning)]
        if len(asked) > 1 or (asked and told):
            self._ask_who(asked, told)
        elif asked:
            self._tell(asked[0], self.open_doses[asked[0].id], meaning, said, self.row)
        elif len(self.patients) == 1:
            self._tell(self.patients[0], None, meaning, said, self.row)
        else:
            self._to_read(self.patients)
        self._others(said, answered=True)

    def _told_lately(self, patient: Patient, meaning: Meaning) -> bool:
        """Whether just this was told of the dose of somebody who waits for no other."""
        if meaning not in TOLD or self.open_doses[patient.id] is not None:
            return False
        latest = latest_dose(patient, self.now)
        since = self.now - questions.LASTS
        return latest is not None and told_lately(latest, TOLD[meaning], since)

    def _others(self, said: Understood, *, answered: bool = False) -> None:
        """What a text may say beside its answer, or instead."""
        told = set(said.meanings)
        if Meaning.SIDE_EFFECT in told:
            self._close(Handled.TO_READ, None if said.urgent else Reply("effect"))
            self._keep_in_diary(said)
        if Meaning.CALL_ME in told:
            self._finding(Cause.CALL_ME)
            self._close(Handled.TO_READ, Reply("call_me"))
        # The items of these have the text, for a person to read.
        read = bool(said.urgent or {Meaning.SIDE_EFFECT, Meaning.CALL_ME} & told)
        explained = answered or read
        if Meaning.HELP in told or self.row.carrier_word == CarrierWord.HELP:
            self._close(Handled.ANSWERED, Reply("help"))
            explained = True
        elif Meaning.WHEN in told:
            explained = len(self.patients) == 1
            if explained:
                days = next_dates(self.patients[0])
                self._close(Handled.ANSWERED, Reply("when" if days else "when_none", days=days))
        if any(match.what == "person.wrong_number" for match in said.matched):
            told_who_we_are = Meaning.HELP in told
            self._to_read(self.patients, Cause.NUMBER_DOUBTFUL, told=read or told_who_we_are)
        elif not explained or (said.doubtful and (ANSWERING & told or not read)):
            self._to_read(self.patients, told=read)

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
            allowed = policy_of(patient.clinic_id).sites
            site = said.site if said.site in allowed else ""
            telling = Telling(Told.TAKEN, day, clock, site, confirmed=confirmed)
            near = near_injection(patient, day, [dose.id])
            if near is not None and not confirmed:
                facts = {"dose": str(dose.id), "other": near.isoformat()}
                self._finding(Cause.SECOND_DOSE, only=patient, **facts)
                self._ask_about(Question.Kind.SECOND, patient, dose, near)
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
            self._ask_about(Question.Kind.WHICH, patient, latest)
        elif told_lately(latest, TOLD[meaning], self.now - questions.LASTS):
            self._keep(patient, Handled.ANSWERED, latest)
        else:
            self._to_read([patient])

    # -- questions --------------------------------------------------------------------------------

    def _ask_who(self, asked: Sequence[Patient], told: Sequence[Patient]) -> None:
        """Ask who of those on this phone it is about."""
        choices = [patient for patient in self.patients if patient in (*asked, *told)]
        names = replies.told_apart([patient.name for patient in choices])
        if names is None:
            self._to_read(choices)
            return
        # Not the same question again, once one of them has answered.
        reply = Reply("who", subject=f"{asked[0].id}:{len(asked)}", choices=names)
        self._ask(Question.Kind.WHO, asked[0], [patient.id for patient in choices], reply)

    def _ask_about(
        self, kind: Question.Kind, patient: Patient, dose: Dose, other: date | None = None
    ) -> None:
        """Ask about one dose, by its date."""
        reply = Reply(kind.value, subject=str(dose.id), day=dose.date, other=other)
        self._ask(kind, patient, [dose.id], reply)

    def _ask(
        self, kind: Question.Kind, patient: Patient, choices: Sequence[UUID], reply: Reply
    ) -> None:
        """Ask back, once: a question that was asked lately is a person's to ask again."""
        if self.question is not None:
            questions.end(self.question, self.now)
        if self.ends_texts or not replies.send(reply, patient, self.row, self.now):
            self._to_read([patient])
            return
        questions.ask(kind, choices, self.row, self.now)
        self._keep(patient, Handled.ASKED_BACK)

    def _answer_question(self, question: Question, digit: int) -> None:
        """The text that waited is handled now, with what the digit says."""
        questions.end(question, self.now)
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
        row, turned = self.row, self.row.turned
        if confirm:
            turned = say(row.scope, row.number, opted_out=False, said_at=row.received_at)
        if not turned:
            # A "yes", or whatever was meant: our texts hadn't stopped.
            self._to_read(self.patients)
            return
        ids = [patient.id for patient in self.patients]
        causes = [
            Cause.OPTED_OUT,
            Cause.CONSENT_MISSING,
            Cause.NUMBER_LOST,
            Cause.NUMBER_UNREACHABLE,
        ]
        settle_items(ids, causes, self.now, text=str(row.id))
        self._close(Handled.STARTED, Reply("texts_started") if confirm else None)

    # -- what is kept and told --------------------------------------------------------------------

    def _understand(self, text: InboundSms, *, alone: bool = False) -> Understood:
        digits = alone or any(
            dose.state == DoseState.DUE and offered(patient, [dose])
            for patient in self.patients
            if (dose := self.open_doses[patient.id]) is not None
        )
        return understand(text.body, self.patients[0].language, digits=digits)

    def _to_read(
        self,
        patients: Sequence[Patient],
        cause: Cause = Cause.TEXT_TO_READ,
        *,
        told: bool = False,
    ) -> None:
        """Leave it to a person. told: another answer does."""
        for patient in patients:
            self._finding(cause, only=patient)
            self._keep(patient, Handled.TO_READ)
        if not self.said.urgent and not told:
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
        if not self.ends_texts or reply.kind == "texts_stopped":
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
