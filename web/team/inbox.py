"""The inbox: what patients wrote that nobody understood."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from messaging.in_words import STATE_IN_WORDS
from reminders.reading import team
from reminders.worklist.attending import is_held
from web.team.desk import Desk, after, show, team_page

MOST = 30


@require_safe
@team_page
def inbox(request: HttpRequest, desk: Desk) -> HttpResponse:
    """/team/inbox: the newest first; ?after=... for earlier ones."""
    found = team.inbox_for(desk.user, desk.clinic.id, after(request), MOST + 1)
    return show(
        request,
        desk,
        "inbox",
        unread=[
            {
                "text": each.text,
                "item": each.item,
                "reply": each.reply,
                "state": STATE_IN_WORDS[each.reply.state] if each.reply else "",
                "held": is_held(each.item, desk.when.now),
            }
            for each in found[:MOST]
        ],
        more=str(found[MOST - 1].id) if len(found) > MOST else "",
        after=request.GET.get("after"),
    )
