"""Writing a thread or a reply. Whatever happens, the words stay in the form, and as a draft."""

import hashlib
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import replies
from accounts.refusals import NotFound, Refusal
from community import tags
from community.models import PostState
from community.posts import drafts
from community.posts.judging import Assessment, Writing
from community.posts.limits import LONGEST_BODY, LONGEST_TITLE
from community.posts.posting import Posted, open_thread
from community.posts.posting import reply as post_reply
from community.posts.telling import reasons
from community.reading import spaces, threads
from web.community.door import Visit, Who, heard, looked_at, persona_page, show
from web.community.entering import LANGUAGES
from web.community.words import refusal_in, words

Where = dict[str, UUID]
"""space_id of a new thread, or thread_id of a reply."""


class ReplyForm(forms.Form):
    body = forms.CharField(max_length=LONGEST_BODY)
    language = forms.ChoiceField(choices=LANGUAGES, required=False)

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        # As forms send line ends.
        return body.replace("\r\n", "\n")

    def writing(self, visit: Visit) -> Writing:
        """What was sent, as the rules take it."""
        sent = self.cleaned_data
        language = sent.get("language") or visit.me.language
        return Writing(sent.get("title", ""), sent["body"], language, sent.get("tags", ()))


class ThreadForm(ReplyForm):
    title = forms.CharField(
        max_length=LONGEST_TITLE, validators=[RegexValidator(r"^[^\x00-\x1f\x7f]*\Z")]
    )
    tags = forms.MultipleChoiceField(choices=[(tag, tag) for tag in tags.TAGS], required=False)

    def clean_tags(self) -> tuple[str, ...]:
        chosen = tuple(self.cleaned_data["tags"])
        if len(chosen) > tags.MOST:
            raise forms.ValidationError("tags")
        return chosen


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def begin(request: HttpRequest, visit: Visit, space_id: UUID) -> HttpResponse:
    """/community/rooms/…/write: begin a thread."""
    where: Where = {"space_id": space_id}
    form = ThreadForm(request.POST if request.method == "POST" else _kept(visit, where))
    return _write(request, visit, form, where)


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def answer(request: HttpRequest, visit: Visit, thread_id: UUID) -> HttpResponse:
    """/community/threads/…/reply: reply in a thread."""
    where: Where = {"thread_id": thread_id}
    form = ReplyForm(request.POST if request.method == "POST" else _kept(visit, where))
    return _write(request, visit, form, where)


@require_POST
@persona_page(Who.MEMBER)
def discard(request: HttpRequest, visit: Visit, draft_id: UUID) -> HttpResponse:
    """/community/drafts/…/discard: throw a draft away."""
    drafts.throw_away(visit.me.id, draft_id)
    return redirect(reverse("community_mine", query={"told": "discarded"}))


def _write(request: HttpRequest, visit: Visit, form: ReplyForm, where: Where) -> HttpResponse:
    if request.method != "POST":
        return _page(request, visit, form, where)
    if not form.is_valid():
        said = words(visit.me.language)["errors"]
        errors = {field: said[field] for field in form.errors}
        sent = request.POST.get("act") == "send"
        help_ = heard(request, visit) if sent else looked_at(request, visit)
        return _page(request, visit, form, where, 422, errors=errors, help=help_)
    writing = form.writing(visit)
    if request.POST.get("act") != "send":
        _, assessment = drafts.save_draft(visit.me.id, writing, visit.now, **where)
        help_ = visit.help_alone if assessment.crisis else None
        return _page(request, visit, form, where, looked=_looked(visit, assessment), help=help_)
    try:
        key = _key(request, writing)
        reply = replies.once(
            visit.me.id,
            request.path,
            key,
            {},
            lambda: _post(visit, writing, where),
        )
    except Refusal as refusal:
        if isinstance(refusal, NotFound):
            raise
        errors = {"body": refusal_in(visit.me.language, refusal, visit.me)}
        help_ = heard(request, visit, refusal)
        return _page(request, visit, form, where, 409, errors=errors, help=help_)
    to: str = reply.body["to"]
    return redirect(to)


def _post(visit: Visit, writing: Writing, where: Where) -> replies.Reply:
    """Post it; the kept answer says where to go on, and holds no text."""
    me, actor, now = visit.me.id, visit.actor, visit.now
    if "space_id" in where:
        posted = open_thread(me, where["space_id"], writing, actor, now)
    else:
        posted = post_reply(me, where["thread_id"], writing, actor, now)
    return replies.Reply(200, {"to": goes_on(posted)})


def goes_on(posted: Posted) -> str:
    """Where an author goes on after writing: to help, to the thread, or to what became of it."""
    post = posted.post
    if posted.crisis:
        return reverse("community_help", query={"told": "heard"})
    if posted.verdict != PostState.PUBLISHED:
        told = "waits" if posted.verdict == PostState.PENDING else "not_taken"
        return reverse("community_my_post", args=[post.id], query={"told": told})
    told = "covered" if posted.assessment.kinds else "posted"
    there = reverse("community_thread", args=[post.thread_id], query={"told": told})
    return f"{there}#p-{post.id}"


def _key(request: HttpRequest, writing: Writing) -> str:
    """Names a form with its words: pressed twice, it is sent once."""
    form = request.POST.get("form", "")[:64]
    whole = "\n".join([form, writing.title, writing.body, writing.language, *writing.tags])
    return hashlib.sha256(whole.encode()).hexdigest()


def _looked(visit: Visit, assessment: Assessment) -> dict[str, Any]:
    """What the rules would make of a text, for its author, while it is being written."""
    covered = words(visit.me.language)["covered"]
    return {
        "writing": assessment.writing,
        "covered": [covered.get(kind, covered["other"]) for kind in assessment.kinds],
        "reasons": reasons(assessment.hits, visit.me.language),
        "advice": assessment.advice,
    }


def _kept(visit: Visit, where: Where) -> dict[str, Any] | None:
    """The draft of this thing, if there is one."""
    for draft in drafts.drafts_of(visit.me):
        if (draft.space_id or draft.thread_id) in where.values():
            return {"title": draft.title, "body": draft.body, "tags": draft.tags}
    return None


def _page(
    request: HttpRequest,
    visit: Visit,
    form: ReplyForm,
    where: Where,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    facts |= whereabouts(visit, where)
    return show(
        request,
        visit,
        "write",
        status,
        tab="talk",
        form=form,
        form_key=request.POST.get("form") or uuid4().hex,
        languages=LANGUAGES,
        tags=tags.TAGS,
        longest=LONGEST_BODY,
        **facts,
    )


def whereabouts(visit: Visit, where: Where) -> dict[str, Any]:
    """The room, or the thread, that something is written in; NotFound if it isn't there."""
    if "thread_id" in where:
        return {"thread": threads.read_thread(visit.me, where["thread_id"], None, 1)}
    room = next((space for space in spaces.spaces() if space.id == where["space_id"]), None)
    if room is None:
        raise NotFound("space")
    return {"room": room}
