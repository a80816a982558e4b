"""The moderators' own rules, and who moderates. For moderators alone, and in English alone; leads
switch rules and appoint."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.refusals import Invalid
from community.members.entering import LANGUAGES
from community.models import HouseRule, PersonaRole, RuleState
from community.moderation import rule_trial, rule_writing
from community.moderation.appointing import appoint
from community.rules import Action
from web.community.door import Visit, Who, persona_page, show
from web.community.places import by_key

ACTIONS = {
    Action.BLOCK: "Block: it isn't published, and its author is told why",
    Action.HOLD: "Hold: a moderator looks first",
    Action.MASK: "Mask: these words are covered",
    Action.CRISIS: "Danger: help is shown, and a moderator is paged",
    Action.ADVICE: "Advice: a note says that nobody's dose is another's",
}
NEEDED = {
    "key": "Name it in small letters, figures and hyphens, up to 40.",
    "action": "Choose what the rule does.",
    "phrases": "Write 1 to 200 phrases, each on a line of its own.",
    "unless": "Write at most 200 phrases, each on a line of its own.",
    "languages": "Choose among these languages.",
    "description": "Say in up to 300 characters what it is about. Authors read it too.",
}


class RuleForm(forms.Form):
    """A version to be. phrases, unless: one on a line."""

    key = forms.CharField(max_length=rule_writing.LONGEST_KEY)
    action = forms.ChoiceField(choices=list(ACTIONS.items()))
    phrases = forms.CharField(max_length=50_000)
    unless = forms.CharField(max_length=50_000, required=False)
    languages = forms.MultipleChoiceField(choices=[(one, one) for one in LANGUAGES], required=False)
    description = forms.CharField(max_length=300)


class Switching(forms.Form):
    to = forms.ChoiceField(choices=[("on", "on"), ("off", "off")])


class Appointing(forms.Form):
    role = forms.ChoiceField(choices=PersonaRole.choices)


@require_safe
@persona_page(Who.MODERATOR)
def rules_of_moderators(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/moderation/rules: every version, the newest first; ?key=… of one rule."""
    key = request.GET.get("key", "")[: rule_writing.LONGEST_KEY]
    found, more = by_key(rule_writing.versions(key), request)
    return show(request, visit, "own_rules", tab="moderation", found=found, more=more, key=key)


@require_http_methods(["GET", "POST"])
@persona_page(Who.MODERATOR)
def write_rule(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/moderation/rules/new: a rule, or with ?from=… a further version of one."""
    form = RuleForm(request.POST if request.method == "POST" else _first(request))
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = {field: NEEDED[field] for field in form.errors}
        if not errors:
            try:
                rule = rule_writing.write(visit.me, _wording(form), visit.actor, visit.now)
            except Invalid as refusal:
                errors = _wrong(refusal, form)
            else:
                return redirect("community_own_rule", rule.id)
    return show(
        request, visit, "own_rule_form", 422 if errors else 200, tab="moderation", form=form,
        errors=errors, actions=ACTIONS.items(), languages=LANGUAGES,
        chosen=form["languages"].value() or [],
    )  # fmt: skip


def _first(request: HttpRequest) -> dict[str, Any]:
    """What a further version begins with: the former one. Of a new rule, nothing."""
    try:
        key = UUID(request.GET["from"])
    except (KeyError, ValueError):
        return {"action": Action.HOLD.value}
    rule = rule_writing.version_of(key)
    return {
        "key": rule.key,
        "action": rule.action,
        "phrases": "\n".join(rule.phrases),
        "unless": "\n".join(rule.unless),
        "languages": rule.languages,
        "description": rule.description,
    }


def _wording(form: RuleForm) -> rule_writing.Wording:
    sent = form.cleaned_data
    return rule_writing.Wording(
        key=sent["key"],
        action=Action(sent["action"]),
        phrases=_lines(sent["phrases"]),
        unless=_lines(sent["unless"]),
        languages=sent["languages"],
        description=sent["description"],
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _wrong(refusal: Invalid, form: RuleForm) -> dict[str, str]:
    """What is wrong, beside its field; of a phrase, which one it is."""
    field, _, number = refusal.field.partition(".")
    if not number:
        return {field: refusal.message}
    phrase = _lines(form.cleaned_data[field])[int(number)]
    return {field: f"“{phrase[:60]}”: {refusal.message}"}


@require_safe
@persona_page(Who.MODERATOR)
def one_rule(request: HttpRequest, visit: Visit, rule_id: UUID) -> HttpResponse:
    """/community/moderation/rules/…: one version."""
    return _rule_page(request, visit, rule_writing.version_of(rule_id))


def _rule_page(
    request: HttpRequest, visit: Visit, rule: HouseRule, trial: rule_trial.Trial | None = None
) -> HttpResponse:
    return show(
        request, visit, "own_rule", tab="moderation", rule=rule, trial=trial,
        does=ACTIONS[Action(rule.action)], is_on=rule.state == RuleState.ON,
        leads=visit.me.role == PersonaRole.LEAD,
        told={"on": "It is on, from the next post.", "off": "It is off, from the next post."}.get(
            request.GET.get("told", ""), ""
        ),
    )  # fmt: skip


@require_POST
@persona_page(Who.MODERATOR)
def try_rule(request: HttpRequest, visit: Visit, rule_id: UUID) -> HttpResponse:
    """/community/moderation/rules/…/try: what it would have caught. Nothing changes."""
    rule = rule_writing.version_of(rule_id)
    return _rule_page(request, visit, rule, rule_trial.try_out(rule, visit.now))


@require_POST
@persona_page(Who.LEAD)
def switch_rule(request: HttpRequest, visit: Visit, rule_id: UUID) -> HttpResponse:
    """/community/moderation/rules/…/switch: on or off, from the next post."""
    form = Switching(request.POST)
    if form.is_valid():
        to = form.cleaned_data["to"]
        verb = rule_writing.switch_on if to == "on" else rule_writing.switch_off
        verb(rule_id, visit.actor, visit.now)
        return redirect(reverse("community_own_rule", args=[rule_id], query={"told": to}))
    return redirect("community_own_rule", rule_id)


@require_POST
@persona_page(Who.LEAD)
def give_role(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """/community/moderation/members/…/role: a member, a moderator or a lead."""
    form = Appointing(request.POST)
    if form.is_valid():
        appoint(member_id, PersonaRole(form.cleaned_data["role"]), visit.actor, visit.now)
    return redirect("community_member", member_id)
