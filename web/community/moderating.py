"""The moderators' queue, cases and board. For moderators alone, and in English alone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.refusals import NotFound, Refusal
from community.models import Case, CaseKind, MeasureKind, Post, PostState, Revision
from community.moderation import board, claiming, paging, queue
from community.moderation.deciding import token_of
from community.moderation.measures import GOES_WITH, LEADS_TO
from community.moderation.reasons import all_reasons, reason_in_words
from community.moderation.threads import tend
from community.posts.limits import LONGEST_BODY, LONGEST_TITLE
from community.reading import spaces
from web.community.door import Visit, Who, persona_page, show
from web.community.places import SIZE, by_key

TOLD = {
    "claimed": "Yours for half an hour.",
    "handed-back": "Handed back.",
    "second-opinion": "Another moderator decides it.",
    "handed-over": "Handed over. They have it for half an hour.",
    "acknowledged": "You have it: nobody is paged for half an hour.",
    "noted": "Noted.",
    "decided": "Decided. Whom it is about is told.",
}
"""What is said after a redirect."""
DAYS = (1, 3, 7, 14, 30, 90)
"""How long a silence or a suspension may be, by these pages."""
SLOWEST = 86_400
LONGEST_NOTE = 2000


class Wanted(forms.Form):
    kind = forms.ChoiceField(choices=CaseKind.choices, required=False)
    whose = forms.ChoiceField(choices=[("mine", "mine"), ("free", "free")], required=False)


class Noting(forms.Form):
    text = forms.CharField(max_length=LONGEST_NOTE)


class HandingOver(forms.Form):
    to = forms.UUIDField()


class Tending(forms.Form):
    pinned = forms.BooleanField(required=False)
    read_only = forms.BooleanField(required=False)
    slow_seconds = forms.IntegerField(min_value=0, max_value=SLOWEST)


@require_safe
@persona_page(Who.MODERATOR)
def cases(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/moderation: what waits, the most urgent and oldest first."""
    form = Wanted(request.GET)
    if not form.is_valid():
        raise Http404
    kind, whose = form.cleaned_data["kind"], form.cleaned_data["whose"]
    rows = queue.waiting(
        visit.me,
        visit.now,
        kind=CaseKind(kind) if kind else None,
        mine=whose == "mine",
        free=whose == "free",
        after=_after(request),
    )
    found = list(rows[: SIZE + 1])
    more = f"{found[SIZE - 1].urgency}.{found[SIZE - 1].id}" if len(found) > SIZE else ""
    return show(
        request,
        visit,
        "queue",
        tab="moderation",
        told=TOLD.get(request.GET.get("told", ""), ""),
        rows=[(case, claiming.owner_of(case, visit.now)) for case in found[:SIZE]],
        more=more,
        kinds=CaseKind.choices,
        kind=kind,
        whose=whose,
    )


def _after(request: HttpRequest) -> tuple[int, UUID] | None:
    given = request.GET.get("after")
    if not given:
        return None
    urgency, _, key = given.partition(".")
    try:
        return int(urgency[:4]), UUID(key)
    except ValueError:
        raise Http404 from None


