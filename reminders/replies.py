"""Our fixed answers to what patients write. No advice, no date computed for anybody: words that a
clinician has read (wording/), with the clinic's numbers in them.

Each kind once to a number in 24 hours, so that two machines never talk to each other for ever;
safety answers once for each sign.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from messaging import outbox
from messaging.models import InboundSms, Kind, Lane, Scope, Sms
from messaging.states import State
from reminders import wording
from reminders.models import Patient
from reminders.policies import policy_of
from reminders.understanding import Sign

ONCE_IN = timedelta(hours=24)
OF_USE = timedelta(hours=2)
SAFETY_OF_USE = timedelta(hours=12)
"""A safety answer that comes late is still better than none."""

SAFETY = frozenset({"safety", "mood"})
MOOD = frozenset({Sign.LOW_MOOD, Sign.BEHAVIOUR, Sign.SELF_HARM})
"""Signs that are answered with somebody to talk to."""
LAST_WORD = frozenset({"texts_stopped", *SAFETY})
"""Answers that go although the number has said stop: the one confirmation of it (FACTS, SMS law),
and those about danger."""

_ANSWERS = UUID("6a1c1d0e-6d0c-4a39-8c0b-5f6d5a2b9f10")


@dataclass(frozen=True)
class Reply:
    """One fixed answer. kind: a key of [answers] in the language files. subject: what it is about,
    of which it is given once; the others are what the words need."""

    kind: str
    subject: str = ""
    day: date | None = None
    other: date | None = None
    at: datetime | None = None
    days: Sequence[date] = ()
    choices: Sequence[Patient] = ()


def send(reply: Reply, patient: Patient, inbound: InboundSms, now: datetime) -> bool:
    """Queue an answer to a patient's text, in the caller's transaction; whether it was, for the
    same one may have gone to this number lately."""
    about = uuid5(_ANSWERS, f"{inbound.scope}:{inbound.number}:{reply.kind}:{reply.subject}")
    if any(
        sms.queued_at > now - ONCE_IN and sms.state != State.CANCELLED
        for sms in outbox.texts_about([about])
    ):
        return False
    safety = reply.kind in SAFETY
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic_id,
                owner_id=patient.id,
                about_id=about,
                dedup_key=_key(inbound.id, reply.kind, reply.subject),
                to=inbound.number,
                body=_body(reply, patient),
                available_at=now,
                expires_at=now + (SAFETY_OF_USE if safety else OF_USE),
                kind=Kind.REPEAT if safety else Kind.ONCE,
                lane=Lane.URGENT if safety else Lane.ROUTINE,
                asked_for=True,
                last_word=reply.kind in LAST_WORD,
            )
        ],
        now,
    )
    return True


def given(inbound_ids: Collection[UUID], kind: str) -> dict[UUID, Sms]:
    """Our answers of one kind, without a subject, to these texts, by text. One that wasn't answered
    got the same answer to an earlier text within a day."""
    keys = {_key(id_, kind, ""): id_ for id_ in inbound_ids}
    return {keys[key]: sms for key, sms in outbox.texts_with(list(keys)).items()}


def _key(inbound_id: UUID, kind: str, subject: str) -> str:
    return f"answer:{inbound_id}:{kind}:{subject}"


def _body(reply: Reply, patient: Patient) -> str:
    policy = policy_of(patient.clinic_id)
    said = wording.Said(patient)
    elsewhere = policy.out_of_hours and said.answer(
        "elsewhere", urgent=said.phone(policy.out_of_hours)
    )
    in_emergency = policy.emergency and said.answer("in_emergency", emergency=policy.emergency)
    # Without a line to name, those who feel low are told to call their team.
    kind = "safety" if reply.kind == "mood" and not policy.crisis_line else reply.kind
    return said.answer(
        kind,
        date=said.date(reply.day),
        other=said.date(reply.other),
        time=said.time(reply.at),
        dates=", ".join(said.date(day) for day in reply.days),
        choices=", ".join(
            said.answer("choice", n=number, initials=initials(choice.name))
            for number, choice in enumerate(reply.choices, 1)
        ),
        emergency=policy.emergency,
        crisis=policy.crisis_line,
        elsewhere=elsewhere,
        in_emergency=in_emergency,
    )


def safety_words(patient: Patient, signs: Collection[str]) -> list[str]:
    """The fixed safety answers to these signs, for a page that says them at once."""
    mood = {"mood"} if MOOD & set(signs) else set()
    other = {"safety"} if set(signs) - MOOD else set()
    return [_body(Reply(kind), patient) for kind in sorted(mood | other)]


def initials(name: str) -> str:
    """How a person is named in a text that others may read: "A. E."."""
    return " ".join(f"{part[0].upper()}." for part in name.split() if part[0].isalpha())
