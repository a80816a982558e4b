"""What a member has written, in whatever state: to look at, to change, to take away."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.refusals import Conflict, Forbidden, Invalid, Stale
from community import sharing
from community.models import Post, PostState, Revision
from community.posts.drafts import drafts_of
from community.posts.editing import EDITABLE, ask_for_a_person, edit, withdraw
from community.posts.limits import LONGEST_BODY
from community.posts.mine import my_post, my_posts
from community.posts.states import ARROWS
from community.posts.telling import reasons_of
from community.reading import spaces
from community.tags import TAGS
from web.community.door import Visit, Who, heard, persona_page, show
from web.community.entering import LANGUAGES
from web.community.places import SIZE, read_key
from web.community.sharing import Ticket, write_ticket
from web.community.words import refusal_in, words
from web.community.writing import ReplyForm, ThreadForm, goes_on


@require_safe
@persona_page(Who.MEMBER)
def mine(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/mine: one's own posts and what became of each, and drafts."""
    found = list(my_posts(visit.me, read_key(request))[: SIZE + 1])
    more = str(found[SIZE - 1].post_id) if len(found) > SIZE else ""
    rooms = {space.id: space for space in spaces.spaces()}
    drafts = [
        (draft, rooms[draft.space_id] if draft.space_id else None) for draft in drafts_of(visit.me)
    ]
    return show(request, visit, "mine", tab="mine", found=found[:SIZE], more=more, drafts=drafts)


@require_safe
@persona_page(Who.MEMBER)
def my_one(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/mine/…: one of them in its newest wording, why it waits, and what one can do."""
    found = my_post(visit.me, post_id)
    post = found.post
    state = PostState(post.state)
    return show(
        request,
        visit,
        "my_one",
        tab="mine",
        found=found,
        reasons=reasons_of([found], visit.me.language)[found.id],
        waits=state == PostState.PUBLISHED and post.published_id != found.id,
        seen=state == PostState.PUBLISHED,
        can_change=state in EDITABLE,
        can_withdraw=PostState.WITHDRAWN in ARROWS[state],
        can_ask=state == PostState.BLOCKED,
        shared=sharing.share_of(visit.me, post_id),
        ticket=_ticket(visit, found.post),
    )


def _ticket(visit: Visit, post: Post) -> str:
    """For sharing what can be seen of it with one's care team."""
    if post.published_id is None or post.state != PostState.PUBLISHED:
        return ""
    return write_ticket(Ticket(visit.me.id, post.id, post.published_id))


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def change(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/mine/…/change: write one's own post anew."""
    found = my_post(visit.me, post_id)
    kind = ThreadForm if found.post.opens else ReplyForm
    if request.method != "POST":
        first = {"title": found.title, "body": found.body, "tags": found.tags,
                 "language": found.language}  # fmt: skip
        return _change_page(request, visit, found, kind(first))
    form = kind(request.POST)
    if not form.is_valid():
        said = words(visit.me.language)["errors"]
        errors = {field: said[field] for field in form.errors}
        help_ = heard(request, visit)
        return _change_page(request, visit, found, form, 422, errors=errors, help=help_)
    try:
        posted = edit(
            visit.me.id, post_id, form.writing(visit), _seen(request), visit.actor, visit.now
        )
    except (Conflict, Forbidden, Invalid, Stale) as refusal:
        errors = {"body": refusal_in(visit.me.language, refusal, visit.me)}
        found = my_post(visit.me, post_id)
        help_ = heard(request, visit, refusal)
        return _change_page(request, visit, found, form, 409, errors=errors, help=help_)
    return redirect(goes_on(posted))


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def take_away(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/mine/…/take-away: asks, for it can't be brought back."""
    found = my_post(visit.me, post_id)
    if request.method == "POST":
        withdraw(visit.me.id, post_id, _seen(request), visit.actor, visit.now)
        return redirect(reverse("community_mine", query={"told": "withdrawn"}))
    shared = sharing.share_of(visit.me, post_id)
    return show(request, visit, "take_away", tab="mine", found=found, shared=shared)


@require_POST
@persona_page(Who.MEMBER)
def ask_a_person(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/mine/…/ask: let a moderator look at what the rules didn't take."""
    ask_for_a_person(visit.me.id, post_id, _seen(request), visit.actor, visit.now)
    return redirect(reverse("community_my_post", args=[post_id], query={"told": "asked"}))


def _seen(request: HttpRequest) -> int:
    """The version of the post that the page was about."""
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() and seen.isascii() and len(seen) < 10 else 0


def _change_page(
    request: HttpRequest,
    visit: Visit,
    found: Revision,
    form: ReplyForm,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """The form, with the words that were sent; the version is the present one, so that whoever was
    told that something happened meanwhile can send them again."""
    return show(
        request,
        visit,
        "write",
        status,
        tab="mine",
        form=form,
        found=found,
        languages=LANGUAGES,
        tags=TAGS,
        longest=LONGEST_BODY,
        **facts,
    )
