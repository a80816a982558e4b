"""The names of those who work in clinics, as pseudonyms are compared: nobody is to pass for one.

A process reads all of them now and then, and those that came since at each asking: so what joining
costs doesn't grow with how many there are, and a name that was changed is known within FRESH.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

from accounts.models import Membership

FRESH = timedelta(minutes=5)
"""How old what a process knows may be. All names of a thousand clinics are read in a moment, and
only those that are new are compared anew."""

HOUR = (60 * 60 * 1000) << 80
"""Of a key that sorts by time (RFC 9562, version 7: milliseconds above 80 bits). Rows become
visible in another order than that of their keys, by less than this."""


@dataclass(frozen=True)
class StaffNames:
    """whole: names without blanks; last: surnames. Both as `key_of` gives them."""

    whole: frozenset[str]
    last: frozenset[str]


@dataclass(frozen=True)
class _Known:
    """keys: by the name as it is written, those of all of it and of the surname. read_to: the
    greatest key of their memberships. until: of the process's own clock, when all are read again.
    """

    keys: Mapping[str, tuple[str, str]]
    staff: StaffNames
    read_to: UUID
    until: float


NOTHING = _Known({}, StaffNames(frozenset(), frozenset()), UUID(int=0), until=0.0)

_known = NOTHING
_lock = threading.Lock()


def staff_names(key_of: Callable[[str], str]) -> StaffNames:
    """The names of all who work in a clinic, or did. key_of: what names are compared by."""
    global _known
    known = _known
    whole_anew = monotonic() >= known.until
    since = UUID(int=0 if whole_anew else max(known.read_to.int - HOUR, 0))
    rows = list(
        Membership.objects.filter(id__gt=since).order_by("id").values_list("id", "user__name")
    )
    names = {name for _, name in rows if name.split()}
    keys = {} if whole_anew else dict(known.keys)
    keys |= {
        name: known.keys.get(name) or (key_of(name), key_of(name.split()[-1])) for name in names
    }
    staff = known.staff if keys == known.keys else _of(keys)
    with _lock:
        # Whoever read fewer meanwhile changes nothing: the next asking reads them again.
        _known = _Known(
            keys=keys,
            staff=staff,
            read_to=max([known.read_to, *(id_ for id_, _ in rows[-1:])]),
            until=monotonic() + FRESH.total_seconds() if whole_anew else known.until,
        )
    return staff


def _of(keys: Mapping[str, tuple[str, str]]) -> StaffNames:
    return StaffNames(
        frozenset(whole for whole, _ in keys.values()), frozenset(last for _, last in keys.values())
    )
