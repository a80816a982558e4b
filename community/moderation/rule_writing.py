"""Rules that moderators write: versions that are only added, tried against past posts, and switched
on and off by a lead. A post that is written after a switch is judged by it, in every process."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from community.members.entering import LANGUAGES
from community.models import HouseRule, Persona, RuleState
from community.rules import Action, items_of

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_KEY = 40
LONGEST_PHRASE = 200
MOST_PHRASES = 200
"""Of one version, those after "unless" counted apart."""
MOST_RULES = 5000
"""Versions that there may be; ours, so that nobody fills the table."""


@dataclass(frozen=True)
class Wording:
    """A version to be. key names the rule through its versions; phrases, unless: as
    rules/rulebook.py says; languages: none for all; description: for people, authors among them."""

    key: str
    action: Action
    phrases: Sequence[str]
    unless: Sequence[str] = ()
    languages: Sequence[str] = ()
    description: str = ""


def write(author: Persona, wording: Wording, actor: audit.Actor, now: datetime) -> HouseRule:
    """Add a version of a rule, the first one of a new key. It isn't on yet.

    Raises Invalid for a phrase that can't be read, with its number, and Conflict for too many.
    """
    _check(wording)
    with transaction.atomic():
        _take_turns()
        if HouseRule.objects.order_by("id")[MOST_RULES - 1 : MOST_RULES].exists():
            raise Conflict("many_rules", "There are very many rules already.")
        last = HouseRule.objects.filter(key=wording.key).aggregate(last=Max("version"))["last"]
        row = HouseRule.objects.create(
            key=wording.key,
            version=(last or 0) + 1,
            action=wording.action,
            phrases=list(wording.phrases),
            unless=list(wording.unless),
            languages=list(wording.languages),
            description=wording.description,
            written_by=author,
            written_at=now,
        )
        _note(row, "write_rule", actor)
    return row


def switch_on(rule_id: UUID, actor: audit.Actor, now: datetime) -> HouseRule:
    """Let a version hold from the next post on, in place of the version of its rule that does.

    Raises NotFound, and Conflict where it is on already.
    """
    with transaction.atomic():
        _take_turns()
        row = _get(rule_id)
        if row.state == RuleState.ON:
            raise Conflict("rule_on", "This version is on already.")
        HouseRule.objects.filter(key=row.key, state=RuleState.ON).update(state=RuleState.OFF)
        _switch(row, RuleState.ON, now)
        _note(row, "switch_rule_on", actor)
    return row


def switch_off(rule_id: UUID, actor: audit.Actor, now: datetime) -> HouseRule:
    """Let a version hold no more. Raises NotFound, and Conflict where it isn't on."""
    with transaction.atomic():
        _take_turns()
        row = _get(rule_id)
        if row.state != RuleState.ON:
            raise Conflict("rule_off", "This version isn't on.")
        _switch(row, RuleState.OFF, now)
        _note(row, "switch_rule_off", actor)
    return row


def versions(key: str = "", state: str = "") -> QuerySet[HouseRule]:
    """Versions of rules, for a page of them, with who wrote them. key: of one rule alone; state: a
    RuleState."""
    rows = HouseRule.objects.select_related("written_by")
    if key:
        rows = rows.filter(key=key)
    return rows.filter(state=state) if state else rows


def version_of(rule_id: UUID) -> HouseRule:
    """One version. Raises NotFound."""
    return _get(rule_id)


def _get(rule_id: UUID) -> HouseRule:
    row = HouseRule.objects.select_related("written_by").filter(id=rule_id).first()
    if row is None:
        raise NotFound("rule")
    return row


def _switch(row: HouseRule, state: RuleState, now: datetime) -> None:
    last = HouseRule.objects.aggregate(last=Max("switched"))["last"]
    row.state, row.switched, row.switched_at = state, (last or 0) + 1, now
    row.save(update_fields=["state", "switched", "switched_at"])


def _take_turns() -> None:
    """Writers and switchers take turns: numbers of versions and of switchings follow each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RULES])


_RULES = 0x72756C65


def _check(wording: Wording) -> None:
    if not KEY.fullmatch(wording.key) or len(wording.key) > LONGEST_KEY:
        raise Invalid(
            "key", f"Name it in small letters, figures and hyphens, up to {LONGEST_KEY}.", "key"
        )
    unknown = set(wording.languages) - set(LANGUAGES)
    if unknown:
        raise Invalid("language", f"Choose among: {', '.join(LANGUAGES)}.", "languages")
    if not wording.description.strip():
        raise Invalid("description", "Say for people what it is about.", "description")
    for name in ("phrases", "unless"):
        phrases: Sequence[str] = getattr(wording, name)
        if len(phrases) > MOST_PHRASES or (name == "phrases" and not phrases):
            raise Invalid("phrases", f"Write 1 to {MOST_PHRASES} phrases.", name)
        for number, phrase in enumerate(phrases):
            _check_phrase(phrase, f"{name}.{number}")


def _check_phrase(phrase: str, field: str) -> None:
    if len(phrase) > LONGEST_PHRASE:
        raise Invalid("phrase", f"Shorten this phrase to {LONGEST_PHRASE} characters.", field)
    if "{" in phrase or "," in phrase:
        raise Invalid("phrase", "Groups and lists are for the house's own rules alone.", field)
    try:
        items_of(phrase)
    except ValueError as error:
        raise Invalid("phrase", f"This phrase can't be read: {error}.", field) from None


def _note(row: HouseRule, verb: str, actor: audit.Actor) -> None:
    audit.record(
        actor,
        verb,
        clinic_id=None,
        subject_id=row.id,
        key=row.key,
        version=row.version,
        switched=row.switched,
    )
