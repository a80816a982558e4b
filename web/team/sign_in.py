"""How the care team signs in: e-mail and password, checked and counted as over the API."""

from typing import Any

from django import forms
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, request_id
from accounts.access import memberships_of
from accounts.addresses import address
from accounts.models import Membership, User
from accounts.sign_in import NotSignedIn, TooMany, note_sign_out, sign_in_to_pages
from web.team.desk import CHOSEN, staff_page

LASTS = 10 * 60 * 60
"""Seconds, as long as the API's tokens."""
WORDS = {"email": "Type your e-mail address.", "password": "Type your password."}
NO_CLINIC = "You are in no clinic's team at the moment. Ask whoever set up your account."


class Credentials(forms.Form):
    email = forms.CharField(max_length=254)
    password = forms.CharField(max_length=1000, strip=False)


@login_not_required
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """/team/sign-in, then where they wanted to go (?next=/team/...)."""
    if request.method == "GET":
        if isinstance(request.user, User) and memberships_of(request.user):
            return redirect("team_worklist")
        return _page(request, Credentials(), {})
    form = Credentials(request.POST)
    if not form.is_valid():
        return _page(request, form, {field: WORDS[field] for field in form.errors}, 422)
    try:
        user = sign_in_to_pages(
            form.cleaned_data["email"],
            form.cleaned_data["password"],
            address(request.META),
            request_id.current.get(),
            timezone.now(),
        )
    except NotSignedIn as refusal:
        return _page(request, form, {"email": refusal.message}, 422)
    except TooMany as refusal:
        return _page(request, form, {"email": refusal.message}, 429)
    if not memberships_of(user):
        return _page(request, form, {"email": NO_CLINIC}, 422)
    login(request, user)
    request.session.set_expiry(LASTS)
    return redirect(_following(request))


@require_POST
@staff_page
def sign_out(request: HttpRequest, memberships: list[Membership]) -> HttpResponse:
    """/team/sign-out"""
    note_sign_out(audit.by(memberships[0].user, request_id.current.get()))
    logout(request)
    return redirect("team_sign_in")


@require_http_methods(["GET", "POST"])
@staff_page
def choose_clinic(request: HttpRequest, memberships: list[Membership]) -> HttpResponse:
    """/team/clinic: for members of several, whose worklist it is to be."""
    chosen = request.POST.get("clinic")
    error = request.method == "POST"
    if any(str(each.clinic_id) == chosen for each in memberships):
        request.session[CHOSEN] = chosen
        return redirect("team_worklist")
    return _bare(
        request,
        "clinic",
        422 if error else 200,
        memberships=memberships,
        chosen=request.session.get(CHOSEN),
        error=error,
    )


def _page(
    request: HttpRequest, form: Credentials, errors: dict[str, str], status: int = 200
) -> HttpResponse:
    following = _following(request) if "next" in (request.POST or request.GET) else ""
    return _bare(request, "sign_in", status, form=form, errors=errors, following=following)


def _bare(request: HttpRequest, template: str, status: int, **facts: Any) -> HttpResponse:
    """A page of somebody who isn't at work yet."""
    response = render(request, f"web/team/{template}.html", facts, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _following(request: HttpRequest) -> str:
    """Where they wanted to go: one of the team's pages, and nowhere else."""
    wanted = (request.POST or request.GET).get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours and wanted.startswith("/team/") else "/team"
