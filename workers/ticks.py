"""When the clock looks: the table of ticks. Beat sends each; any number of beats may run.

A tick says only "look now", on the queue of its lane. A lost one or a second one costs nothing:
Postgres knows what is due. One that comes within half its interval after a look is out of date and
does nothing, whether it comes from another beat or waited while nobody listened. Postgres's clock
tells (tasks.py): an expiry that is written here and read there compares two hosts' clocks, and when
one of them is a minute off, every tick of two seconds is dropped.
"""

from celery.beat import Scheduler

ROUTINE, URGENT = "routine", "urgent"

TICKS: dict[str, tuple[float, str]] = {
    "workers.tasks.plan_doses": (10, ROUTINE),
    "workers.tasks.send_routine": (2, ROUTINE),
    "workers.tasks.send_urgent": (2, URGENT),
    "workers.tasks.hear": (1, URGENT),
    "workers.tasks.page_staff": (2, URGENT),
    "workers.tasks.page_moderators": (2, URGENT),
    "workers.tasks.text_members": (2, ROUTINE),
    "workers.tasks.mail_members": (10, ROUTINE),
    "workers.tasks.settle": (5, ROUTINE),
    "workers.tasks.take_news": (10, ROUTINE),
    "workers.tasks.take_imports": (5, ROUTINE),
    "workers.tasks.read_back": (60, ROUTINE),
    "workers.tasks.sweep": (3600, ROUTINE),
    "workers.tasks.forget": (3600, ROUTINE),
    "workers.tasks.wipe_traces": (3600, ROUTINE),
    "workers.tasks.count_today": (3600, ROUTINE),
    "workers.tasks.watch": (30, ROUTINE),
}
"""Each task's interval in seconds, and its queue."""

BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds, "options": {"queue": queue}}
    for task, (seconds, queue) in TICKS.items()
}


class InMemory(Scheduler):
    """A schedule that is nowhere but in memory: no file to share, to lock or to find torn."""

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)