@require_safe
@persona_page(Who.MODERATOR)
def one_case(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…: a case with all that a decision is made on."""
    return case_page(request, visit, case_id)


def case_page(
    request: HttpRequest, visit: Visit, case_id: UUID, status: int = 200, **facts: Any
) -> HttpResponse:
    """The page of a case as it is now; NotFound for one that this moderator may not see."""
    file = queue.file_for(visit.me, case_id, visit.now)
    case, post = file.case, file.post
    facts.setdefault("told", TOLD.get(request.GET.get("told", ""), ""))
    owner = claiming.owner_of(case, visit.now)
    language = file.history.persona.language
    return show(
        request,
        visit,
        "case",
        status,
        tab="moderation",
        file=file,
        case=case,
        post=post,
        owner=owner,
        is_mine=owner is not None and owner.id == visit.me.id,
        colleagues=claiming.colleagues(case, visit.me.id),
        held=paging.is_held(case, visit.now),
        seen=token_of(case, post),
        state=PostState(post.state).label if post else "",
        choices=[one for one in file.wordings if post and may_be_decided(one, post)],
        main=_offered(post),
        also=[(kind.value, kind.label) for kind in _besides(post)],
        reasons=[(key, reason_in_words(key, "en") or "My own words, below")
                 for key in all_reasons()],
        author_reads=language,
        spaces=spaces.spaces(),
        lengths=[str(days) for days in DAYS],
        longest=(LONGEST_TITLE, LONGEST_BODY, LONGEST_NOTE),
        **{"form": None, "errors": {}, **facts},
    )  # fmt: skip


def _offered(post: Post | None) -> list[tuple[str, str]]:
    """What may become of a post from where it is; of none, that there is nothing to do."""
    if post is None:
        return [(MeasureKind.NO_ACTION.value, MeasureKind.NO_ACTION.label)]
    state = PostState(post.state)
    return [(kind.value, kind.label) for kind, leads in LEADS_TO.items() if state in leads]


def _besides(post: Post | None) -> list[MeasureKind]:
    """What else a decision may do."""
    of_threads = () if post is not None and post.opens else (MeasureKind.MOVE, MeasureKind.MERGE)
    return [kind for kind in GOES_WITH if kind not in LEADS_TO and kind not in of_threads]


def may_be_decided(wording: Revision, post: Post) -> bool:
    """Whether it is the newest wording, or the one that is seen."""
    return bool(wording.number == post.latest or wording.id == post.published_id)


def _act(
    request: HttpRequest, visit: Visit, case_id: UUID, told: str, verb: Callable[[], object]
) -> HttpResponse:
    """Do something to a case; a refusal is said on its page."""
    try:
        verb()
    except NotFound:
        raise
    except Refusal as refusal:
        return case_page(request, visit, case_id, 409, errors={"case": refusal.message})
    return redirect(reverse("community_case", args=[case_id], query={"told": told}))


@require_POST
@persona_page(Who.MODERATOR)
def look_after(request: HttpRequest, visit: Visit, case_id: UUID, what: str) -> HttpResponse:
    """/community/moderation/cases/…/claim, /hand-back, /second-opinion."""
    verbs: dict[str, tuple[str, Callable[..., Case]]] = {
        "claim": ("claimed", claiming.claim),
        "hand-back": ("handed-back", claiming.hand_back),
        "second-opinion": ("second-opinion", claiming.ask_for_second_opinion),
    }
    if what not in verbs:
        raise Http404
    told, verb = verbs[what]
    return _act(
        request, visit, case_id, told,
        lambda: verb(visit.me.id, case_id, visit.actor, visit.now),
    )  # fmt: skip


@require_POST
@persona_page(Who.MODERATOR)
def hand_over(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/hand-over: to a colleague by name."""
    form = HandingOver(request.POST)
    if not form.is_valid():
        errors = {"to": "Choose who is to have it."}
        return case_page(request, visit, case_id, 422, errors=errors)
    to = form.cleaned_data["to"]
    return _act(
        request, visit, case_id, "handed-over",
        lambda: claiming.hand_over(visit.me.id, case_id, to, visit.actor, visit.now),
    )  # fmt: skip


@require_safe
@persona_page(Who.MODERATOR)
def all_reports(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/reports: all that a case is of, the newest first."""
    found, more = by_key(queue.reports_of(visit.me, case_id), request)
    return show(request, visit, "case_reports", tab="moderation", key=case_id, found=found,
                more=more)  # fmt: skip


@require_safe
@persona_page(Who.MODERATOR)
def all_events(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/events: all that happened to a case, the newest first."""
    found, more = by_key(queue.events_of(visit.me, case_id), request)
    return show(request, visit, "case_events", tab="moderation", key=case_id, found=found,
                more=more)  # fmt: skip


@require_POST
@persona_page(Who.MODERATOR)
def acknowledge(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/acknowledge: say that one looks after a crisis."""
    return _act(
        request, visit, case_id, "acknowledged",
        lambda: paging.acknowledge(case_id, visit.actor, visit.now),
    )  # fmt: skip


@require_POST
@persona_page(Who.MODERATOR)
def note(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/notes: for the other moderators."""
    form = Noting(request.POST)
    if not form.is_valid():
        errors = {"text": f"Write a note of {LONGEST_NOTE} characters at most."}
        return case_page(request, visit, case_id, 422, errors=errors)
    text = form.cleaned_data["text"]
    return _act(
        request, visit, case_id, "noted",
        lambda: claiming.add_note(visit.me, case_id, text, visit.actor, visit.now),
    )  # fmt: skip


@require_safe
@persona_page(Who.MODERATOR)
def moderators_board(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/moderation/board: what waits now, and how the last 30 days went."""
    found = board.board(visit.now)
    kinds = [(CaseKind(one.kind).label if one.kind else "All", one) for one in found.kinds]
    return show(request, visit, "board", tab="moderation", board=found, kinds=kinds)


@require_POST
@persona_page(Who.MODERATOR)
def keep_thread(request: HttpRequest, visit: Visit, thread_id: UUID) -> HttpResponse:
    """/community/moderation/threads/…: pin a thread, slow it down, or close it for replies."""
    form = Tending(request.POST)
    if form.is_valid():
        tend(thread_id, form.cleaned_data, visit.actor)
    return redirect("community_thread", thread_id)
