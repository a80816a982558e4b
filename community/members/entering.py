"""Joining and coming in: the one place that knows which persona a user is.

From here on a request bears a token of the persona's own, and nothing that leads to the user.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from accounts import audit
from accounts.models import User
from accounts.refusals import Conflict, Forbidden, Invalid
from community.crisis_help import Help, help_for, without_moderator
from community.members.house_rules import VERSION, check_has_accepted
from community.members.locking import lock_persona
from community.members.pseudonyms import check_free, check_pseudonym
from community.models import Persona, PersonaLink, PersonaSession, Sanction
from community.moderation.rule_book import current_book
from community.moderation.sanctions import check_may_enter, check_may_write, in_force
from community.moderation.words import hear
from community.posts.judging import Writing, assess
from community.posts.limits import HEARD

SESSION = timedelta(hours=10)
"""As long as a sign-in of the care team's lasts."""

RENAME_AFTER = timedelta(days=30)
"""Ours: often enough for a slip, too seldom to wear out those who block."""

LANGUAGES = ("en", "cy", "es", "fr", "de", "pl")


class NotJoined(Conflict):
    """This user hasn't joined the community."""


@dataclass(frozen=True)
class Entered:
    """token: shown this once; we keep a digest of it."""

    persona: Persona
    token: str
    expires_at: datetime


def join(
    user: User,
    *,
    pseudonym: str,
    language: str,
    time_zone: str,
    accepts: int,
    now: datetime,
) -> Entered:
    """Join under a pseudonym, and come in. accepts: the version of the house rules that were read.

    Raises Invalid for a pseudonym that won't do and for rules that aren't the present ones,
    Conflict for a pseudonym that is taken and for a user who has joined already. Where there is a
    sign of danger in the pseudonym the refusal holds help (hear_who_joins), whatever was wrong.
    """
    try:
        return _join(user, pseudonym, language, time_zone, accepts, now)
    except (Conflict, Invalid) as refusal:
        help_ = hear_who_joins(user, pseudonym, language, time_zone, now)
        if help_ is not None:
            refusal.facts["help"] = help_
        raise


def _join(
    user: User, pseudonym: str, language: str, time_zone: str, accepts: int, now: datetime
) -> Entered:
    check_accepted(accepts)
    if language not in LANGUAGES:
        raise Invalid("language", f"Choose one of: {', '.join(LANGUAGES)}.", "language")
    if time_zone not in available_timezones():
        raise Invalid("time_zone", "Write the time zone like Europe/London.", "time_zone")
    key = check_pseudonym(pseudonym, language, user)
    with transaction.atomic():
        # The user's row, so that joining twice at once is done once.
        User.objects.select_for_update(no_key=True).get(id=user.id)
        _check_not_joined(user, now)
        check_free(key)
        persona = Persona(
            pseudonym=" ".join(pseudonym.split()),
            pseudonym_key=key,
            language=language,
            time_zone=time_zone,
            accepted_rules=accepts,
            joined_at=now,
        )
        made = Persona.objects.bulk_create([persona], ignore_conflicts=True)
        if not Persona.objects.filter(id=made[0].id).exists():
            # Somebody else took it a moment ago.
            check_free(key)
        PersonaLink.objects.create(user=user, persona=persona)
        _note(persona, "join")
        return _session(persona, now)


def hear_who_joins(
    user: User, words: str, language: str, time_zone: str, now: datetime
) -> Help | None:
    """Listen to what somebody wrote who was refused when they asked to join, as far as HEARD: help,
    where there is a sign of danger. A person is called about one who is a member already; about
    anybody else there can be no case, and help says of none."""
    words = words[:HEARD]
    known = language if language in LANGUAGES else LANGUAGES[0]
    if not assess(Writing("", words, known), current_book(), trusted=True).crisis:
        return None
    help_ = help_for(known, time_zone)
    link = PersonaLink.objects.filter(user=user, persona__left_at__isnull=True).first()
    if link is None:
        return without_moderator(help_)
    _call_a_person(link.persona_id, words, audit.as_persona(link.persona_id, ""), now)
    return help_


def _check_not_joined(user: User, now: datetime) -> None:
    """Nothing, if a locked user may join. Who left under a sanction joins again when it is over."""
    link = PersonaLink.objects.select_related("persona").filter(user=user).first()
    if link is None:
        return
    if link.persona.left_at is None:
        raise Conflict("joined", "You have joined already: come in.")
    check_may_write(link.persona, now)
    link.delete()


def rename(persona_id: UUID, pseudonym: str, actor: audit.Actor, now: datetime) -> Persona:
    """Change a member's pseudonym; their posts bear the new one at once.

    Raises as `join` does, Conflict for one who did so lately, and Forbidden for one who is silenced
    or hasn't accepted the present house rules. A sign of danger calls a person.
    """
    try:
        with transaction.atomic():
            persona = lock_persona(persona_id)
            user = PersonaLink.objects.select_related("user").get(persona=persona).user
            key = check_pseudonym(pseudonym, persona.language, user)
            check_has_accepted(persona.accepted_rules)
            check_may_write(persona, now)
            if persona.renamed_at and now < persona.renamed_at + RENAME_AFTER:
                raise Conflict(
                    "renamed_lately",
                    f"You can change it once in {RENAME_AFTER.days} days.",
                    until=persona.renamed_at + RENAME_AFTER,
                )
            if key != persona.pseudonym_key:
                check_free(key)
            persona.pseudonym, persona.pseudonym_key = " ".join(pseudonym.split()), key
            persona.renamed_at = now
            persona.save(update_fields=["pseudonym", "pseudonym_key", "renamed_at"])
            audit.record(actor, "rename", clinic_id=None, subject_id=persona_id)
    except IntegrityError:
        # Somebody else took it a moment ago.
        check_free(key)
        raise
    except Invalid as refusal:
        if refusal.facts.get("crisis"):
            _call_a_person(persona_id, pseudonym, actor, now)
            refusal.facts["help"] = help_for(persona.language, persona.time_zone)
        raise
    return persona


