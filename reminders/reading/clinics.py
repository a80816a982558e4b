"""The guarded way to what belongs to a clinic as a whole, beside care.py for its patients."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.access import May, clinic_for, clinics_of, demand
from accounts.models import User
from accounts.refusals import NotFound
from reminders.models import Dose, DoseState, Import, ImportProblem, Template, Transfer


def imports_for(user: User, clinic_id: UUID) -> QuerySet[Import]:
    """A clinic's files of patients."""
    clinic = clinic_for(user, clinic_id, May.ENROL)
    return Import.objects.filter(clinic=clinic).select_related("made_by")


def import_for(user: User, import_id: UUID) -> Import:
    """One file, for somebody who may enrol in its clinic."""
    file = Import.objects.select_related("made_by").filter(id=import_id).first()
    if file is None:
        raise NotFound("import")
    demand(user, file.clinic_id, May.ENROL, "import")
    return file


def import_to_confirm(user: User, import_id: UUID) -> Import:
    """One file, for somebody who may do all that would come of it: schedules are a clinician's."""
    file = import_for(user, import_id)
    if file.starts:
        demand(user, file.clinic_id, May.PRESCRIBE, "import")
    return file


def import_problems_for(user: User, import_id: UUID) -> QuerySet[ImportProblem]:
    """What is wrong with a file."""
    return ImportProblem.objects.filter(file=import_for(user, import_id))


def templates_for(user: User, clinic_id: UUID, *, former: bool) -> QuerySet[Template]:
    """A clinic's own texts: those that hold, or with `former` all that ever did, and when they were
    retired."""
    clinic = clinic_for(user, clinic_id, May.SEE_PATIENTS)
    versions = Template.objects.filter(clinic=clinic).select_related("made_by")
    if former:
        return versions
    later = Template.objects.filter(
        clinic=OuterRef("clinic"),
        language=OuterRef("language"),
        wording=OuterRef("wording"),
        kind=OuterRef("kind"),
        version__gt=OuterRef("version"),
    )
    return versions.filter(~Exists(later)).exclude(body="")


def transfers_for(user: User) -> QuerySet[Transfer]:
    """Offers from clinics whose patients the user may see, and to clinics where they may accept
    them; each with the interval and the next date, which is what the other clinic has to know."""
    planned = Dose.objects.filter(
        schedule__patient=OuterRef("patient"), state=DoseState.PLANNED
    ).order_by("-id")
    return (
        Transfer.objects.filter(
            Q(patient__clinic_id__in=clinics_of(user, May.SEE_PATIENTS))
            | Q(to_clinic_id__in=clinics_of(user, May.PRESCRIBE))
        )
        .select_related("patient__clinic", "to_clinic")
        .annotate(
            next_on=Subquery(planned.values("date")[:1]),
            interval_days=Subquery(planned.values("version__interval_days")[:1]),
        )
    )


def transfer_to_decide(user: User, transfer_id: UUID, *, ours: bool) -> Transfer:
    """An offer, for a clinician of the clinic that made it (`ours`) or that it was made to."""
    transfer = Transfer.objects.select_related("patient").filter(id=transfer_id).first()
    if transfer is None:
        raise NotFound("transfer")
    clinic_id = transfer.patient.clinic_id if ours else transfer.to_clinic_id
    demand(user, clinic_id, May.PRESCRIBE, "transfer")
    return transfer
