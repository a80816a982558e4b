"""The guarded way to what belongs to a clinic as a whole, beside reading.py for its patients."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.access import May, clinic_for, demand
from accounts.models import User
from accounts.refusals import NotFound
from reminders.models import Import, ImportProblem, Template


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
