"""Who is on duty, and taking duty oneself. For moderators alone, and in English alone."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.refusals import Conflict, Invalid, NotFound, Refusal
from community.models import PersonaRole
from community.moderation import rota
from web.community.door import Visit, Who, persona_page, show

TOLD = {
    "taken": "A test page is on its way to your phone. Type its code here, and your duty counts.",
    "counts": "Your duty counts now.",
    "again": "Another test page is on its way.",
    "ended": "The duty is over.",
}
NEEDED = {
    "rung": "Choose a rung from 1 to 9.",
    "number": "Write your number with its country, like +44 7911 123456.",
    "starts_at": "Choose a day and a time, or leave it empty.",
    "ends_at": "Choose a day and a time, or leave it empty.",
}


class DutyForm(forms.Form):
    """Instants are the wall time where the moderator lives; empty for no beginning, no end."""

    rung = forms.IntegerField(min_value=1, max_value=rota.RUNGS)
    number = forms.CharField(max_length=40)
    starts_at = forms.DateTimeField(required=False)
    ends_at = forms.DateTimeField(required=False)


class Code(forms.Form):
    code = forms.CharField(max_length=10)


@require_http_methods(["GET", "POST"])
@persona_page(Who.MODERATOR)
def rota_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/moderation/rota: whom a crisis pages, and taking duty."""
    form = DutyForm(request.POST if request.method == "POST" else {"rung": 1})
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = {field: NEEDED[field] for field in form.errors}
        if not errors:
            sent = form.cleaned_data
            turn = rota.Turn(
                sent["rung"],
                sent["number"],
                _instant(sent["starts_at"], visit),
                _instant(sent["ends_at"], visit),
            )
            try:
                rota.take_duty(visit.me, turn, visit.actor, visit.now)
            except (Invalid, Conflict) as refusal:
                errors = {refusal.field or "number": refusal.message}
            else:
                return _back("taken")
    return _page(request, visit, form, errors)


def _instant(local: datetime | None, visit: Visit) -> datetime | None:
    """A wall time, of which Django's form has made one of the server's, where the moderator is."""
    return local and local.replace(tzinfo=ZoneInfo(visit.me.time_zone))


def _page(
    request: HttpRequest, visit: Visit, form: forms.Form, errors: dict[str, str],
    wrong: UUID | None = None,
) -> HttpResponse:  # fmt: skip
    duties = rota.rota(visit.now)
    return show(
        request, visit, "rota", 422 if errors else 200, tab="moderation",
        duties=duties, deaf=rota.deaf(duties), covered=rota.on_duty(visit.now).exists(),
        leads=visit.me.role == PersonaRole.LEAD, form=form, errors=errors, wrong=wrong,
        rungs=range(1, rota.RUNGS + 1), told=TOLD.get(request.GET.get("told", ""), ""),
    )  # fmt: skip


@require_POST
@persona_page(Who.MODERATOR)
def tend_duty(request: HttpRequest, visit: Visit, duty_id: UUID, what: str) -> HttpResponse:
    """/community/moderation/rota/…/code, /again, /end: of a duty of one's own; a lead ends any."""
    try:
        if what == "code":
            form = Code(request.POST)
            code = form.cleaned_data["code"] if form.is_valid() else ""
            rota.acknowledge_test(duty_id, code.strip(), visit.actor, visit.now)
            return _back("counts")
        if what == "again":
            rota.send_test_again(duty_id, visit.actor, visit.now)
            return _back("again")
        if what == "end":
            lead = visit.me.role == PersonaRole.LEAD
            rota.end_duty(duty_id, visit.actor, visit.now, lead=lead)
            return _back("ended")
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, visit, DutyForm({"rung": 1}), {"code": refusal.message}, duty_id)
    raise NotFound("duty")


def _back(told: str) -> HttpResponse:
    return redirect(reverse("community_rota", query={"told": told}))
