"""Paging: a crisis finds a person, rung by rung up the moderators' rota, until one acknowledges it.
Pages carry no text of a post and name nobody; the queue has it.

Postgres knows what is due (`next_page_at`), so it doesn't matter which worker looks, or dies.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from accounts import audit
from accounts.refusals import Conflict, Forbidden, NotFound
from community.models import Case, CaseEvent, Duty
from community.moderation.cases import note
from community.moderation.rota import deaf, on_duty, rota
from messaging import inbound, outbox
from messaging.models import Kind, Lane, Scope
from messaging.pages import LEAST_USE, LOST, Stuck, climb, lost

PAGE = (
    "Dosecircle community: somebody may be in danger. Open the moderators' queue, acknowledge the "
    "case on top and read it."
)

PAGE_EVERY = timedelta(minutes=5)
"""How long a rung is waited for. Ours: a crisis is to reach a person within minutes."""

HELD_FOR = timedelta(minutes=30)
"""How long a case that was acknowledged pages nobody. Enough to read, to answer and to decide, and
so short that one whose moderator was called away calls the next."""


def page_moderators(now: datetime, most: int = 50) -> int:
    """Page for up to `most` crises that nobody has acknowledged in time; answers for how many.

    Each pages all who are on duty on the next rung above that of its last page; past the last rung
    everybody, again and again. One that somebody acknowledged and left open climbs on when their
    time is over. One for which nobody is on duty stays due, and is an alarm.
    """
    with transaction.atomic():
        cases = list(
            _due(now)
            .filter(_somebody_on_duty(now))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_page_at")[:most]
        )
        if cases:
            _page(cases, now)
    _hear_back(now, most)
    return len(cases)


def acknowledge(case_id: UUID, actor: audit.Actor, now: datetime) -> Case:
    """Say that one looks after a crisis; nobody is paged for it for half an hour.

    It leaves the case's version as it is, for it changes nothing that a decision rests on. Raises
    NotFound, Conflict for a case that is closed or no crisis, and Forbidden for one about oneself.
    """
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(id=case_id).first()
        if case is None:
            raise NotFound("case")
        if case.closed_at is not None or not case.crisis:
            raise Conflict("no_crisis", "This case is closed, or nobody is paged for it.")
        if case.about_id == actor.persona_id:
            raise Forbidden("own_case", "This case is about you: somebody else looks at it.")
        hold(case, actor, now)
    return case


def hold(case: Case, actor: audit.Actor, now: datetime) -> None:
    """Note on a locked crisis that a moderator has it from now on."""
    case.seen_at = case.seen_at or max(now, case.opened_at)
    case.acknowledged_at = case.acknowledged_at or now
    case.acknowledged_by_id = actor.persona_id
    case.held_until = case.next_page_at = now + HELD_FOR
    case.save(
        update_fields=[
            "seen_at", "acknowledged_at", "acknowledged_by", "held_until", "next_page_at",
        ]
    )  # fmt: skip
    note(case, CaseEvent.Kind.ACKNOWLEDGED, actor, now)
    outbox.cancel([case.id])


def is_held(case: Case, now: datetime) -> bool:
    """Whether somebody who acknowledged a case still has it. A further sign of danger ends that."""
    return case.held_until is not None and case.held_until > now


def _page(cases: Sequence[Case], now: datetime) -> None:
    """One round of pages for each of these locked cases, in a fixed number of queries. A phone is
    called once in a round for one member, however many cases there are about them: whoever writes
    much would drown the pages about others."""
    duties = _duties(now)
    texts: list[outbox.Text] = []
    events: list[CaseEvent] = []
    under_way = _rounds_under_way(cases, now)
    paged: set[tuple[UUID, str]] = set()
    for case in cases:
        if case.rounds == 0 and case.about_id in under_way:
            case.rung, case.next_page_at = under_way[case.about_id]
            continue
        case.rung, called = climb(case.rung, _rota_for(case, duties))
        if case.owner_id and case.owned_until and case.owned_until > now:
            # Somebody has begun to look: they are to know that there is something new.
            called += [duty for duty in duties if duty.persona_id == case.owner_id]
        called = list({duty.number: duty for duty in called}.values())
        case.rounds += 1
        case.next_page_at = now + PAGE_EVERY
        texts += [
            _text(case, duty, now) for duty in called if (case.about_id, duty.number) not in paged
        ]
        paged |= {(case.about_id, duty.number) for duty in called}
        facts = {"rung": case.rung, "moderators": [str(duty.persona_id) for duty in called]}
        events.append(CaseEvent(case=case, kind=CaseEvent.Kind.PAGED, facts=facts, at=now))
    Case.objects.bulk_update(cases, ["rung", "rounds", "next_page_at"])
    CaseEvent.objects.bulk_create(events)
    outbox.queue(texts, now)
    ids = [str(case.id) for case in cases]
    audit.record(audit.CLOCK, "page_moderators", clinic_id=None, subject_id=None, cases=ids)


def _rounds_under_way(
    cases: Sequence[Case], now: datetime
) -> dict[UUID, tuple[int, datetime | None]]:
    """Of members about whom there are new cases here: the rung and the end of the round of pages
    that another case about them has begun and nobody has heard."""
    others = Case.objects.filter(
        about__in={case.about_id for case in cases if case.rounds == 0},
        crisis=True,
        closed_at__isnull=True,
        rounds__gt=0,
        next_page_at__gt=now,
    ).exclude(held_until__gt=now)
    rows = others.order_by("-next_page_at").values_list("about", "rung", "next_page_at")
    return {about: (rung, next_page_at) for about, rung, next_page_at in rows}


def _duties(now: datetime) -> list[Duty]:
    return list(on_duty(now).order_by("rung", "id"))


def _rota_for(case: Case, duties: Sequence[Duty]) -> list[Duty]:
    """Whom a case may call: not the one whom it is about."""
    return [duty for duty in duties if duty.persona_id != case.about_id]


def _key(case: Case) -> str:
    """What the keys of the last round of pages begin with."""
    return f"crisis:{case.id}:{case.rounds}:"


def _text(case: Case, duty: Duty, now: datetime) -> outbox.Text:
    return outbox.Text(
        scope=Scope.MODERATORS,
        lane=Lane.URGENT,
        kind=Kind.REPEAT,
        owner_id=duty.persona_id,
        about_id=case.id,
        dedup_key=f"{_key(case)}{duty.id}",
        to=duty.number,
        body=PAGE,
        available_at=now,
        # Then the next one is there: pages that couldn't leave don't pile up.
        expires_at=now + max(PAGE_EVERY, LEAST_USE),
        asked_for=True,
    )


def _hear_back(now: datetime, most: int) -> None:
    """Take what became of pages: where none of a round's reached a phone, the next rung is paged at
    once. What moderators text back is nobody's to read: cases are acknowledged in the queue."""
    with transaction.atomic():
        inbound.take_inbound(inbound.untaken(Scope.MODERATORS, most), now)
        news = outbox.news(Scope.MODERATORS, most)
        outbox.take(news)
        about = {page.about_id for page in news if page.state in LOST}
        if not about:
            return
        cases = [
            case
            for case in Case.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id__in=about, next_page_at__gt=now)
            .order_by("id")
            if not is_held(case, now)
        ]
        pages = outbox.texts_about([case.id for case in cases])
        duties = _duties(now)
        for case in cases:
            states = [page.state for page in pages if page.dedup_key.startswith(_key(case))]
            top = max((duty.rung for duty in _rota_for(case, duties)), default=0)
            # Past the last rung everybody was paged: that is repeated in its own time.
            if states and case.rung < top and LOST.issuperset(states):
                case.next_page_at = now
        Case.objects.bulk_update(cases, ["next_page_at"])


