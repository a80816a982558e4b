"""No cache holds what somebody wrote: it would outlive what was taken away or erased. Django's own
is a table, which test_erasure.py looks at, and what is in Redis test_ticks.py."""

import functools
import gc
import pickle
from collections.abc import Iterator
from typing import Any

from django.core.cache import caches

from api.door import Door
from community.members import entering
from community.moderation.board import Figures
from tests.api.client import Caller
from tests.cast import NOW
from tests.community import Circle, answer, begin, make_circle


def remembered() -> Iterator[str]:
    """The texts that functions in this process remember to have been asked about."""
    # Not isinstance, which wakes lazy objects of others.
    functions = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    assert len(functions) > 20
    for kept in (kept for one in functions for kept in gc.get_referents(one)):
        if type(kept) is dict:
            for key in list(kept):
                parts = key if isinstance(key, tuple | list) else [key]
                yield from (part for part in parts if isinstance(part, str))


def read(circle: Circle) -> None:
    caller = Caller(entering._session(circle.wren, NOW).token)
    for path in ("threads", "search?words=mine", "notices", "me/export", "figures"):
        caller.ask("GET", f"/api/v1/community/{path}", expect=200)


def test_functions_and_the_pace_remember_no_words(db, monkeypatch):
    monkeypatch.setattr(Door, "now", NOW)
    for cache in caches.all():
        cache.clear()  # what other tests of this process left there
    circle = make_circle()
    thread = begin(circle.heron, circle.sleep, "A zephyrine of *mine*.", "Zephyrine").post.thread
    answer(circle.wren, thread, "Your zephyrine, 07700 900123?")
    read(circle)
    assert [text for text in remembered() if "zephyrine" in text.lower()] == []
    pace: Any = caches["pace"]
    kept = [pickle.loads(one) for one in pace._cache.values()]  # noqa: S301 - our own
    assert kept
    assert all(isinstance(instant, float) for instants in kept for instant in instants)
    figures: Any = caches["figures"]
    [kept] = [pickle.loads(one) for one in figures._cache.values()]  # noqa: S301 - our own
    assert isinstance(kept, Figures)


def test_it_would_be_noticed():
    @functools.cache
    def folded(text: str) -> str:
        return text.lower()

    folded("A Zephyrine.")
    assert "A Zephyrine." in set(remembered())
