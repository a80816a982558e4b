"""Our fixed answers to what patients write. No advice, no date computed for anybody: words that a
clinician has read (wording/), with the clinic's numbers in them.

Each kind once to a number in 24 hours, so that two machines never talk to each other for ever;
safety answers once for each sign, and one for all signs of a text that it answers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from messaging import outbox
from messaging.models import InboundSms, Kind, Lane, Scope, Sms
from messaging.states import State
from reminders.models import Answer, Patient
from reminders.policies import policy_of
from reminders.texts import wording
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
    choices: Sequence[str] = ()


def send(reply: Reply, patient: Patient, inbound: InboundSms, now: datetime) -> bool:
    """Queue an answer to a patient's text, in the caller's transaction; whether it was, for the
    same one may have gone to this number lately."""
    about = uuid5(_ANSWERS, f"{inbound.scope}:{inbound.number}:{reply.kind}:{reply.subject}")
    if any(
        sms.queued_at > now - ONCE_IN and sms.state != State.CANCELLED
        for sms in outbox.texts_about([about])
    ):
        return False
    _queue(reply, about, patient, inbound, now)
    return True


def send_safety(
    signs: Collection[Sign], patient: Patient, inbound: InboundSms, now: datetime
) -> None:
    """Queue the safety answers to these signs of a patient's text: one for those with somebody to
    talk to, one for the others, and neither where each of its signs had one lately."""
    told = _told_lately(patient, inbound.number, now)
    for kind, of_kind in _by_kind(signs, patient).items():
        if not of_kind <= told[kind]:
            _queue(Reply(kind), _about(inbound.id, kind), patient, inbound, now)


def _by_kind(signs: Collection[str], patient: Patient) -> dict[str, set[str]]:
    """Signs by the safety answer that they get. Without a line to name, those who feel low are
    told to call their team, as for all others."""
    low = set(signs) & MOOD if policy_of(patient.clinic_id).crisis_line else set()
    kinds = {"mood": low, "safety": set(signs) - low}
    return {kind: found for kind, found in kinds.items() if found}


def _told_lately(patient: Patient, number: str, now: datetime) -> dict[str, set[str]]:
    """For which signs each safety answer went to this number lately: those of the texts that it
    answered."""
    lately = list(
        Answer.objects.filter(
            patient=patient, inbound__number=number, handled_at__gt=now - ONCE_IN
        ).values_list("inbound_id", "urgent")
    )
    answered = {_about(id_, kind): (kind, signs) for id_, signs in lately for kind in SAFETY}
    told: dict[str, set[str]] = {kind: set() for kind in SAFETY}
    for sms in outbox.texts_about(list(answered)):
        kind, signs = answered[sms.about_id]
        if sms.state != State.CANCELLED:
            told[kind] |= set(signs)
    return told


def given(inbound_ids: Collection[UUID], kind: str) -> dict[UUID, Sms]:
    """Our answers of one kind, without a subject, to these texts, by text. One that wasn't answered
    got the same answer to an earlier text within a day."""
    keys = {_key(id_, kind, ""): id_ for id_ in inbound_ids}
    return {keys[key]: sms for key, sms in outbox.texts_with(list(keys)).items()}


def _key(inbound_id: UUID, kind: str, subject: str) -> str:
    return f"answer:{inbound_id}:{kind}:{subject}"


def _about(inbound_id: UUID, kind: str) -> UUID:
    return uuid5(_ANSWERS, f"{inbound_id}:{kind}")


def _queue(reply: Reply, about: UUID, patient: Patient, inbound: InboundSms, now: datetime) -> None:
    safety = reply.kind in SAFETY
    text = outbox.Text(
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
    outbox.queue([text], now)


def _body(reply: Reply, patient: Patient) -> str:
    policy = policy_of(patient.clinic_id)
    said = wording.Said(patient)
    elsewhere = policy.out_of_hours and said.answer(
        "elsewhere", urgent=said.phone(policy.out_of_hours)
    )
    in_emergency = policy.emergency and said.answer("in_emergency", emergency=policy.emergency)
    return said.answer(
        reply.kind,
        date=said.date(reply.day),
        other=said.date(reply.other),
        time=said.time(reply.at),
        dates=", ".join(said.date(day) for day in reply.days),
        # The sentence has a full stop of its own.
        choices=", ".join(
            said.answer("choice", n=number, initials=choice)
            for number, choice in enumerate(reply.choices, 1)
        ).removesuffix("."),
        emergency=policy.emergency,
        crisis=policy.crisis_line,
        elsewhere=elsewhere,
        in_emergency=in_emergency,
    )


def safety_words(patient: Patient, signs: Collection[str]) -> list[str]:
    """The fixed safety answers to these signs, for a page that says them at once."""
    return [_body(Reply(kind), patient) for kind in _by_kind(signs, patient)]


def told_apart(names: Sequence[str]) -> list[str] | None:
    """How people are named in a text that others may read: "A. E.", and with as many letters more
    of the first names, or else of all, as tell them apart. None where nothing does."""
    people = [[part for part in name.split() if part[0].isalpha()] for name in names]
    longest = max((len(part) for parts in people for part in parts), default=0)
    for others in (False, True):
        for letters in range(1, longest + 1):
            found = [
                " ".join(
                    _shortened(part, letters if others or at == 0 else 1)
                    for at, part in enumerate(parts)
                )
                for parts in people
            ]
            # A full stop alone is no difference.
            differ = {name.casefold().replace(".", "") for name in found} - {""}
            if len(differ) == len(found):
                return found
    return None


def _shortened(part: str, letters: int) -> str:
    short = part[:letters]
    return short[0].upper() + short[1:] + ("." if len(short) < len(part) or len(part) == 1 else "")
