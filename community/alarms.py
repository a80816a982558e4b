"""What an operator has to be woken for in the community: a crisis that finds nobody."""

from datetime import datetime

from community.models import Duty, Persona
from community.moderation import paging
from community.moderation.rota import on_duty
from messaging.silence import SILENCE, Alarm


def alarms(now: datetime) -> list[Alarm]:
    """All that is wrong at present. Once somebody has joined, an empty rota is an alarm by itself:
    the first crisis must not be what finds out."""
    found = []
    if Persona.objects.filter(left_at__isnull=True).exists() and not on_duty(now).exists():
        found.append(Alarm("no_moderator_on_duty", _empty_for(now), "the moderators' rota"))
    waits = paging.unpaged_for(now)
    if waits > SILENCE:
        found.append(Alarm("crisis_paging_silent", waits, "a crisis is due, and nobody pages"))
    for name, stuck in (
        ("crisis_finds_nobody", paging.nobody_to_page(now)),
        ("crisis_page_lost", paging.lost_pages(now)),
        ("moderator_opted_out", paging.deaf_duties(now)),
    ):
        found += [Alarm(name, (now - one.since).total_seconds(), str(one.id)) for one in stuck]
    return found


def _empty_for(now: datetime) -> float:
    """For how many seconds nobody has been on duty, as far as the rota still tells."""
    ended = Duty.objects.filter(ready_at__isnull=False, ends_at__lte=now).order_by("-ends_at")
    last = ended.values_list("ends_at", flat=True).first()
    return (now - last).total_seconds() if last else 0.0
