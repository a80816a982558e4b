"""The names of those who work in clinics, as pseudonyms are compared: nobody is to pass for one.

A process reads each once, and at each asking those that came since: so what joining costs doesn't
grow with how many there are. A name that is changed is known when the process begins anew.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Membership

HOUR = (60 * 60 * 1000) << 80
"""Of a key that sorts by time (RFC 9562, version 7: milliseconds above 80 bits). Rows become
visible in another order than that of their keys, by less than this."""


@dataclass(frozen=True)
class StaffNames:
    """whole: names without blanks; last: surnames. Both as `key_of` gives them."""

    whole: frozenset[str]
    last: frozenset[str]


_kept = StaffNames(frozenset(), frozenset())
_read_to = UUID(int=0)
_lock = threading.Lock()


def staff_names(key_of: Callable[[str], str]) -> StaffNames:
    """The names of all who work in a clinic, or did. key_of: what names are compared by."""
    global _kept, _read_to
    since = UUID(int=max(_read_to.int - HOUR, 0))
    since_then = Membership.objects.filter(id__gt=since).order_by("id")
    rows = list(since_then.values_list("id", "user__name"))
    with _lock:
        names = {name for _, name in rows if name}
        whole = {key_of(name) for name in names}
        last = {key_of(name.split()[-1]) for name in names if name.split()}
        if not (whole <= _kept.whole and last <= _kept.last):
            _kept = StaffNames(_kept.whole | whole, _kept.last | last)
        _read_to = max([_read_to, *(id_ for id_, _ in rows[-1:])])
    return _kept
