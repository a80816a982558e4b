"""Search by Postgres's full text, among the texts in one language."""

from enum import StrEnum

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, QuerySet

from community.members.bonds import unseen_by, without
from community.models import LiveText, Persona
from community.posts.visibility import SEARCH_CONFIGS
from community.reading.keyset import Place, older
from community.reading.marks import reactions_seen

RANKED = 1000
"""Of so many of the newest texts that match the best are looked for."""


class Sort(StrEnum):
    """newest: newest first. best: those that say it most, of the newest."""

    NEWEST = "newest"
    BEST = "best"


def search(
    me: Persona, words: str, language: str, sort: Sort, after: Place | None, most: int
) -> list[LiveText]:
    """The texts that hold some words (as one types them: quotes for a phrase, "or", "-not"), which
    a persona sees. The best come on one page, so `after` is for the newest alone."""
    query = SearchQuery(
        words, config=SEARCH_CONFIGS.get(language, "simple"), search_type="websearch"
    )
    hidden = unseen_by(me.id)
    found = LiveText.objects.filter(search=query, language=language)
    found = without(found, hidden, "author", "thread__author")
    newest = found.order_by("-published_at", "-post_id")
    if sort is Sort.BEST:
        newest = _best(newest, query)
    elif after:
        newest = newest.filter(older("published_at", "post_id", after))
    texts = list(newest.defer("search").select_related("author")[:most])
    reactions_seen(texts, hidden)
    return texts


def _best(newest: QuerySet[LiveText], query: SearchQuery) -> QuerySet[LiveText]:
    looked_at = newest.values("post_id")[:RANKED]
    return (
        LiveText.objects.filter(post__in=looked_at)
        .annotate(rank=SearchRank(F("search"), query))
        .order_by("-rank", "-published_at", "-post_id")
    )
