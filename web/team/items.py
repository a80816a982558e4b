"""One item of the worklist: what is known of it, and what the team does about it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.access import May
from accounts.refusals import Conflict, Refusal, Stale
from reminders.models import Cause, Outcome, WorkItem, WorkNote
from reminders.reading import care, team
from reminders.worklist import attending
from web.team.conversation import lines
from web.team.desk import Desk, faults, once, show, team_page
from web.team.facts import in_words
from web.team.worklist import shown

AROUND = 12
"""Texts of the conversation that are shown beside an item."""
ENDS = [choice for choice in Outcome.choices if choice[0] != Outcome.BY_EVENT]


class Noted(forms.Form):
    text = forms.CharField(max_length=2000)


class Ended(forms.Form):
    """times: how many findings the item had when they looked."""

    outcome = forms.ChoiceField(choices=ENDS)
    note = forms.CharField(max_length=2000, required=False)
    times = forms.IntegerField(min_value=1)


@require_safe
@team_page
def item(request: HttpRequest, desk: Desk, item_id: UUID) -> HttpResponse:
    """/team/items/...: facts, the conversation around it, and all that happened to it."""
    found = care.item_for(desk.user, item_id, May.SEE_PATIENTS)
    return _page(request, desk, found)


@require_POST
@team_page
def take(request: HttpRequest, desk: Desk, item_id: UUID) -> HttpResponse:
    """/team/items/.../take: look after it for half an hour, or for another."""

    def act() -> str:
        taken = attending.take(item_id, desk.actor, desk.when.now)
        until = desk.when.time(taken.owned_until) if taken.owned_until else ""
        return f"It is yours until {until}. Nobody is paged for it meanwhile."

    return _act(request, desk, item_id, act)


@require_POST
@team_page
def hand_back(request: HttpRequest, desk: Desk, item_id: UUID) -> HttpResponse:
    """/team/items/.../hand-back: leave it to whoever is next."""

    def act() -> str:
        attending.hand_back(item_id, desk.actor, desk.when.now)
        return "Handed back: it waits for whoever is next."

    return _act(request, desk, item_id, act)


@require_POST
@team_page
def note(request: HttpRequest, desk: Desk, item_id: UUID) -> HttpResponse:
    """/team/items/.../notes: a note for the team."""
    form = Noted(request.POST)

    def act() -> str:
        attending.add_note(item_id, form.cleaned_data["text"], desk.actor, desk.when.now)
        return "Noted."

    words = {"text": "Write something, 2000 characters at most."}
    return _act(request, desk, item_id, act, form, words)


@require_POST
@team_page
def close(request: HttpRequest, desk: Desk, item_id: UUID) -> HttpResponse:
    """/team/items/.../close: it was dealt with, or there was nothing to do."""
    form = Ended(request.POST)

    def act() -> str:
        told = form.cleaned_data
        attending.close(
            item_id,
            Outcome(told["outcome"]),
            told["note"],
            desk.actor,
            desk.when.now,
            times=told["times"],
        )
        return "Closed."

    words = {
        "outcome": "Say how it ended.",
        "note": "Shorten it to 2000 characters.",
        "times": "This page was not whole: look at it again, then close it.",
    }
    return _act(request, desk, item_id, act, form, words)


def _act(
    request: HttpRequest,
    desk: Desk,
    item_id: UUID,
    act: Callable[[], str],
    form: forms.Form | None = None,
    words: dict[str, str] | None = None,
) -> HttpResponse:
    """Act on an item that the caller may attend to. Whoever comes second sees what happened."""
    found = care.item_for(desk.user, item_id, May.ATTEND)
    if form is not None and not form.is_valid():
        return _page(request, desk, found, 422, form=form, errors=faults(form, words or {}))
    try:
        once(request, desk, act)
    except (Conflict, Stale) as refusal:
        found = care.item_for(desk.user, item_id, May.SEE_PATIENTS)
        return _page(request, desk, found, 409, form=form, refusal=refusal)
    return redirect("team_item", item_id)


def _page(
    request: HttpRequest,
    desk: Desk,
    found: WorkItem,
    status: int = 200,
    *,
    form: forms.Form | None = None,
    errors: dict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    entries = team.conversation_for(desk.user, found.patient_id, None, AROUND)
    [facts] = shown([found], desk)
    return show(
        request,
        desk,
        "item",
        status,
        **facts,
        notes=[_noted(each, desk) for each in care.notes_of(found)],
        lines=lines(entries, desk.when),
        attends=May.ATTEND in desk.may(found.clinic_id),
        ends=ENDS,
        by_consent_alone=attending.BY_CONSENT_ALONE if found.cause == Cause.CONSENT_MISSING else "",
        form=form,
        errors=errors or {},
        refusal=refusal.message if refusal else "",
    )


def _noted(each: WorkNote, desk: Desk) -> dict[str, Any]:
    return {"note": each, "facts": in_words(each.facts, desk.when)}
