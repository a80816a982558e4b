"""How much one member may write. Asked after judging, so that a cry for help is heard all the same.
All figures are here; they are ours."""

from datetime import datetime, timedelta

from accounts.refusals import Conflict
from community.models import Persona, PersonaRole, Post, Revision, Thread

PER_HOUR = 20
"""Texts and edits of one member in an hour."""

TOO_MUCH = "rate"
"""The code of the refusal of more than that."""

LONGEST_TITLE = 120
LONGEST_BODY = 10_000
"""Characters, as they are written; masking may make a text longer."""

HEARD = LONGEST_TITLE + LONGEST_BODY
"""Characters of what is refused that are listened to: so much can be written at once."""

HOUR = timedelta(hours=1)


def check_limits(persona: Persona, thread: Thread | None, now: datetime) -> None:
    """Nothing, if this member may write now; Conflict else, which says until when. thread: null
    for a new one. The persona is locked, so two at once are counted one after the other."""
    if persona.role != PersonaRole.MEMBER:
        return
    newest = Revision.objects.filter(by=persona).order_by("-id")
    nth = newest.values_list("at", flat=True)[PER_HOUR - 1 : PER_HOUR].first()
    if nth is not None and now - nth < HOUR:
        raise _wait(TOO_MUCH, nth + HOUR, now, "You have written a lot in an hour.")
    if thread is not None and thread.slow_seconds:
        mine = Post.objects.filter(thread=thread, author=persona).order_by("-id")
        last = mine.values_list("revisions__at", flat=True).order_by("-id", "revisions__at").first()
        until = last + timedelta(seconds=thread.slow_seconds) if last else now
        if until > now:
            raise _wait("slow_mode", until, now, "This thread is in slow mode.")


def _wait(code: str, until: datetime, now: datetime, why: str) -> Conflict:
    minutes = max(1, -(-int((until - now).total_seconds()) // 60))
    return Conflict(code, f"{why} Try again in {minutes} min.", until=until)
