"""What a tick does: one call each. A task that found all it could take looks again at once.

The instant is Postgres's: hosts' clocks differ, and reminders would be early or late by as much.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from celery import Task, shared_task
from django.db import connection

from accounts.sign_in import forget_sign_ins
from community.alarms import alarms as community_alarms
from community.members.entering import forget_what_is_over
from community.members.traces import wipe_traces as wipe_what_members_left
from community.moderation import paging as crises
from community.notices import digests, texting
from messaging.clock import first_look, read_clock
from messaging.models import Lane
from messaging.reading_back import read_back as read_back_texts
from messaging.sending import send_due
from messaging.settling import go_again
from messaging.settling import settle as settle_texts
from reminders.conversation import hearing, news
from reminders.health import shared_experiences
from reminders.patients import importing
from reminders.planning import steps
from reminders.planning.alarms import alarms
from reminders.planning.daily_count import count_today as count_doses
from reminders.planning.sweep import sweep as sweep_schedules
from reminders.worklist import paging
from workers.ticks import TICKS

log = logging.getLogger(__name__)

BUSY = 10.0
"""Seconds after which a task that still finds work leaves it to the next tick, and lets others of
its queue have their turn."""

RUSH = steps.BATCH // 2
"""Patients in one batch, from which on a thread more is worth its connection."""

SENDING = 20.0
"""The same for sending. It ends by waiting for answers that may be lost, two seconds if but a few
are: longer turns lose less by that."""


class Tick(Task):  # type: ignore[type-arg]  # generic in its stubs only
    """A task that does nothing when another of its name looked a moment ago."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        interval, _ = TICKS[self.name]
        # Whoever had it before died of it, and that look may have seen nothing.
        again = (self.request.delivery_info or {}).get("redelivered")
        if again or first_look(self.name, interval / 2):
            self.run(*args, **kwargs)


def _while_busy(work: Callable[[], int]) -> None:
    """Repeat while there was something to do, but not for ever."""
    until = time.monotonic() + BUSY
    while work() and time.monotonic() < until:
        pass


@shared_task(base=Tick)
def plan_doses() -> None:
    plan_due(read_clock)


def plan_due(clock: Callable[[], datetime]) -> int:
    """Plan what is due at the clock's instants; how many patients it were. In a rush by two threads
    of this process: while Postgres works for the one, the other thinks. Another process would be
    one that doesn't send."""
    planned = steps.plan_doses(clock())
    if planned < RUSH:
        return planned + (_plan_on(clock) if planned else 0)
    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(_plan_beside, clock)
        return planned + _plan_on(clock) + others.result()


def _plan_on(clock: Callable[[], datetime]) -> int:
    until, planned = time.monotonic() + BUSY, 0
    while (more := steps.plan_doses(clock())) and time.monotonic() < until:
        planned += more
    return planned + more


def _plan_beside(clock: Callable[[], datetime]) -> int:
    try:
        return _plan_on(clock)
    finally:
        connection.close()


@shared_task(base=Tick)
def send_routine() -> None:
    send_due(Lane.ROUTINE, claim_for=SENDING)


@shared_task(base=Tick)
def send_urgent() -> None:
    go_again()
    send_due(Lane.URGENT, claim_for=SENDING)


@shared_task(base=Tick)
def hear() -> None:
    _while_busy(lambda: hearing.hear(read_clock()))


@shared_task(base=Tick)
def page_staff() -> None:
    _while_busy(lambda: paging.page_staff(read_clock()))


@shared_task(base=Tick)
def page_moderators() -> None:
    _while_busy(lambda: crises.page_moderators(read_clock()))


@shared_task(base=Tick)
def text_members() -> None:
    _while_busy(lambda: texting.text_members(read_clock()))


@shared_task(base=Tick)
def mail_members() -> None:
    _while_busy(lambda: digests.mail_members(read_clock()))


@shared_task(base=Tick)
def settle() -> None:
    settle_texts()


@shared_task(base=Tick)
def take_news() -> None:
    _while_busy(lambda: news.take_news(read_clock()))


@shared_task(base=Tick)
def take_imports() -> None:
    _while_busy(lambda: importing.take_imports(read_clock()))


@shared_task(base=Tick)
def read_back() -> None:
    read_back_texts()


@shared_task(base=Tick)
def sweep() -> None:
    sweep_schedules(read_clock())


@shared_task(base=Tick)
def forget() -> None:
    now = read_clock()
    forget_sign_ins(now)
    forget_what_is_over(now)


@shared_task(base=Tick)
def wipe_traces() -> None:
    if wipe_what_members_left(read_clock()):
        shared_experiences.wipe_traces()


@shared_task(base=Tick)
def count_today() -> None:
    count_doses(read_clock())


@shared_task(base=Tick)
def watch() -> None:
    now = read_clock()
    for alarm in (*alarms(now), *community_alarms(now)):
        log.error("%s for %.0f s: %s", alarm.name, alarm.seconds, alarm.what)
