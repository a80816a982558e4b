"""A patient's past days."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reminders.dates.schedule import local_date
from reminders.models import DoseState, Patient
from reminders.reading.own import PAST_DOSES, own_past
from web.own import day_of, own, own_page
from web.record import what_is_known


@require_safe
@own_page
def past(request: HttpRequest, patient: Patient) -> HttpResponse:
    """/me/past: what was told of each day, the latest first; ?before=2027-01-04: earlier ones."""
    before = request.GET.get("before")
    try:
        found = own_past(patient, date.fromisoformat(before) if before else None)
    except ValueError:
        raise Http404 from None
    today = local_date(timezone.now(), patient.zone)
    days = [
        {
            "dose": dose,
            "date": day_of(patient, dose.date, today),
            "known": what_is_known(patient, dose, today),
            # What was told at a former clinic stays there as it is.
            "here": dose.schedule.patient_id == patient.id,
            "told": dose.state in (DoseState.TAKEN, DoseState.SKIPPED),
        }
        for dose in found[:PAST_DOSES]
    ]
    more = found[PAST_DOSES - 1].date.isoformat() if len(found) > PAST_DOSES else ""
    return own(request, patient, "past", days=days, more=more, before=before)
