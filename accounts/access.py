"""Who may do what. Deny by default: what the table doesn't say is not allowed."""

from enum import StrEnum
from uuid import UUID

from accounts.models import Clinic, Membership, Role, User
from accounts.refusals import Forbidden, NotFound


class May(StrEnum):
    """A permission in a clinic."""

    SEE_PATIENTS = "see patients"
    ENROL = "enrol patients and change how to reach them"
    PRESCRIBE = "start and change schedules"
    TEXT = "send texts to patients"
    WRITE_TEXTS = "change the clinic's texts"
    ATTEND = "look after items of the worklist"
    SET_UP = "set the rota and the clinic's policy"
    RECORD = "record doses"
    ENTER_RESULTS = "enter blood results and side effects"


EVERYBODY = frozenset({May.SEE_PATIENTS, May.ENROL, May.TEXT})
CARE = EVERYBODY | {May.ATTEND, May.RECORD, May.ENTER_RESULTS}

MAY: dict[str, frozenset[May]] = {
    Role.CLINICIAN: frozenset(May),
    Role.COORDINATOR: CARE,
    Role.ADMIN: EVERYBODY | {May.WRITE_TEXTS, May.SET_UP},
}


def clinics_of(user: User, may: May) -> list[UUID]:
    """Ids of the clinics in which this user's role allows `may`."""
    roles = [role for role, allowed in MAY.items() if may in allowed]
    return list(
        Membership.objects.filter(user=user, role__in=roles).values_list("clinic_id", flat=True)
    )


def demand(user: User, clinic_id: UUID, may: May, what: str) -> None:
    """Nothing, if the user may; else NotFound for strangers to the clinic and Forbidden for
    its own people in another role, so that nobody learns what another clinic holds."""
    role = Membership.objects.filter(user=user, clinic_id=clinic_id).values_list("role", flat=True)
    held = role.first()
    if held is None:
        raise NotFound(what)
    if may not in MAY[held]:
        raise Forbidden("role", f"Your role ({held}) may not {may}. Ask a clinician of your team.")


def clinic_for(user: User, clinic_id: UUID, may: May) -> Clinic:
    """The clinic, for a member whose role allows `may`; NotFound or Forbidden else."""
    demand(user, clinic_id, may, "clinic")
    return Clinic.objects.get(id=clinic_id)


def works_at_a_clinic(user: User) -> bool:
    """Whether the user has a role in any clinic."""
    return Membership.objects.filter(user=user).exists()


def memberships_of(user: User) -> list[Membership]:
    """The user's memberships with their clinics, oldest first."""
    return list(Membership.objects.filter(user=user).select_related("clinic").order_by("id"))
