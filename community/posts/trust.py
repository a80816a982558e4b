"""Whose posts are seen at once, and whose wait for a person. All figures are here, and ours."""

from datetime import datetime, timedelta

from community.models import Persona, PersonaRole, Report

APPROVED_POSTS = 3
"""Posts that a person approved before others are seen at once."""

MEMBER_FOR = timedelta(days=2)
"""Nor before this time: three friendly posts are quickly written by somebody who isn't."""

PER_UPHELD = 3
"""Further approved posts for each post of theirs against which a report was upheld ..."""

UPHELD_WITHIN = timedelta(days=180)
"""... in this time."""


def is_trusted(persona: Persona, now: datetime) -> bool:
    """Whether a persona's posts are seen at once where no rule holds them."""
    if persona.role != PersonaRole.MEMBER:
        return True
    if persona.approved_posts < APPROVED_POSTS or now - persona.joined_at < MEMBER_FOR:
        return False
    upheld = (
        Report.objects.filter(
            about=persona, outcome=Report.Outcome.UPHELD, decided_at__gt=now - UPHELD_WITHIN
        )
        .values("post")
        .distinct()
        .count()
    )
    return persona.approved_posts >= APPROVED_POSTS + PER_UPHELD * upheld
