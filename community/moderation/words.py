"""What members write to moderators, and what was refused as a post: it goes through the rules as
posts do."""

from datetime import datetime

from django.db.models import QuerySet

from accounts import audit
from community.models import Case, CaseEvent, CaseKind, Persona
from community.moderation import cases
from community.moderation.rule_book import current_book
from community.posts.judging import Assessment, Writing, assess
from community.posts.limits import HOUR, PER_HOUR


def hear(persona: Persona, words: str, of: str, actor: audit.Actor, now: datetime) -> Assessment:
    """The words as they may be kept, masked. A sign of danger in them opens a crisis case about
    whoever wrote them, who is locked, or comes to the one that is open; the words are in its
    events, of an hour no more than a member may post. A sign past these calls moderators again
    where one of them has the case, who would not know of it. of: what they are, like "report"."""
    assessment = assess(Writing("", words, persona.language), current_book(), trusted=True)
    if assessment.crisis:
        enough = _said_enough(persona, now)
        if not enough or _open_one(persona).filter(held_until__gt=now).exists():
            said = "" if enough else assessment.writing.body
            cases.open_case(CaseKind.CRISIS, None, persona, actor, now, said, found_in=of)
    return assessment


def _open_one(persona: Persona) -> QuerySet[Case]:
    """The crisis about somebody, not about a post of theirs, if it is open."""
    return Case.objects.filter(about=persona, post=None, closed_at__isnull=True, crisis=True)


def _said_enough(persona: Persona, now: datetime) -> bool:
    """Whether the case about somebody has as many of their words from the last hour as it takes:
    moderators have been called, and have enough to read."""
    signs = CaseEvent.objects.filter(case__in=_open_one(persona))
    return signs.filter(at__gt=now - HOUR, text__gt="").count() >= PER_HOUR


def without_personal_data(words: str, language: str) -> str:
    """A moderator's words as they may be kept. They speak of signs of danger: that calls nobody."""
    if not words:
        return ""
    return assess(Writing("", words, language), current_book(), trusted=True).writing.body
