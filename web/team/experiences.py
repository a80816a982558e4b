"""What a patient chose to show to their care team of what they wrote in the community."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import May
from reminders.health.shared_experiences import experiences_of
from reminders.reading import care
from web.team.desk import Desk, after, show, team_page

MOST = 20


@require_safe
@team_page
def experiences(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../experiences: the newest first; ?after=... for earlier ones."""
    patient = care.patient_for(desk.user, patient_id, May.SEE_PATIENTS)
    found = experiences_of(patient, MOST + 1, after(request))
    return show(
        request,
        desk,
        "patients/experiences",
        patient=patient,
        experiences=found[:MOST],
        more=str(found[MOST - 1].id) if len(found) > MOST else "",
    )
