"""What an operator has to be woken for: nothing is planned, nothing is sent, something is missing,
an urgent item finds nobody.

Asked by the clock (which logs it) and by the web (which answers it to a monitor), for workers that
are all dead can't say so.
"""

from datetime import datetime

from django.db.models import Min

from messaging.circuits import open_circuits
from messaging.models import Sms
from messaging.silence import SILENCE, Alarm, silent_for, unheard_for
from messaging.states import State
from reminders.dates.ladder import Step
from reminders.models import Dose
from reminders.planning.daily_count import FIGURES, LATE, counts_today, late_for, missing_at
from reminders.worklist import paging


def alarms(now: datetime) -> list[Alarm]:
    """All that is wrong at present."""
    found = [
        Alarm("circuit_open", (now - circuit.opened_at).total_seconds(), circuit.name)
        for circuit in open_circuits()
        if circuit.opened_at is not None
    ]
    waits = unplanned_for(now)
    if waits > SILENCE:
        found.append(Alarm("planning_silent", waits, "doses are due, and nobody looks"))
    silence = silent_for()
    if silence > SILENCE:
        found.append(Alarm("sending_silent", silence, "texts are due, and none is taken"))
    unheard = unheard_for(now)
    if unheard > SILENCE:
        found.append(Alarm("hearing_silent", unheard, "people wrote, and nobody reads it"))
    uncounted = late_for(now)
    if uncounted > LATE.total_seconds():
        found.append(Alarm("count_late", uncounted, "nobody counts what is due"))
    found += [
        Alarm("doses_missing", (now - count.counted_at).total_seconds(), str(count.clinic_id))
        for count in missing_at(now)
    ]
    pages = paging.unpaged_for(now)
    if pages > SILENCE:
        found.append(Alarm("paging_silent", pages, "urgent items are due, and nobody pages"))
    for name, stuck in (
        ("nobody_on_duty", paging.nobody_to_page(now)),
        ("page_lost", paging.lost_pages(now)),
        ("duty_opted_out", paging.deaf_duties(now)),
    ):
        found += [Alarm(name, (now - one.since).total_seconds(), str(one.id)) for one in stuck]
    return found


def unplanned_for(now: datetime) -> float:
    """For how many seconds the dose that waits longest for its step has waited; 0 if none does."""
    waiting = Dose.objects.filter(next_step_at__lte=now, trouble__lt=3)
    oldest = waiting.aggregate(oldest=Min("next_step_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0


def figures(now: datetime) -> dict[str, float]:
    """Figures for a monitor, by name: waiting times in seconds, and counts over all clinics, of
    doses on each clinic's own date."""
    counts = [count for count in counts_today(now) if count.step == Step.DAY]
    return {
        "planning_waits_seconds": unplanned_for(now),
        "sending_silent_seconds": silent_for(),
        "hearing_silent_seconds": unheard_for(now),
        "count_late_seconds": late_for(now),
        "circuits_open": len(open_circuits()),
        "texts_unknown": Sms.objects.filter(state=State.UNKNOWN).count(),
        **{
            f"doses_today_{name}": sum(getattr(count, name) for count in counts) for name in FIGURES
        },
    }
