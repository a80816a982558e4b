"""What a member chooses: what they say of themselves, where they hear, and whether they stay."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.refusals import Conflict, Forbidden, Invalid
from community.members import profile
from community.members.entering import rename
from community.models import Channel, Condition, NoticeKind
from community.notices import contacts, telling
from community.notices.writing import PERSONAL
from community.tags import OF_DAYS, SIDE_EFFECTS
from web.community.door import Visit, Who, heard, persona_page, show
from web.community.entering import LANGUAGES, zones
from web.community.words import refusal_in, words

QUIETABLE = [kind.value for kind in NoticeKind if kind not in PERSONAL]


class ProfileForm(forms.Form):
    condition = forms.ChoiceField(choices=[("", ""), *Condition.choices], required=False)
    interval_days = forms.TypedChoiceField(
        choices=[("", ""), *((days, days) for days in OF_DAYS)],
        coerce=int, required=False, empty_value=None,
    )  # fmt: skip
    months = forms.IntegerField(min_value=0, max_value=profile.MOST_MONTHS, required=False)
    tags = forms.MultipleChoiceField(choices=[(one, one) for one in SIDE_EFFECTS], required=False)
    language = forms.ChoiceField(choices=LANGUAGES)
    time_zone = forms.ChoiceField(choices=zones)


class Renaming(forms.Form):
    pseudonym = forms.CharField(max_length=1000)  # the verb says how long, after help


class KindsForm(forms.Form):
    wanted = forms.MultipleChoiceField(choices=[(kind, kind) for kind in QUIETABLE], required=False)


class Hearing(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices)
    address = forms.CharField(max_length=254)
    every_days = forms.TypedChoiceField(
        choices=[(days, days) for days in contacts.EVERY],
        coerce=int,
        required=False,
        empty_value=None,
    )


class Code(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices)
    code = forms.CharField(max_length=10)


class Off(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices)


@require_safe
@persona_page(Who.JOINED)
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings: where each choice is made."""
    return show(request, visit, "settings", tab="settings")


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def edit_profile(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/profile: what others see, by choice."""
    form = ProfileForm(request.POST if request.method == "POST" else _profile(visit))
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = {field: _error(visit, field) for field in form.errors}
        if not errors:
            sent = form.cleaned_data
            said = profile.Profile(**{**sent, "tags": tuple(sent["tags"])})
            try:
                profile.say(visit.me.id, said, visit.actor)
            except Invalid as refusal:
                errors[refusal.field] = _error(visit, refusal.field)
            else:
                return redirect(reverse("community_settings", query={"told": "saved"}))
    return show(
        request,
        visit,
        "profile",
        422 if errors else 200,
        tab="settings",
        form=form,
        errors=errors,
        languages=LANGUAGES,
        zones=[zone for zone, _ in zones()],
        conditions=["", *Condition.values],
        intervals=[(str(days), tag) for days, tag in OF_DAYS.items()],
        effects=SIDE_EFFECTS,
    )


def _profile(visit: Visit) -> dict[str, Any]:
    said = vars(profile.profile_of(visit.me))
    return {name: "" if value is None else value for name, value in said.items()}


@require_http_methods(["GET", "POST"])
@persona_page(Who.MEMBER)
def change_name(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/name: another pseudonym, once in a while."""
    first = {"pseudonym": visit.me.pseudonym}
    form = Renaming(request.POST if request.method == "POST" else first)
    errors: dict[str, str] = {}
    help_ = None
    if request.method == "POST":
        errors = {field: _error(visit, field) for field in form.errors}
        if not errors:
            try:
                rename(visit.me.id, form.cleaned_data["pseudonym"], visit.actor, visit.now)
            except (Conflict, Forbidden, Invalid) as refusal:
                errors["pseudonym"] = refusal_in(visit.me.language, refusal, visit.me)
                help_ = heard(request, visit, refusal)
            else:
                return redirect(reverse("community_settings", query={"told": "saved"}))
    return show(
        request, visit, "name", 422 if errors else 200, tab="settings", form=form, errors=errors,
        help=help_,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@persona_page(Who.JOINED)
def kinds(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/notices: of which kinds one is told."""
    if request.method == "POST":
        form = KindsForm(request.POST)
        wanted = form.cleaned_data["wanted"] if form.is_valid() else QUIETABLE
        quiet = [NoticeKind(kind) for kind in QUIETABLE if kind not in wanted]
        telling.set_quiet(visit.me, quiet, visit.actor)
        return redirect(reverse("community_settings", query={"told": "saved"}))
    quiet_now = telling.quiet_kinds(visit.me)
    offered = [(kind, kind not in quiet_now) for kind in QUIETABLE]
    return show(request, visit, "kinds", tab="settings", offered=offered)


@require_http_methods(["GET", "POST"])
@persona_page(Who.JOINED)
def channels(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/channels: hearing by e-mail or text; POST asks for it, gives a code back,
    or turns one off."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            told = _channel(request, visit, errors)
        except (Conflict, Invalid) as refusal:
            errors["code" if refusal.code in ("code", "code_over") else "address"] = refusal_in(
                visit.me.language, refusal, visit.me
            )
        else:
            if told:
                return redirect(reverse("community_channels", query={"told": told}))
    known = {one.channel: one for one in contacts.contacts_of(visit.me)}
    return show(
        request,
        visit,
        "channels",
        409 if errors else 200,
        tab="settings",
        offered=[(channel.value, known.get(channel.value)) for channel in Channel],
        which=request.POST.get("channel", ""),
        form=Hearing(request.POST if request.method == "POST" else None),
        errors=errors,
    )


def _channel(request: HttpRequest, visit: Visit, errors: dict[str, str]) -> str:
    """Do what was asked; answers what to say, or fills `errors`."""
    form: forms.Form
    match request.POST.get("act"):
        case "ask":
            form = Hearing(request.POST)
            if form.is_valid():
                sent = form.cleaned_data
                contacts.ask(
                    visit.me, Channel(sent["channel"]), sent["address"], sent["every_days"] or 1,
                    visit.actor, visit.now,
                )  # fmt: skip
                return "code_sent"
        case "confirm":
            form = Code(request.POST)
            if form.is_valid():
                channel = Channel(form.cleaned_data["channel"])
                code = form.cleaned_data["code"].replace(" ", "")
                contacts.confirm(visit.me, channel, code, visit.actor, visit.now)
                return "hears"
        case _:
            form = Off(request.POST)
            if form.is_valid():
                contacts.turn_off(visit.me, Channel(form.cleaned_data["channel"]), visit.actor)
                return "turned_off"
    errors.update({field: _error(visit, field) for field in form.errors})
    return ""


def _error(visit: Visit, field: str) -> str:
    said: str = words(visit.me.language)["errors"][field]
    return said
