"""Blocking and muting: whom a persona doesn't see, and who doesn't see them.

A block hides both from each other on every surface; a mute hides one from the other, who isn't
told. Every reading for members leaves out what `unseen_by` names.
"""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from community.members.locking import lock_persona
from community.models import Bond, BondKind, Persona

Row = TypeVar("Row", bound=models.Model)

MOST = 500
"""Bonds that one persona may set; ours."""


_BONDS = """
    SELECT other_id AS key FROM community_bond WHERE persona_id = reader.me
    UNION ALL
    SELECT persona_id FROM community_bond WHERE other_id = reader.me AND kind = 'block'
"""
_UNSEEN = f"""
    SELECT coalesce(array_agg(DISTINCT key), '{{}}')::text
    FROM (SELECT %s::uuid AS me) reader CROSS JOIN LATERAL ({_BONDS}) bonds
"""  # noqa: S608


@dataclass(frozen=True)
class Hidden:
    """Whom a persona (`of`) doesn't see. keys: as Postgres writes an array, for nobody bounds how
    many have blocked somebody: they come and go as one value, to be cast to `uuid[]`."""

    of: UUID
    keys: str

    def __bool__(self) -> bool:
        return self.keys != "{}"

    def __contains__(self, key: UUID) -> bool:
        return str(key) in self.keys


def unseen_by(persona_id: UUID) -> Hidden:
    """Whose texts a persona doesn't see: whom they blocked or muted, and who blocked them."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, [persona_id])
        ((keys,),) = cursor.fetchall()
    return Hidden(persona_id, keys)


class Among(Func):
    """Whether a column is the key of somebody hidden: an index finds the rows of each."""

    template = "%(expressions)s::uuid[])"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, hidden: Hidden) -> None:
        super().__init__(F(column), Value(hidden.keys, output_field=TextField()))


class _Bound(Func):
    """The same for rows that are read anyway: Postgres reads the bonds and looks in a hash of them.
    Not by the keys: to plan "<> ALL" it weighs each, which takes longer than all the rest."""

    template = f"%(expressions)s::uuid AS me) reader CROSS JOIN LATERAL ({_BONDS}) bonds)"
    arg_joiner = " IN (SELECT key FROM (SELECT "
    output_field = BooleanField()

    def __init__(self, column: str, hidden: Hidden) -> None:
        super().__init__(F(column), Value(str(hidden.of), output_field=TextField()))


def without(rows: QuerySet[Row], hidden: Hidden, *columns: str) -> QuerySet[Row]:
    """Rows but those that name a hidden persona in a column."""
    for column in columns if hidden else ():
        rows = rows.exclude(_Bound(column, hidden))
    return rows


def sees(persona_id: UUID, other_id: UUID) -> bool:
    """Whether a persona sees what another writes."""
    return not Bond.objects.filter(
        Q(persona=persona_id, other=other_id)
        | Q(persona=other_id, other=persona_id, kind=BondKind.BLOCK)
    ).exists()


def is_blocked(persona_id: UUID, by_id: UUID) -> bool:
    """Whether another has blocked a persona, for whom they aren't there then."""
    return Bond.objects.filter(persona=by_id, other=persona_id, kind=BondKind.BLOCK).exists()


def bonds_of(persona: Persona) -> QuerySet[Bond]:
    """Whom a persona blocked or muted, with their names, the newest first."""
    return Bond.objects.filter(persona=persona).select_related("other").order_by("-id")


def set_bond(persona_id: UUID, other_id: UUID, kind: BondKind, actor: audit.Actor) -> Bond:
    """Block or mute another member; the one takes the other's place.

    Raises NotFound for nobody, Invalid for oneself, and Conflict for too many.
    """
    if persona_id == other_id:
        raise Invalid("oneself", "That is you.")
    with transaction.atomic():
        lock_persona(persona_id)
        # Who blocked this one isn't found by them, unless they have a bond already.
        known = Bond.objects.filter(persona=persona_id, other=other_id)
        there = Persona.objects.filter(id=other_id, left_at__isnull=True).exists()
        if not there or (is_blocked(persona_id, other_id) and not known.exists()):
            raise NotFound("member")
        if Bond.objects.filter(persona=persona_id)[MOST - 1 : MOST].exists():
            raise Conflict("too_many", "You have blocked and muted very many. Free some first.")
        bond, _ = Bond.objects.update_or_create(
            persona_id=persona_id, other_id=other_id, defaults={"kind": kind}
        )
        audit.record(actor, kind.value, clinic_id=None, subject_id=other_id)
    return bond


def lift_bond(persona_id: UUID, other_id: UUID, actor: audit.Actor) -> None:
    """See another member again; nothing happens where nothing hid them."""
    with transaction.atomic():
        deleted, _ = Bond.objects.filter(persona=persona_id, other=other_id).delete()
        if deleted:
            audit.record(actor, "lift_bond", clinic_id=None, subject_id=other_id)
