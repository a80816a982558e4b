"""The worklist: what somebody of the clinic has to look at, the most urgent and oldest first."""

from collections import Counter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import May
from reminders.models import NEXT_STEP, Cause, Urgency, WorkItem
from reminders.reading import care, team
from reminders.worklist.attending import is_held
from web.team.desk import Desk, show, team_page
from web.team.facts import in_words

MOST = 50


@require_safe
@team_page
def worklist(request: HttpRequest, desk: Desk) -> HttpResponse:
    """/team: ?urgency=0, ?cause=no_answer, ?mine=yes, and ?after=... for the next page."""
    chosen = _chosen(request)
    found = list(
        care.worklist_for(
            desk.user,
            desk.when.now,
            clinic_id=desk.clinic.id,
            cause=chosen.get("cause", ""),
            urgency=int(chosen["urgency"]) if "urgency" in chosen else None,
            mine="mine" in chosen,
            after=_place(request.GET.get("after", "")),
        )[: MOST + 1]
    )
    items = found[:MOST]
    more = ""
    if len(found) > MOST:
        last = items[-1]
        more = urlencode({**chosen, "after": f"{last.urgency}.{last.id}"})
    counts = care.counts_for(desk.user, desk.clinic.id, desk.when.now)
    return show(
        request,
        desk,
        "worklist",
        items=shown(items, desk),
        more=more,
        after=request.GET.get("after"),
        filtered=bool(chosen),
        urgencies=_urgencies(counts, chosen),
        causes=_causes(counts, chosen),
        mine={"on": "mine" in chosen, "query": _toggled(chosen, "mine", "yes")},
        attends=May.ATTEND in desk.may(desk.clinic.id),
    )


def shown(items: list[WorkItem], desk: Desk) -> list[dict[str, Any]]:
    """Items with what a page says of each."""
    quotes = team.quotes_of(items)
    return [
        {
            "item": item,
            "next_step": NEXT_STEP[Cause(item.cause)],
            "facts": in_words(item.facts, desk.when),
            "quote": quotes.get(item.id),
            "held": is_held(item, desk.when.now),
            "mine": is_held(item, desk.when.now) and item.owner_id == desk.user.id,
        }
        for item in items
    ]


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The filters that an address asks for; 404 for what is none."""
    chosen = {
        name: request.GET[name] for name in ("urgency", "cause", "mine") if name in request.GET
    }
    known = {
        "urgency": [str(value) for value in Urgency.values],
        "cause": Cause.values,
        "mine": ["yes"],
    }
    if any(value not in known[name] for name, value in chosen.items()):
        raise Http404
    return chosen


def _place(given: str) -> tuple[int, UUID] | None:
    """Urgency and id of the last item of the page before."""
    if not given:
        return None
    urgency, _, id_ = given.partition(".")
    try:
        return int(urgency[:1]), UUID(id_)
    except ValueError:
        raise Http404 from None


def _toggled(chosen: dict[str, str], name: str, value: str) -> str:
    """The query with a filter more, or without it if it is the one that is on."""
    others = {key: kept for key, kept in chosen.items() if key != name}
    return urlencode(others if chosen.get(name) == value else {**others, name: value})


def _urgencies(counts: list[dict[str, Any]], chosen: dict[str, str]) -> list[dict[str, Any]]:
    open_, taken = Counter[int](), Counter[int]()
    for row in counts:
        open_[row["urgency"]] += row["open"]
        taken[row["urgency"]] += row["taken"]
    return [
        {
            "urgency": urgency,
            "open": open_[urgency],
            "taken": taken[urgency],
            "on": chosen.get("urgency") == str(urgency.value),
            "query": _toggled(chosen, "urgency", str(urgency.value)),
        }
        for urgency in Urgency
    ]


def _causes(counts: list[dict[str, Any]], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The causes that something is open of, and the one that is chosen."""
    there = {row["cause"]: row["open"] for row in counts}
    if "cause" in chosen:
        there.setdefault(chosen["cause"], 0)
    return [
        {
            "label": Cause(cause).label,
            "open": number,
            "on": chosen.get("cause") == cause,
            "query": _toggled(chosen, "cause", cause),
        }
        for cause, number in there.items()
    ]
