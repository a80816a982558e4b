"""What members read: the first page, feeds, rooms, threads, search, and who wrote it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from community.models import LiveText, PersonaRole, ReactionKind
from community.posts.drafts import drafts_of
from community.posts.limits import LONGEST_BODY
from community.posts.reacting import my_reactions
from community.reading import feeds, searching, spaces, threads
from community.reading.feeds import Entry, Order, Wanted
from community.reading.marks import mark_read
from community.tags import TAGS
from web.community.door import Visit, Who, persona_page, show
from web.community.entering import LANGUAGES
from web.community.places import SIZE, after, cut
from web.community.writing import ReplyForm

FEEDS = {
    "active": Wanted(Order.ACTIVE),
    "new": Wanted(Order.NEW),
    "like": Wanted(Order.ACTIVE, like_mine=True),
    "followed": Wanted(Order.ACTIVE, followed=True),
}
"""By the last word of their address."""


class Looking(forms.Form):
    words = forms.CharField(max_length=200, required=False)
    language = forms.ChoiceField(choices=LANGUAGES)
    sort = forms.ChoiceField(choices=[(sort.value, sort.value) for sort in searching.Sort])


@require_safe
@persona_page(Who.MEMBER)
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community: the rooms, and where somebody has just written."""
    return _feed(request, visit, FEEDS["active"], "home", feed="active", rooms=spaces.spaces())


@require_safe
@persona_page(Who.MEMBER)
def feed(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    """/community/feeds/…: threads of all rooms."""
    if kind not in FEEDS:
        raise Http404
    nothing_said = kind == "like" and not feeds.like(visit.me)
    return _feed(request, visit, FEEDS[kind], "feed", feed=kind, nothing_said=nothing_said)


@require_safe
@persona_page(Who.MEMBER)
def tagged(request: HttpRequest, visit: Visit, tag: str) -> HttpResponse:
    """/community/tags/…: threads with a tag."""
    if tag not in TAGS:
        raise Http404
    return _feed(request, visit, Wanted(Order.ACTIVE, tag=tag), "feed", feed="tag", tag=tag)


@require_safe
@persona_page(Who.MEMBER)
def room(request: HttpRequest, visit: Visit, space_id: UUID) -> HttpResponse:
    """/community/rooms/…: a room, its pinned threads above."""
    order = Order.NEW if request.GET.get("order") == "new" else Order.ACTIVE
    pinned: Sequence[Entry] = ()
    if not request.GET.get("after"):
        pinned = feeds.pinned(visit.me, space_id, order)
    return _feed(
        request,
        visit,
        Wanted(order, space=space_id),
        "room",
        feed=order.value,
        room_id=space_id,
        pinned=pinned,
    )


def _feed(
    request: HttpRequest, visit: Visit, wanted: Wanted, template: str, **facts: Any
) -> HttpResponse:
    found = feeds.feed(visit.me, wanted, after(request), SIZE + 1)
    instant = wanted.order.instant
    entries, more = cut(found, lambda last: (getattr(last.live, instant), last.live.thread_id))
    by_id = {space.id: space for space in facts.pop("rooms", None) or spaces.spaces()}
    here = by_id.get(facts.get("room_id"))
    return show(
        request,
        visit,
        template,
        tab="talk",
        entries=entries,
        more=more,
        paged=bool(request.GET.get("after")),
        rooms=by_id,
        room=here,
        **facts,
    )


@require_safe
@persona_page(Who.MEMBER)
def thread(request: HttpRequest, visit: Visit, thread_id: UUID) -> HttpResponse:
    """/community/threads/…: a thread and its replies, oldest first. What is shown is read."""
    page = threads.read_thread(visit.me, thread_id, after(request), SIZE + 1)
    replies, more = cut(page.replies, lambda last: (last.published_at, last.post_id))
    last = replies[-1] if replies else page.opener
    mark_read(visit.me, thread_id, last.post_id)
    draft = next((one for one in drafts_of(visit.me) if one.thread_id == thread_id), None)
    return show(
        request,
        visit,
        "thread",
        tab="talk",
        thread=page,
        room=next((s for s in spaces.spaces() if s.id == page.live.space_id), None),
        opener=_shown(visit, [page.opener])[0],
        replies=_shown(visit, replies, page.mark.read_to if page.mark else None),
        more=more,
        place=request.GET.get("after", ""),
        form_key=uuid4().hex,
        longest=LONGEST_BODY,
        form=ReplyForm(initial={"body": draft.body} if draft else None),
        has_draft=draft is not None,
    )


@require_safe
@persona_page(Who.MEMBER)
def search(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/search?words=…: texts that hold some words, in one language."""
    guess = {"language": visit.me.language, "sort": searching.Sort.NEWEST.value}
    form = Looking({**guess, **request.GET.dict()})
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    found: Sequence[LiveText] = ()
    more = ""
    if asked["words"]:
        best = asked["sort"] == searching.Sort.BEST
        found = searching.search(
            visit.me,
            asked["words"],
            asked["language"],
            searching.Sort(asked["sort"]),
            None if best else after(request),
            SIZE if best else SIZE + 1,
        )
        found, more = cut(found, lambda last: (last.published_at, last.post_id))
    return show(
        request, visit, "search", tab="search", form=form, found=found, more=more,
        languages=LANGUAGES,
    )  # fmt: skip


@require_safe
@persona_page(Who.MEMBER)
def member(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """/community/members/…: a member as they chose to show themselves, and what they wrote."""
    found = threads.texts_of(visit.me, member_id, after(request), SIZE + 1)
    texts, more = cut(found, lambda last: (last.published_at, last.post_id))
    return show(
        request,
        visit,
        "member",
        tab="talk",
        member=threads.read_member(visit.me, member_id),
        texts=texts,
        more=more,
        is_me=member_id == visit.me.id,
        roles=PersonaRole.choices if visit.me.role == PersonaRole.LEAD else [],
    )


def _shown(
    visit: Visit, texts: Sequence[LiveText], read_to: datetime | None = None
) -> list[dict[str, Any]]:
    """Some texts with how the reader reacted to each, and whether it is new to them."""
    mine = my_reactions(visit.me.id, [text.post_id for text in texts])
    return [
        {
            "text": text,
            "own": text.author_id == visit.me.id,
            "new": read_to is not None
            and text.published_at > read_to
            and text.author_id != visit.me.id,
            "reactions": [
                (kind.value, getattr(text, kind.value), kind in mine.get(text.post_id, ()))
                for kind in ReactionKind
            ],
        }
        for text in texts
    ]
