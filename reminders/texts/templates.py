"""A clinic's own texts: checked before they are saved, versioned, looked up for many at once."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import Clinic
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.models import Language, Template, Wording
from reminders.texts import wording
from reminders.texts.template_checks import Checked, check, kinds

MESSAGE = re.compile(r"message:[a-z0-9][a-z0-9-]{0,38}")


@dataclass(frozen=True)
class Draft:
    """A text to be: for whom, in place of what, and its words with placeholders."""

    language: Language
    wording: Wording
    kind: str
    body: str


def of(clinic_ids: Collection[UUID]) -> wording.Own:
    """These clinics' own texts as they hold now, in one query: for wording.text."""
    latest = (
        Template.objects.filter(clinic_id__in=clinic_ids)
        .order_by("clinic_id", "language", "wording", "kind", "-version")
        .distinct("clinic_id", "language", "wording", "kind")
        .values_list("clinic_id", "language", "wording", "kind", "body")
    )
    return {tuple(key): body for *key, body in latest if body}  # type: ignore[misc]


def preview(clinic: Clinic, draft: Draft) -> Checked:
    """What is wrong with a text, and what it would look like and cost. Stores nothing.

    Raises Invalid for a kind that there isn't.
    """
    _demand_kind(draft.kind)
    return check(clinic, draft.language, draft.wording, draft.kind, draft.body)


def save(clinic: Clinic, draft: Draft, actor: audit.Actor, now: datetime) -> Template:
    """Let a text hold from now on, as the next version. Raises Invalid for one that may not be
    sent, with all that is wrong with it."""
    checked = preview(clinic, draft)
    if checked.problems:
        first = checked.problems[0]
        whole = " ".join(problem.message for problem in checked.problems)
        raise Invalid(first.code, whole, "body")
    return _add(clinic, draft, actor, now, "save_template")


def retire(
    clinic: Clinic,
    language: Language,
    style: Wording,
    kind: str,
    actor: audit.Actor,
    now: datetime,
) -> Template:
    """Take a clinic's own text back: the built-in one holds again, or the message is gone.

    Raises NotFound if there is none.
    """
    if (clinic.id, language.value, style.value, kind) not in of([clinic.id]):
        raise NotFound("text")
    return _add(clinic, Draft(language, style, kind, ""), actor, now, "retire_template")


def _add(clinic: Clinic, draft: Draft, actor: audit.Actor, now: datetime, verb: str) -> Template:
    """The next version. Versions of one clinic take turns."""
    if actor.user is None:
        raise Conflict("nobody", "Sign in to change a clinic's texts.")
    with transaction.atomic():
        Clinic.objects.select_for_update().get(id=clinic.id)
        former = (
            Template.objects.filter(
                clinic=clinic, language=draft.language, wording=draft.wording, kind=draft.kind
            )
            .order_by("-version")
            .first()
        )
        template = Template.objects.create(
            clinic=clinic,
            language=draft.language,
            wording=draft.wording,
            kind=draft.kind,
            version=former.version + 1 if former else 1,
            body=draft.body.strip(),
            made_by=actor.user,
            made_at=now,
        )
        audit.record(
            actor,
            verb,
            clinic_id=clinic.id,
            subject_id=template.id,
            kind=draft.kind,
            language=draft.language.value,
            wording=draft.wording.value,
            version=template.version,
        )
    return template


def _demand_kind(kind: str) -> None:
    if kind not in kinds() and not MESSAGE.fullmatch(kind):
        raise Invalid(
            "kind",
            f"Choose one of: {', '.join(kinds())}; or message: and a name, like message:closed.",
            "kind",
        )
