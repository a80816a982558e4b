"""House rules, going out, taking one's things along, and leaving for good."""

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from community import sharing
from community.members import exporting
from community.members.entering import accept_rules, go_out
from community.members.house_rules import VERSION, house_rules
from community.members.leaving import leave
from reminders.health import shared_experiences
from web.community.door import Visit, Who, for_one, forget_token, persona_page, show
from web.community.words import words

BY_THE_MEMBER = audit.Actor("member")
"""Who takes something back, on the side that knows no persona."""


class Leaving(forms.Form):
    posts = forms.ChoiceField(choices=[("keep", "keep"), ("erase", "erase")])
    sure = forms.BooleanField()


@require_http_methods(["GET", "POST"])
@persona_page(Who.JOINED)
def rules(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/rules: the house rules; POST accepts the version that was read."""
    if request.method == "POST":
        sent = request.POST.get("accepts", "")
        accept_rules(visit.me, VERSION if sent == str(VERSION) else 0, visit.actor)
        return redirect("community")
    return show(
        request,
        visit,
        "rules",
        rules=house_rules(visit.me.language),
        version=VERSION,
        accepted=visit.me.accepted_rules == VERSION,
    )


@require_POST
@persona_page(Who.APPELLANT)
def leave_for_now(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/go-out: this token is good for nothing from now on."""
    go_out(visit.token, visit.actor)
    return forget_token(_goodbye(request, visit, "out"))


@require_POST
@persona_page(Who.JOINED)
def export(request: HttpRequest, visit: Visit) -> StreamingHttpResponse:
    """/community/settings/export: all that is one's own, as one file."""
    response = StreamingHttpResponse(
        exporting.export(visit.me, visit.actor, visit.now),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="community.json"'},
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "POST"])
@persona_page(Who.JOINED)
def leave_for_good(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/settings/leave: posts kept or erased, by choice; it can't be taken back."""
    form = Leaving(request.POST if request.method == "POST" else None)
    errors: dict[str, str] = {}
    if request.method == "POST":
        if form.is_valid():
            erase = form.cleaned_data["posts"] == "erase"
            # As the API does: what is shared with the care team is taken back on both sides.
            with transaction.atomic():
                shared = sharing.revoke_all(visit.me, visit.actor, visit.now)
                leave(visit.me.id, erase=erase, actor=visit.actor, now=visit.now)
                for share_id in shared:
                    shared_experiences.take_back(share_id, BY_THE_MEMBER, visit.now)
            return forget_token(_goodbye(request, visit, "left"))
        said = words(visit.me.language)["errors"]
        errors = {field: said[field] for field in form.errors}
    return show(
        request, visit, "leave", 422 if errors else 200, tab="settings", form=form, errors=errors
    )


def _goodbye(request: HttpRequest, visit: Visit, how: str) -> HttpResponse:
    """The last page: nobody is here any more."""
    said = words(visit.me.language)
    facts = {"say": said, "language": visit.me.language, "how": how}
    return for_one(render(request, "web/community/goodbye.html", facts))
