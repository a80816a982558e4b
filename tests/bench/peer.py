"""The usual way: a Celery task for each text. `celery --app tests.bench.peer:app worker`.

In its usual form: a task finds what is due and gives each row to a task of its own, which loads it,
posts it with Twilio's client and saves what came back. Tuned as well as we could: threads, because
each of them mostly waits; kept-alive connections to Twilio and Postgres; early acknowledgement; no
results, no events; a long prefetch. It has no pace, no turns, and no way to find out what became of
a text whose answer was lost: with late acknowledgement that one would go twice.
"""

import os
import threading

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402 - Django has to be set up first
from django.utils import timezone  # noqa: E402
from twilio.http.http_client import TwilioHttpClient  # noqa: E402
from twilio.rest import Client  # noqa: E402

from dev.environment import ACCOUNT, ROUTINE_NUMBER  # noqa: E402
from messaging.models import Sms  # noqa: E402

app = Celery("peer", broker=settings.BROKER_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=16,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    task_default_queue="peer",
    broker_connection_retry_on_startup=True,
)
# Else Celery closes the connection to Postgres around each task, which costs ten times the task.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
THREADS = 8
_own = threading.local()


def client() -> Client:
    """One for each thread, whose connection is kept."""
    if not hasattr(_own, "client"):
        http = TwilioHttpClient(timeout=8)
        _own.client = Client(ACCOUNT, settings.TWILIO_ACCOUNTS[ACCOUNT], http_client=http)
        _own.client.api.base_url = settings.TWILIO_BASE_URL
    found: Client = _own.client
    return found


@app.task
def look() -> None:
    """Give each text that is due to a task of its own."""
    due = Sms.objects.filter(state="queued", available_at__lte=timezone.now())
    with app.producer_pool.acquire() as producer:
        for sms_id in due.values_list("id", flat=True):
            send.apply_async((str(sms_id),), producer=producer)


@app.task
def send(sms_id: str) -> None:
    sms = Sms.objects.only("id", "to", "body", "state").get(id=sms_id)
    if sms.state != "queued":
        return
    message = client().messages.create(
        to=sms.to,
        from_=ROUTINE_NUMBER,
        body=sms.body,
        status_callback=f"{settings.PUBLIC_URL}/status/{sms.id}/1",
    )
    Sms.objects.filter(id=sms_id).update(
        state="accepted", state_at=timezone.now(), sid=message.sid, account=ACCOUNT
    )
