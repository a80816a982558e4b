"""What members write to moderators: reports and appeals. It goes through the rules as posts do."""

from datetime import datetime

from accounts import audit
from community.models import CaseKind, Persona
from community.moderation import cases
from community.moderation.rule_book import current_book
from community.posts.judging import Assessment, Writing, assess


def hear(persona: Persona, words: str, of: str, actor: audit.Actor, now: datetime) -> Assessment:
    """The words as they may be kept, masked. A sign of danger in them opens a crisis case about
    whoever wrote them, who is locked; the words are in its events. of: what they are, like
    "report"."""
    assessment = assess(Writing("", words, persona.language), current_book(), trusted=True)
    if assessment.crisis:
        said = assessment.writing.body
        cases.open_case(CaseKind.CRISIS, None, persona, actor, now, said, found_in=of)
    return assessment


def without_personal_data(words: str, language: str) -> str:
    """A moderator's words as they may be kept. They speak of signs of danger: that calls nobody."""
    if not words:
        return ""
    return assess(Writing("", words, language), current_book(), trusted=True).writing.body
