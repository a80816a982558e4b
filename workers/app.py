"""The Celery app: `celery --app workers.app:app worker --queues routine`, or `urgent`, or `beat`.

Redis may lose all it holds at any moment: tasks carry no work, only "look now".
"""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings

from workers.ticks import BEAT_SCHEDULE, ROUTINE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

LONGEST_TASK = 60
"""Seconds after which a task that no worker has acknowledged is given to another. One that takes
longer runs twice, which costs nothing."""

app = Celery("dosecircle", include=["workers.tasks"])
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options={
        "visibility_timeout": LONGEST_TASK,
        # As often as every 100 s by default: a killed worker's tick would be long out of date.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        # A Redis that accepts and doesn't answer must not hold a worker or a beat for ever.
        "socket_connect_timeout": 5,
        "socket_timeout": 15,
        "socket_keepalive": True,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_default_queue=ROUTINE,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    enable_utc=True,
    beat_schedule=BEAT_SCHEDULE,
    beat_scheduler="workers.ticks:InMemory",
    beat_max_loop_interval=1,
)


@worker_process_init.connect
def collect_less(**_: object) -> None:
    """Let Python look for garbage in cycles less often, and never among what was loaded at the
    start: that took a third of the time in which a batch is planned or sent."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