# --- What is an alarm -----------------------------------------------------------------------------


def nobody_to_page(now: datetime) -> list[Stuck]:
    """Crises that are due while nobody is on duty for them."""
    cases = _due(now).exclude(_somebody_on_duty(now))
    return [Stuck(case.id, case.next_page_at or now) for case in cases]


def unpaged_for(now: datetime) -> float:
    """For how many seconds the page that waits longest has been due, with somebody there."""
    due = _due(now).filter(_somebody_on_duty(now))
    oldest = due.aggregate(oldest=Min("next_page_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0


def lost_pages(now: datetime) -> list[Stuck]:
    """The latest page to each phone about what nobody has, where it didn't reach it."""
    waiting = Case.objects.filter(next_page_at__isnull=False).exclude(held_until__gt=now)
    return lost(list(waiting.values_list("id", flat=True)))


def deaf_duties(now: datetime) -> list[Stuck]:
    """Duties that hold or are to come, at a phone that said stop to pages."""
    return [Stuck(id_, since) for id_, since in deaf(rota(now)).items()]


def _due(now: datetime) -> QuerySet[Case]:
    return Case.objects.filter(next_page_at__lte=now)


def _somebody_on_duty(now: datetime) -> Exists:
    return Exists(on_duty(now).filter(~Q(persona=OuterRef("about"))))