def _call_a_person(persona_id: UUID, words: str, actor: audit.Actor, now: datetime) -> None:
    """In a transaction of its own, for what was asked is refused."""
    with transaction.atomic():
        hear(lock_persona(persona_id), words, "pseudonym", actor, now)


def forget_user(persona: Persona, now: datetime) -> None:
    """Forget whose persona this is, unless a sanction holds, which leaving doesn't end."""
    if not in_force(persona, now).exists():
        PersonaLink.objects.filter(persona=persona).delete()


def forget_what_is_over(now: datetime) -> None:
    """Forget tokens that ran out, and whose personas those were who left under a sanction that
    doesn't hold any more."""
    PersonaSession.objects.filter(expires_at__lte=now).delete()
    holds = Sanction.objects.filter(
        persona=OuterRef("persona"), lifted_at__isnull=True, ends_at__gt=now
    )
    PersonaLink.objects.filter(~Exists(holds), persona__left_at__isnull=False).delete()


def same_person(user: User, persona_id: UUID, now: datetime) -> Persona:
    """The persona, if it is this user's, for what a member hands over from the one world to the
    other, where both have shown who they are. Raises Forbidden for anybody else's, for one who has
    left, and for one who may not come in."""
    mine = PersonaLink.objects.select_related("persona").filter(user=user, persona=persona_id)
    link = mine.filter(persona__left_at__isnull=True).first()
    if link is None:
        raise Forbidden("somebody_else", "These two tokens are of two people.")
    check_may_enter(link.persona, now)
    return link.persona


def enter(user: User, now: datetime) -> Entered:
    """Come in. Raises NotJoined, and Forbidden for a member who is suspended."""
    link = PersonaLink.objects.select_related("persona").filter(user=user).first()
    if link is None or link.persona.left_at is not None:
        raise _not_joined()
    check_may_enter(link.persona, now)
    with transaction.atomic():
        _note(link.persona, "enter")
        return _session(link.persona, now)


def enter_to_appeal(user: User, now: datetime) -> Entered:
    """Come in to read decisions about oneself and to appeal, and to take back what one shares, and
    for nothing else: what also somebody who is suspended may. Raises NotJoined."""
    link = PersonaLink.objects.select_related("persona").filter(user=user).first()
    if link is None or link.persona.left_at is not None:
        raise _not_joined()
    with transaction.atomic():
        _note(link.persona, "enter_to_appeal")
        return _session(link.persona, now, appeals_only=True)


def persona_of_token(token: str, now: datetime, *, to_appeal: bool = False) -> Persona | None:
    """Whose token this is, if it is still good. to_appeal: so is one that is for appeals alone."""
    sessions = PersonaSession.objects.select_related("persona").filter(
        digest=_digest(token), expires_at__gt=now, persona__left_at__isnull=True
    )
    if not to_appeal:
        sessions = sessions.filter(appeals_only=False)
    session = sessions.first()
    return session.persona if session else None


def go_out(token: str, actor: audit.Actor) -> None:
    """End one token; the same persona's others stay."""
    with transaction.atomic():
        PersonaSession.objects.filter(digest=_digest(token)).delete()
        audit.record(actor, "go_out", clinic_id=None, subject_id=actor.persona_id)


def accept_rules(persona: Persona, accepts: int, actor: audit.Actor) -> None:
    """Accept the present house rules. Raises Invalid for another version."""
    check_accepted(accepts)
    with transaction.atomic():
        Persona.objects.filter(id=persona.id).update(accepted_rules=accepts)
        audit.record(actor, "accept_rules", clinic_id=None, subject_id=persona.id, rules=accepts)


def check_accepted(version: int) -> None:
    """Nothing, if these are the present house rules; Invalid else."""
    if version != VERSION:
        raise Invalid(
            "house_rules",
            f"The house rules have changed. Read version {VERSION} and accept that.",
            "accepts",
        )


def _not_joined() -> NotJoined:
    return NotJoined("not_joined", "You haven't joined the community yet: choose a pseudonym.")


def _session(persona: Persona, now: datetime, *, appeals_only: bool = False) -> Entered:
    token = secrets.token_hex(32)
    expires_at = now + SESSION
    PersonaSession.objects.create(
        digest=_digest(token), persona=persona, expires_at=expires_at, appeals_only=appeals_only
    )
    return Entered(persona, token, expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _note(persona: Persona, verb: str) -> None:
    """Under the persona's name, without the request's: its log and others' rows name the user."""
    actor = audit.as_persona(persona.id, "")
    audit.record(actor, verb, clinic_id=None, subject_id=persona.id)
