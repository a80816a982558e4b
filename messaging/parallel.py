"""Many calls to a provider at once, for a while and no longer."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection

Item = TypeVar("Item")
Result = TypeVar("Result")


def call_all(
    work: Callable[[Item], Result], items: Sequence[Item], *, at_once: int, until: float
) -> list[Future[Result]]:
    """Do `work` on each item, and answer when all is done or at `until` (of time.monotonic()).

    A future is done, or cancelled (it never began), or neither: still on its way. No database
    connection is held meanwhile: ours should not be tied to how fast a provider answers.
    """
    if not connection.in_atomic_block:
        connection.close()
    pool = ThreadPoolExecutor(min(at_once, len(items)))
    futures = [pool.submit(work, item) for item in items]
    wait(futures, timeout=max(0.0, until - time.monotonic()))
    pool.shutdown(wait=False, cancel_futures=True)
    return futures
