"""Waiting for something to become true, with an end."""

import time
from collections.abc import Callable


def until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Return as soon as `true()` is; raise TimeoutError, naming `what`, after so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:g} s in vain until {what}.")
        time.sleep(0.05)
