"""Figures that are kept are those of a count of what there is."""

from collections import Counter

from community.models import LiveTag, LiveText, LiveThread, Reaction, ReactionKind


def check_figures() -> None:
    """Whether the counters, instants and tags of all that can be seen are those of a recount."""
    texts = {live.post_id: live for live in LiveText.objects.all()}
    reacted = Counter(Reaction.objects.values_list("post", "kind"))
    for live in texts.values():
        counters = {kind: getattr(live, kind) for kind in ReactionKind}
        assert counters == {kind: reacted[live.post_id, kind] for kind in ReactionKind}
    tags = set(LiveTag.objects.values_list("thread", "tag", "published_at", "active_at"))
    tagged = set()
    for thread in LiveThread.objects.select_related("thread"):
        inside = [live for live in texts.values() if live.thread_id == thread.thread_id]
        (opener,) = (live for live in inside if live.opens)
        assert thread.replies == len(inside) - 1
        last = max(inside, key=lambda live: (live.published_at, live.post_id))
        assert (thread.active_at, thread.active_by_id) == (last.published_at, last.author_id)
        assert (thread.tags, thread.published_at) == (opener.tags, opener.published_at)
        assert {live.space_id for live in (thread, *inside)} == {thread.thread.space_id}
        instants = (thread.published_at, thread.active_at)
        tagged |= {(thread.thread_id, tag, *instants) for tag in thread.tags}
    assert tags == tagged
