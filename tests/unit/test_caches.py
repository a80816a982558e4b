"""No cache holds what somebody wrote: it would outlive what was taken away or erased. Django's own
is a table, which test_erasure.py looks at, and what is in Redis test_ticks.py."""

import functools
import gc
import pickle
from typing import Any

from django.core.cache import caches

from api.door import Door
from community.members import entering
from tests.api.client import Caller
from tests.cast import NOW
from tests.community import Circle, answer, begin, make_circle


def remembered() -> list[Any]:
    """What functions in this process remember of what they were asked, each key as it is kept."""
    functions = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    assert len(functions) > 20
    return [kept for one in functions for kept in gc.get_referents(one) if isinstance(kept, dict)]


def read(circle: Circle) -> None:
    caller = Caller(entering._session(circle.wren, NOW).token)
    for path in ("threads", "search?words=quillon", "notices", "me/export"):
        caller.ask("GET", f"/api/v1/community/{path}", expect=200)


def test_functions_and_the_pace_remember_no_words(db, monkeypatch):
    monkeypatch.setattr(Door, "now", NOW)
    circle = make_circle()
    thread = begin(circle.heron, circle.sleep, "A quillon of *mine*.", "Quillon").post.thread
    answer(circle.wren, thread, "Your quillon, 07700 900123?")
    read(circle)
    assert [kept for kept in remembered() if "quillon" in repr(kept).lower()] == []
    pace: Any = caches["pace"]
    kept = [pickle.loads(one) for one in pace._cache.values()]  # noqa: S301 - our own
    assert kept
    assert all(isinstance(instant, float) for instants in kept for instant in instants)


def test_it_would_be_noticed():
    @functools.cache
    def folded(text: str) -> str:
        return text.lower()

    folded("A Quillon.")
    assert any("Quillon" in repr(kept) for kept in remembered())
