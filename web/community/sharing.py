"""A post of one's own, shown to one's care team and taken back: the one way between the two worlds.

The persona's page makes a ticket for one wording of one post; the browser sends it, by POST, to a
page of the person's who is signed in, and there alone the two meet, as they do in coming in. The
ticket is no token: it opens nothing, and is good for an hour. To take something back the persona is
enough.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.models import User
from accounts.refusals import Forbidden, Invalid, NotFound, Refusal
from community import sharing
from community.members.entering import same_person
from community.models import Persona, SharedPost
from community.reading.keyset import Place
from reminders.health import shared_experiences
from reminders.models import Patient
from reminders.patients.signing_in import patient_of
from reminders.texts.wording import Said
from web.community.door import Visit, Who, persona_page, show
from web.community.entering import language_of, page_of_user
from web.community.places import SIZE, after, cut
from web.community.staying import BY_THE_MEMBER
from web.community.words import refusal_in

SALT = "web.community.sharing"
TICKET_LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class Ticket:
    """What a persona wants to share: one wording of one post of theirs."""

    persona: UUID
    post: UUID
    revision: UUID


def write_ticket(ticket: Ticket) -> str:
    """A ticket for a form; only we can make one."""
    return signing.dumps([str(key) for key in vars(ticket).values()], salt=SALT)


def read_ticket(given: str) -> Ticket:
    """A ticket that is still good; Invalid for any other."""
    try:
        keys = signing.loads(given, salt=SALT, max_age=TICKET_LASTS)
    except signing.BadSignature:
        raise Invalid("ticket_over", "Go back to the post, and begin again.") from None
    return Ticket(*map(UUID, keys))


@require_http_methods(["GET", "POST"])
def share(request: HttpRequest) -> HttpResponse:
    """/me/community/share: what the care team would get of a post, and who they are; with "sure"
    they get it. The words are read anew each time, and nothing of it is in an address."""
    user = request.user
    if request.method != "POST":
        return redirect("open_community")
    if not isinstance(user, User):
        return page_of_user(request, None, "share", 401, sign_in=True)
    now = timezone.now()
    try:
        ticket = read_ticket(request.POST.get("ticket", ""))
        persona = same_person(user, ticket.persona, now)
        patient = _patient(user)
        if request.POST.get("sure") == "yes":
            _hand_over(persona, ticket, user, patient, now)
            return redirect(reverse("community_shares", query={"told": "shared"}))
        live = sharing.shareable(persona, ticket.post)
    except NotFound:
        return _refused(request, user, Refusal("not_seen", ""))
    except Refusal as refusal:
        if refusal.code == "shared":
            # Sent twice, as by a double press: the list says since when.
            return redirect("community_shares")
        return _refused(request, user, refusal)
    ticket = Ticket(persona.id, live.post_id, live.revision_id)
    return page_of_user(
        request,
        user,
        "share",
        live=live,
        clinic=patient.clinic,
        phone=Said(patient).phone(patient.clinic.phone),
        ticket=write_ticket(ticket),
    )


def _patient(user: User) -> Patient:
    patient = patient_of(user)
    if patient is None:
        raise Forbidden("not_a_patient", "No clinic that we know looks after you.")
    return patient


def _hand_over(
    persona: Persona, ticket: Ticket, user: User, patient: Patient, now: datetime
) -> None:
    """Both sides, or neither; and as in the API no audit row has the request of both."""
    actor = audit.as_persona(persona.id, "")
    with transaction.atomic():
        shared = sharing.share(persona, ticket.post, actor, now, seen=ticket.revision)
        shared_experiences.receive(
            shared.id, patient.id, shared.title, shared.body, audit.by(user, ""), now
        )


def _refused(request: HttpRequest, user: User, refusal: Refusal) -> HttpResponse:
    why = refusal_in(language_of(request, user), refusal)
    return page_of_user(request, user, "share", 409, why=why)


@require_safe
@persona_page(Who.APPELLANT)
def shares(request: HttpRequest, visit: Visit) -> HttpResponse:
    """/community/shares: what one shares now, in the words that the care team has."""
    rows = sharing.shared_now(visit.me, after(request), SIZE + 1)
    found, more = cut(rows, _place)
    return show(request, visit, "shares", tab="shares", found=found, more=more)


def _place(row: SharedPost) -> Place:
    return row.shared_at, row.id


@require_POST
@persona_page(Who.APPELLANT)
def take_back(request: HttpRequest, visit: Visit, share_id: UUID) -> HttpResponse:
    """/community/shares/…/take-back: its words are gone from the care team's pages."""
    with transaction.atomic():
        sharing.revoke(visit.me, share_id, visit.actor, visit.now)
        shared_experiences.take_back(share_id, BY_THE_MEMBER, visit.now)
    return redirect(reverse("community_shares", query={"told": "taken_back"}))
