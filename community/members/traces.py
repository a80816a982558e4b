"""Wiping what is left of the words of those who left, beneath what queries can read."""

from datetime import datetime, timedelta

from django.db import connection

from accounts import audit
from accounts.traces import rebuild_indexes, vacuum
from community.models import Persona
from messaging.clock import first_look
from messaging.forgetting import forget_what_ended

DAY = timedelta(days=1)

TABLES = ("community_", "accounts_keptreply")
"""How the names of the tables begin that hold what is erased."""

INDEXED_WORDS = (
    ("community_livetext", "search"),
    ("community_persona", "pseudonym_key"),
    ("community_contact", "address"),
)
"""Columns with words of a member's own that an index holds: a test looks that these are all."""


def wipe_traces(now: datetime) -> bool:
    """Vacuum the tables of the community and build its indexes over words anew, once a day, if
    somebody left in the last two: so that it is done the next day, should this run be killed.

    Answers whether it was done. In no transaction; it takes time, but lets others read and write.
    """
    left = Persona.objects.filter(left_at__gt=now - 2 * DAY)
    if not left.exists() or not first_look("community.members.traces", DAY.total_seconds()):
        return False
    forget_what_ended(now)
    for table, column in INDEXED_WORDS:
        rebuild_indexes(table, column)
    tables = connection.introspection.django_table_names()
    vacuum([table for table in tables if table.startswith(TABLES)])
    audit.record(audit.CLOCK, "wipe_traces", clinic_id=None, subject_id=None)
    return True
