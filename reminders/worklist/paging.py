"""Paging: an urgent item of the worklist finds somebody, rung by rung up the rota, until it is
taken. Pages carry no patient's data; the worklist has it.

Postgres knows what is due (`next_page_at`), so it doesn't matter which worker looks, or dies.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet

from accounts import audit
from messaging import inbound, outbox
from messaging.models import Kind, Lane, Scope
from messaging.pages import LEAST_USE, LOST, Stuck, climb, lost
from reminders.models import Duty, WorkItem, WorkNote
from reminders.policies import policies_of
from reminders.worklist.attending import is_held
from reminders.worklist.rota import deaf, on_duty

PAGE = "Dosecircle, {clinic}: somebody needs an urgent call. Open the worklist and take it."


def page_staff(now: datetime, most: int = 50) -> int:
    """Page for up to `most` urgent items that nobody has taken in time; answers for how many.

    Each pages all who are on duty on the next rung above that of its last page; past the last
    rung everybody, again and again. The next page comes after the clinic's page_minutes. An item
    whose clinic has nobody on duty stays due, and is an alarm.
    """
    with transaction.atomic():
        items = list(
            _due(now)
            .filter(_somebody_on_duty(now))
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("clinic")
            .order_by("next_page_at")[:most]
        )
        if items:
            _page(items, now)
    _hear_back(now, most)
    return len(items)


def _page(items: Sequence[WorkItem], now: datetime) -> None:
    """One page for each of these locked items, in a fixed number of queries."""
    clinics = {item.clinic_id for item in items}
    owners = {item.owner_id for item in items if item.owner_id is not None}
    on_duty_now = _by_clinic(Duty.objects.filter(on_duty(now), clinic_id__in=clinics))
    of_owners = _by_clinic(Duty.objects.filter(user_id__in=owners, clinic_id__in=clinics))
    policies = policies_of(clinics)
    texts: list[outbox.Text] = []
    notes: list[WorkNote] = []
    for item in items:
        item.rung, called = climb(item.rung, on_duty_now[item.clinic_id])
        # One that is somebody's pages because there is something new: they are to know.
        if is_held(item, now):
            called += [d for d in of_owners[item.clinic_id] if d.user_id == item.owner_id]
        called = list({duty.number: duty for duty in called}.values())
        wait = timedelta(minutes=policies[item.clinic_id].page_minutes)
        item.next_page_at = now + wait
        texts += [_text(item, duty, now, now + wait) for duty in called]
        facts = {"rung": item.rung, "users": [str(duty.user_id) for duty in called]}
        notes.append(WorkNote(item=item, kind=WorkNote.Kind.PAGED, facts=facts, at=now))
    WorkItem.objects.bulk_update(items, ["rung", "next_page_at"])
    WorkNote.objects.bulk_create(notes)
    outbox.queue(texts, now)
    ids = [str(item.id) for item in items]
    audit.record(audit.CLOCK, "page_staff", clinic_id=None, subject_id=None, items=ids)


def _by_clinic(duties: QuerySet[Duty]) -> defaultdict[UUID, list[Duty]]:
    found: defaultdict[UUID, list[Duty]] = defaultdict(list)
    for duty in duties.order_by("rung", "id"):
        found[duty.clinic_id].append(duty)
    return found


def _key(item: WorkItem) -> str:
    """What the keys of one round of pages begin with."""
    return f"page:{item.id}:{item.times}:{item.rung}:"


def _text(item: WorkItem, duty: Duty, now: datetime, until: datetime) -> outbox.Text:
    return outbox.Text(
        scope=Scope.STAFF,
        lane=Lane.URGENT,
        kind=Kind.REPEAT,
        clinic_id=item.clinic_id,
        owner_id=duty.user_id,
        about_id=item.id,
        dedup_key=f"{_key(item)}{duty.id}",
        to=duty.number,
        body=PAGE.format(clinic=item.clinic.name),
        available_at=now,
        # Then the next one is there: pages that couldn't leave don't pile up.
        expires_at=max(until, now + LEAST_USE),
        asked_for=True,
    )


def _hear_back(now: datetime, most: int) -> None:
    """Take what became of pages: where none of a round's reached a phone, the next rung is paged at
    once. What staff text back is nobody's to read: items are taken in the worklist."""
    with transaction.atomic():
        inbound.take_inbound(inbound.untaken(Scope.STAFF, most), now)
        news = outbox.news(Scope.STAFF, most)
        outbox.take(news)
        about = {page.about_id for page in news if page.state in LOST}
        if not about:
            return
        items = [
            item
            for item in WorkItem.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id__in=about, next_page_at__gt=now)
            .order_by("id")
            if not is_held(item, now)
        ]
        pages = outbox.texts_about([item.id for item in items])
        rotas = _by_clinic(
            Duty.objects.filter(on_duty(now), clinic_id__in={item.clinic_id for item in items})
        )
        for item in items:
            states = [page.state for page in pages if page.dedup_key.startswith(_key(item))]
            top = max((duty.rung for duty in rotas[item.clinic_id]), default=0)
            # Past the last rung everybody was paged: that is repeated in its own time.
            if item.rung < top and LOST.issuperset(states):
                item.next_page_at = now
        WorkItem.objects.bulk_update(items, ["next_page_at"])


# --- What is an alarm -----------------------------------------------------------------------------


def nobody_to_page(now: datetime) -> list[Stuck]:
    """Urgent items that are due while nobody of their clinic is on duty."""
    items = _due(now).exclude(_somebody_on_duty(now))
    return [Stuck(item.id, item.next_page_at or now) for item in items]


def unpaged_for(now: datetime) -> float:
    """For how many seconds the page that waits longest has been due, with somebody there."""
    due = _due(now).filter(_somebody_on_duty(now))
    oldest = due.aggregate(oldest=Min("next_page_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0


def lost_pages(now: datetime) -> list[Stuck]:
    """The latest page to each phone about what nobody has taken, where it didn't reach it."""
    waiting = WorkItem.objects.filter(next_page_at__isnull=False).exclude(owned_until__gt=now)
    return lost(list(waiting.values_list("id", flat=True)))


def deaf_duties(now: datetime) -> list[Stuck]:
    """Duties that hold or are to come, at a phone that said stop to pages."""
    duties = list(Duty.objects.exclude(ends_at__lte=now).order_by("id"))
    return [Stuck(id_, since) for id_, since in deaf(duties).items()]


def _due(now: datetime) -> QuerySet[WorkItem]:
    return WorkItem.objects.filter(next_page_at__lte=now)


def _somebody_on_duty(now: datetime) -> Exists:
    return Exists(Duty.objects.filter(on_duty(now), clinic=OuterRef("clinic")))
