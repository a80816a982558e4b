"""The clinic's patients: finding one, and all that is known of one."""

import secrets
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import May
from accounts.refusals import NotFound
from messaging import inbound
from messaging.models import Scope
from reminders.dates.schedule import local_date
from reminders.health.shared_experiences import experiences_of
from reminders.models import Cause, Patient, Status
from reminders.reading import care, team
from reminders.schedules.plan import Plan
from reminders.texts.wording import every
from web.team import adherence, chart, feelings
from web.team.conversation import lines
from web.team.desk import Desk, after, faults, show, team_page
from web.team.doses import told
from web.team.worklist import shown

MOST = 30
DATES = 6
LINES = 8
DOSES = 6
SHARED = 3
SEARCHES = 10
"""As many searches are remembered, for the back button and several windows."""
STATUSES = {
    "": "All",
    "running": "Running",
    "paused": "Paused",
    "stopped": "Ended",
    "none": "No schedule yet",
}


class Search(forms.Form):
    words = forms.CharField(max_length=200, required=False)


@require_http_methods(["GET", "POST"])
@team_page
def patients(request: HttpRequest, desk: Desk) -> HttpResponse:
    """/team/patients: ?status=running, ?after=... for the next page. What is searched for comes by
    POST and is kept in the session, for an address must not hold a name: ?search=... says which."""
    if request.method == "POST":
        form = Search(request.POST)
        if not form.is_valid():
            errors = faults(form, {"words": "Shorten it to 200 characters."})
            return _list(request, desk, form["words"].value(), errors=errors)
        words = form.cleaned_data["words"]
        return redirect(f"{reverse('team_patients')}{_remembered(request, words)}")
    searches = request.session.get("searches", {})
    search = request.GET.get("search")
    if search is not None and search not in searches:
        return redirect("team_patients")
    return _list(request, desk, searches[search] if search else "")


def _remembered(request: HttpRequest, words: str) -> str:
    if not words:
        return ""
    name = secrets.token_urlsafe(6)
    kept = list(request.session.get("searches", {}).items())[-(SEARCHES - 1) :]
    request.session["searches"] = dict([*kept, (name, words)])
    return f"?search={name}"


def _list(
    request: HttpRequest, desk: Desk, words: str, errors: dict[str, str] | None = None
) -> HttpResponse:
    status = request.GET.get("status", "")
    if status not in STATUSES:
        raise Http404
    rows = [] if errors else _found(request, desk, words, status)
    found = rows[:MOST]
    plans = care.plans_of(found)
    return show(
        request,
        desk,
        "patients/list",
        422 if errors else 200,
        rows=[{"patient": each, "schedule": plans.get(each.id)} for each in found],
        more=str(found[-1].id) if len(rows) > MOST else "",
        after=request.GET.get("after"),
        words=words,
        search=request.GET.get("search", ""),
        only=status,
        statuses=STATUSES,
        errors=errors or {},
    )


def _found(request: HttpRequest, desk: Desk, words: str, status: str) -> list[Patient]:
    patients = care.patients_for(
        desk.user, clinic_id=desk.clinic.id, status=status, search=words.strip()
    )
    if (last := after(request)) is not None:
        patients = patients.filter(id__lt=last)
    return list(patients.order_by("-id")[: MOST + 1])


@require_safe
@team_page
def patient(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/...: all on one page, and what leads on from it."""
    found = care.patient_for(desk.user, patient_id, May.SEE_PATIENTS)
    today = local_date(desk.when.now, found.zone)
    plan = plan_of(desk, found)
    stopped = inbound.opted_out(Scope.CARE, [found.number]) if found.number else {}
    entries = team.conversation_for(desk.user, patient_id, None, LINES)
    doses = care.doses_for(desk.user, patient_id).order_by("-date", "-id")
    items = team.items_of(desk.user, patient_id)
    return show(
        request,
        desk,
        "patients/patient",
        patient=found,
        several=len(desk.memberships) > 1,
        may=permissions(desk, found),
        stopped_at=stopped.get(found.number),
        new_number=care.new_numbers_of([found]).get(found.id),
        items=shown(items, desk),
        may_agree=any(item.cause == Cause.CONSENT_MISSING for item in items),
        plan=plan_facts(plan, desk) if plan else None,
        lines=lines(entries, desk.when),
        doses=[told(dose) for dose in adherence.asked(doses)[:DOSES]],
        chart=chart.of(found, today, desk.when),
        feelings=feelings.of(found, today, desk.when),
        adherence=adherence.of(found, today, desk.when),
        shared=experiences_of(found, SHARED),
    )


def permissions(desk: Desk, patient: Patient) -> dict[str, bool]:
    """What a page offers: what the role allows, of a patient who is still here."""
    may = desk.may(patient.clinic_id) if patient.left_at is None else frozenset()
    return {
        "prescribe": May.PRESCRIBE in may,
        "text": May.TEXT in may,
        "record": May.RECORD in may,
        "enrol": May.ENROL in may,
        "results": May.ENTER_RESULTS in may,
    }


def plan_of(desk: Desk, patient: Patient) -> Plan | None:
    """The patient's plan, if they ever had one."""
    try:
        return care.schedule_for(desk.user, patient.id, May.SEE_PATIENTS)
    except NotFound:
        return None


def plan_facts(plan: Plan, desk: Desk) -> dict[str, Any]:
    """A plan as a page shows it."""
    today = plan.today(desk.when.now)
    coming = care.coming_for(desk.user, plan.patient.id, 26, desk.when.now)
    return {
        "schedule": plan.schedule,
        "runs": plan.schedule.status == Status.RUNNING,
        "paused": plan.schedule.status == Status.PAUSED,
        "version": plan.version,
        "every": every("en", plan.version.interval_days),
        "versions": [
            {"version": version, "every": every("en", version.interval_days)}
            for version in reversed(plan.versions)
        ],
        "due": [{"dose": dose, "days": (today - dose.date).days} for dose in plan.due],
        "dates": [each for each in coming if each.state == "planned"][:DATES],
        "last_injection_on": plan.last_injection_on,
        "planned": plan.planned,
    }
