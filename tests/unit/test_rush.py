"""Many doses due at once: two threads plan them, each dose once."""

import threading

from messaging.clock import read_clock
from messaging.models import Sms
from reminders.models import Dose
from reminders.planning import steps
from tests.living import enrol_many, start_now
from workers import tasks

MANY = 24


def test_two_threads_plan_each_dose_once(world, monkeypatch):
    for patient in enrol_many(world.cast, MANY):
        start_now(world.cast, patient)
    real, calls, together = steps.plan_doses, [], threading.Barrier(2)

    def plan_two(now):
        calls.append(threading.get_ident())
        # After the first look, which finds that there is a rush, both begin at once.
        if len(calls) in (2, 3):
            together.wait(20)
        return real(now, most=2)

    monkeypatch.setattr(tasks, "RUSH", 2)
    monkeypatch.setattr(steps, "plan_doses", plan_two)
    # Patients that were looked at: one whom the other thread has just let go of is looked at again,
    # and there is nothing to do.
    assert tasks.plan_due(read_clock) >= MANY
    assert len(set(calls)) == 2
    assert Sms.objects.count() == Sms.objects.filter(state="queued").count() == MANY
    assert Dose.objects.filter(state="due").count() == MANY
    assert Dose.objects.filter(state="planned").count() == MANY


def test_a_few_are_planned_by_one(world, monkeypatch):
    [patient] = enrol_many(world.cast, 1)
    start_now(world.cast, patient)
    monkeypatch.setattr(tasks, "ThreadPoolExecutor", None)
    assert tasks.plan_due(read_clock) == 1
    assert tasks.plan_due(read_clock) == 0
