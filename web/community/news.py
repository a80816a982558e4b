"""What a member is told: notices, decisions about them with the way to appeal, honest figures."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.refusals import Conflict
from community.models import Appeal, Decision, MeasureKind, NoticeKind, Persona
from community.moderation import board
from community.moderation.appeals import appeal, decision_about, decisions_about
from community.moderation.reasons import reason_in_words, way_to_appeal
from community.notices import telling
from web.community.door import Visit, Who, heard, persona_page, show
from web.community.places import by_key
from web.community.words import moment, refusal_in, words

LONGEST = 4000


class Appealing(forms.Form):
    words = forms.CharField(max_length=LONGEST)


class UpTo(forms.Form):
    up_to = forms.UUIDField()


@require_http_methods(["GET", "POST"])
@persona_page(Who.JOINED)
def notices(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/notices: what there is to tell; POST marks it as read."""
    if request.method == "POST":
        form = UpTo(request.POST)
        if form.is_valid():
            telling.mark_read(visit.me, form.cleaned_data["up_to"], visit.now)
        return redirect(reverse("community_notices", query={"told": "read"}))
    rows, more = by_key(telling.notices_of(visit.me), request)
    told = telling.in_words(rows, visit.me)
    newest = next((row.id for row in rows if row.read_at is None), None)
    return show(request, visit, "notices", tab="notices", news=told, more=more, newest=newest)


@require_safe
@persona_page(Who.APPELLANT)
def decisions(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/decisions: what was decided about oneself."""
    rows, more = by_key(decisions_about(visit.me), request)
    found = [(row, _done(row, visit.me)) for row in rows]
    return show(request, visit, "decisions", tab="settings", found=found, more=more)


@require_http_methods(["GET", "POST"])
@persona_page(Who.APPELLANT)
def decision(request: HttpRequest, visit: Visit, decision_id: UUID) -> HttpResponse:
    """/community/decisions/…: one of them, why, and an appeal against it."""
    found = decision_about(visit.me, decision_id)
    language = visit.me.language
    form = Appealing(request.POST if request.method == "POST" else None)
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = {field: words(language)["errors"][field] for field in form.errors}
        if not errors:
            sent = form.cleaned_data["words"]
            try:
                done = appeal(visit.me.id, decision_id, sent, visit.actor, visit.now)
            except Conflict as refusal:
                errors["words"] = refusal_in(language, refusal, visit.me)
            else:
                query = {"told": "heard" if done.crisis else "appealed"}
                if done.crisis:
                    return redirect(reverse("community_help", query=query))
                return redirect(reverse("community_decision", args=[decision_id], query=query))
    made: Appeal | None = getattr(found, "appeal", None)
    in_time = found.appeal_until is not None and visit.now <= found.appeal_until
    return show(
        request,
        visit,
        "decision",
        409 if errors else 200,
        tab="settings",
        found=found,
        done=_done(found, visit.me),
        reason=reason_in_words(found.reason, language),
        way=way_to_appeal(language),
        appeal=made,
        can_appeal=made is None and in_time,
        form=form,
        errors=errors,
        help=heard(request, visit) if errors else None,
        longest=LONGEST,
    )


@require_safe
@persona_page(Who.MEMBER)
def figures(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/figures: how fast moderators were in the last 30 days, and how often wrong."""
    return show(request, visit, "figures", tab="settings", figures=board.public_figures(visit.now))


@require_safe
@persona_page(Who.APPELLANT)
def get_help(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/help: whom to call, at once and large; first of all after a cry for help."""
    told = visit.help
    if request.GET.get("told") != "heard":
        # Nothing was written: whom to call, and no more.
        told = replace(told, words=told.words[1:-1])
    return show(request, visit, "help", help=told)


@require_POST
@persona_page(Who.JOINED)
def turn_off_kind(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/notices/fewer: one tap on a notice, and no more of its kind."""
    kind = request.POST.get("kind", "")
    quiet = {*telling.quiet_kinds(visit.me), kind}
    known = [one for one in NoticeKind if one.value in quiet]
    telling.set_quiet(visit.me, known, visit.actor)
    return redirect(reverse("community_notices", query={"told": "fewer"}))


def _done(row: Decision, reader: Persona) -> list[str]:
    """What was done, in words."""
    said = words(reader.language)["measures"]
    told = []
    for measure in row.measures:
        kind = MeasureKind(measure["kind"]).value
        if kind not in said:
            continue
        until = measure.get("until")
        told.append(said[kind].format(until=_moment(until, reader) if until else ""))
    return told


def _moment(until: str, reader: Persona) -> str:
    return moment(datetime.fromisoformat(until), reader)
