"""`python -m tests.faults.off_by SECONDS MODULE ARGUMENTS...`: run a program whose clock is off, as
on a host whose clock nobody keeps. Its children's too."""

import datetime
import runpy
import sys
import time

_seconds = float(sys.argv[1])
_real, _real_time, _real_time_ns = datetime.datetime, time.time, time.time_ns


class _Kind(type):
    """What was made by the real class is a datetime as well."""

    def __instancecheck__(cls, made: object) -> bool:
        return isinstance(made, _real)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _real)


class _Shifted(_real, metaclass=_Kind):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return _real.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return _real.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


def _shift() -> None:
    time.time = lambda: _real_time() + _seconds
    time.time_ns = lambda: _real_time_ns() + round(_seconds * 1e9)
    datetime.datetime = _Shifted  # type: ignore[misc]


if __name__ == "__main__":
    _shift()
    from django.utils import timezone  # after the shift, as all that the program imports

    off = timezone.now().timestamp() - _real_time()
    print(f"This clock is off by {off:.0f} s.", flush=True)  # noqa: T201 - for the log
    sys.argv[:] = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
