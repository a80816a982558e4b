"""What members do with others' texts: react, follow, report, block and mute."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.refusals import Conflict
from community.members import bonds
from community.models import BondKind, ReactionKind, ReportReason
from community.moderation.reports import Complaint, Reported, report_member, report_post, reports_by
from community.posts import reacting
from web.community.door import Visit, Who, heard, persona_page, show
from web.community.places import by_key, read_place
from web.community.words import refusal_in, words

LONGEST = 2000


class Reacting(forms.Form):
    """give, or take: the one of the reactions that is changed. place: the page it was done on."""

    give = forms.ChoiceField(choices=ReactionKind.choices, required=False)
    take = forms.ChoiceField(choices=ReactionKind.choices, required=False)
    place = forms.CharField(max_length=80, required=False)


class Reporting(forms.Form):
    reason = forms.ChoiceField(choices=ReportReason.choices)
    words = forms.CharField(max_length=LONGEST, required=False)


class Bonding(forms.Form):
    kind = forms.ChoiceField(choices=[*BondKind.choices, ("lift", "lift")])


@require_POST
@persona_page(Who.MEMBER)
def react(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/posts/…/react: give one reaction, or take it back."""
    form = Reacting(request.POST)
    mine = {ReactionKind(kind) for kind in
            reacting.my_reactions(visit.me.id, [post_id]).get(post_id, ())}  # fmt: skip
    place = ""
    if form.is_valid():
        sent = form.cleaned_data
        mine = (mine | _some(sent["give"])) - _some(sent["take"])
        place = sent["place"]
    live = reacting.react(visit.me.id, post_id, mine, visit.actor, visit.now)
    return _back(live.thread_id, place, f"#p-{post_id}")


def _some(kind: str) -> set[ReactionKind]:
    return {ReactionKind(kind)} if kind else set()


@require_POST
@persona_page(Who.MEMBER)
def follow(request: HttpRequest, visit: Visit, thread_id: UUID) -> HttpResponse:
    """/community/threads/…/follow: hear of replies from now on, or no more."""
    follows = request.POST.get("follows") == "yes"
    reacting.follow(visit.me.id, thread_id, follows=follows, actor=visit.actor)
    return _back(thread_id, "", "", "followed" if follows else "not_followed")


def _back(thread_id: UUID, place: str, anchor: str, told: str = "") -> HttpResponse:
    query = {"told": told} if told else {}
    if place:
        read_place(place)
        query["after"] = place
    return redirect(reverse("community_thread", args=[thread_id], query=query) + anchor)


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def report_text(request: HttpRequest, visit: Visit, post_id: UUID) -> HttpResponse:
    """/community/posts/…/report: tell the moderators of a text."""

    def act(complaint: Complaint) -> Reported:
        return report_post(visit.me.id, post_id, complaint, visit.actor, visit.now)

    return _report(request, visit, act)


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def report_person(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """/community/members/…/report: tell the moderators of a member."""

    def act(complaint: Complaint) -> Reported:
        return report_member(visit.me.id, member_id, complaint, visit.actor, visit.now)

    return _report(request, visit, act)


def _report(
    request: HttpRequest, visit: Visit, act: Callable[[Complaint], Reported]
) -> HttpResponse:
    form = Reporting(request.POST if request.method == "POST" else None)
    errors: dict[str, str] = {}
    said = words(visit.me.language)
    if request.method == "POST":
        errors = {field: said["errors"][field] for field in form.errors}
        if not errors:
            sent = form.cleaned_data
            try:
                done = act(Complaint(ReportReason(sent["reason"]), sent["words"]))
            except Conflict as refusal:
                errors["reason"] = refusal_in(visit.me.language, refusal, visit.me)
            else:
                if done.crisis:
                    return redirect(reverse("community_help", query={"told": "heard"}))
                return redirect(reverse("community_reports", query={"told": "reported"}))
    return show(
        request,
        visit,
        "report",
        409 if errors else 200,
        tab="talk",
        form=form,
        errors=errors,
        help=heard(request, visit) if errors else None,
        reasons=[(key, said["report_reasons"][key]) for key in ReportReason.values],
        longest=LONGEST,
    )


@require_safe
@persona_page(Who.MEMBER)
def reports(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/reports: what one reported, and what became of it."""
    found, more = by_key(reports_by(visit.me), request)
    return show(request, visit, "reports", tab="settings", found=found, more=more)


@require_POST
@persona_page(Who.MEMBER)
def bond(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """/community/members/…/bond: block or mute somebody, or see them again."""
    form = Bonding(request.POST)
    if not form.is_valid():
        return redirect("community_member", member_id)
    kind = form.cleaned_data["kind"]
    if kind == "lift":
        bonds.lift_bond(visit.me.id, member_id, visit.actor)
    else:
        bonds.set_bond(visit.me.id, member_id, BondKind(kind), visit.actor)
    return redirect(reverse("community_hidden", query={"told": kind}))


@require_safe
@persona_page(Who.MEMBER)
def hidden(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/hidden: whom one blocked or muted."""
    found, more = by_key(bonds.bonds_of(visit.me), request)
    return show(request, visit, "hidden", tab="settings", found=found, more=more)
