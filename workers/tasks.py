"""What a tick does: one call each. A task that found all it could take looks again at once."""

import time
from collections.abc import Callable

from celery import shared_task
from django.utils import timezone

from messaging.models import Lane
from messaging.reading_back import read_back as read_back_texts
from messaging.sending import send_due
from messaging.settling import settle as settle_texts
from reminders import news, planning
from reminders.sweep import sweep as sweep_schedules

BUSY = 10.0
"""Seconds after which a task that still finds work leaves it to the next tick, and lets others of
its queue have their turn."""


def _while_busy(work: Callable[[], int]) -> None:
    """Repeat while there was something to do, but not for ever."""
    until = time.monotonic() + BUSY
    while work() and time.monotonic() < until:
        pass


@shared_task
def plan_doses() -> None:
    _while_busy(lambda: planning.plan_doses(timezone.now()))


@shared_task
def send_routine() -> None:
    _while_busy(lambda: send_due(Lane.ROUTINE))


@shared_task
def send_urgent() -> None:
    _while_busy(lambda: send_due(Lane.URGENT))


@shared_task
def settle() -> None:
    settle_texts()


@shared_task
def take_news() -> None:
    _while_busy(lambda: news.take_news(timezone.now()))


@shared_task
def read_back() -> None:
    read_back_texts()


@shared_task
def sweep() -> None:
    sweep_schedules(timezone.now())
