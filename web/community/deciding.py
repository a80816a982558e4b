"""Deciding a case, and an appeal, by its page. For moderators alone, and in English alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.refusals import NotFound, Refusal, Stale
from community.models import MeasureKind
from community.moderation import deciding
from community.moderation.appeals import decide_appeal
from community.moderation.measures import GOES_WITH, LEADS_TO, Measure
from community.moderation.reasons import all_reasons
from community.posts.limits import LONGEST_BODY, LONGEST_TITLE
from web.community.door import Visit, Who, persona_page
from web.community.moderating import DAYS, case_page

LONGEST = 2000
ALSO = [kind for kind in GOES_WITH if kind not in LEADS_TO]


class Ruling(forms.Form):
    """main: what becomes of the post, "" for nothing. also: what else is done."""

    seen = forms.CharField(max_length=40)
    main = forms.ChoiceField(choices=[(kind.value, "") for kind in LEADS_TO], required=False)
    also = forms.MultipleChoiceField(choices=[(kind.value, "") for kind in ALSO], required=False)
    revision = forms.UUIDField(required=False)
    days = forms.TypedChoiceField(
        choices=[(days, days) for days in DAYS], coerce=int, required=False, empty_value=None
    )
    title = forms.CharField(max_length=LONGEST_TITLE, required=False)
    body = forms.CharField(max_length=LONGEST_BODY, required=False)
    space = forms.UUIDField(required=False)
    thread = forms.UUIDField(required=False)
    reason = forms.ChoiceField(choices=[(key, key) for key in all_reasons()], required=False)
    words = forms.CharField(max_length=LONGEST, required=False)


class AppealRuling(forms.Form):
    seen = forms.CharField(max_length=40)
    stands = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    words = forms.CharField(max_length=LONGEST, required=False)


@require_POST
@persona_page(Who.MODERATOR)
def decide(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/decide: on what was seen of it, and close it. Of two at once
    the second is shown what was decided."""
    form = Ruling(request.POST)
    if not form.is_valid():
        errors = {field: f"{field.title()}: look at this again." for field in form.errors}
        return case_page(request, visit, case_id, 422, form=form, errors=errors)
    sent = form.cleaned_data
    ruling = deciding.Ruling(
        _measures(sent, visit), sent["revision"], sent["reason"], sent["words"].strip()
    )
    try:
        deciding.decide(visit.me, case_id, sent["seen"], ruling, visit.actor, visit.now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(request, visit, case_id, refusal, form)
    return redirect(reverse("community_queue", query={"told": "decided"}))


@require_POST
@persona_page(Who.MODERATOR)
def decide_on_appeal(request: HttpRequest, visit: Visit, case_id: UUID) -> HttpResponse:
    """/community/moderation/cases/…/decide-appeal: the decision stands, or was wrong."""
    form = AppealRuling(request.POST)
    if not form.is_valid():
        errors = {"stands": "Say whether the decision stands."}
        return case_page(request, visit, case_id, 422, form=form, errors=errors)
    sent = form.cleaned_data
    try:
        decide_appeal(
            visit.me, case_id, sent["seen"], sent["words"].strip(), visit.actor, visit.now,
            overturn=sent["stands"] == "no",
        )  # fmt: skip
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(request, visit, case_id, refusal, form)
    return redirect(reverse("community_queue", query={"told": "decided"}))


def _measures(sent: dict[str, Any], visit: Visit) -> tuple[Measure, ...]:
    """What was ticked, each with what it needs."""
    until = visit.now + timedelta(days=sent["days"]) if sent["days"] else None
    wanted = [MeasureKind(kind) for kind in (sent["main"], *sent["also"]) if kind]
    needs: dict[MeasureKind, dict[str, Any]] = {
        MeasureKind.SILENCE: {"until": until},
        MeasureKind.SUSPEND: {"until": until},
        MeasureKind.MASK: {
            "title": sent["title"],
            "body": sent["body"].replace("\r\n", "\n"),
        },
        MeasureKind.MOVE: {"space": sent["space"]},
        MeasureKind.MERGE: {"thread": sent["thread"]},
    }
    return tuple(Measure(kind, **needs.get(kind, {})) for kind in wanted)


def _refused(
    request: HttpRequest, visit: Visit, case_id: UUID, refusal: Refusal, form: forms.Form
) -> HttpResponse:
    """The case as it is now, with why, and what the moderator had filled in."""
    lost = isinstance(refusal, Stale)
    errors = {"case" if lost else refusal.field or "case": refusal.message}
    return case_page(request, visit, case_id, 409, form=form, errors=errors, lost=lost)
