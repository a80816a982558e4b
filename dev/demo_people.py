"""The demo's made-up people: two clinics, their staff, two hundred patients.

Nobody can have their numbers: Ofcom keeps +44 7700 900000 to 900999 for fiction, and the North
American plan 555-0100 to 555-0199. Needs Django to be set up.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from accounts import audit
from accounts.models import Clinic, Membership, Role, User
from dev import demo_community, demo_past
from dev.environment import (
    ACCOUNT,
    COMMUNITY_NUMBER,
    MODERATORS_NUMBER,
    ROUTINE_NUMBER,
    STAFF_NUMBER,
    URGENT_NUMBER,
)
from dev.stack import Trouble
from messaging import outbox
from messaging.models import Lane, Scope
from messaging.senders import add_sender
from reminders.models import Language, Patient, Policy, Schedule, Wording
from reminders.patients.enrolling import Enrolment, enrol
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.texts import templates
from reminders.worklist.rota import Turn, set_rota, token_of

PASSWORD = "a demo needs no secrets"  # noqa: S105 - printed for everybody to sign in with
CLOSED = templates.Draft(
    Language.ENGLISH,
    Wording.DISCREET,
    "message:closed-on-friday",
    "{clinic}: we are closed on Friday. Questions? Call {phone}.",
)
"""A text of a clinic's own, for its team to send."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """A clinic to be. zones, languages: what its patients have, the commonest first. emergency,
    crisis_line: of its country, as FACTS has them."""

    name: str
    domain: str
    phone: str
    out_of_hours: str
    emergency: str
    crisis_line: str
    patients: int
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    numbers: tuple[str, ...]


PLACES = (
    Place(
        "Harbour Clinic",
        "harbour.example",
        "+442079460100",
        "+442079460111",
        "999",
        "116 123",
        115,
        ("Europe/London", "Europe/London", "Europe/London", "Europe/Dublin", "Europe/Warsaw",
         "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Lagos"),
        ("en", "en", "en", "en", "cy", "pl", "fr", "de"),
        tuple(f"+447700900{n:03}" for n in range(1000)),
    ),
    Place(
        "Lakeside Clinic",
        "lakeside.example",
        "+12125550123",
        "+12125550124",
        "911",
        "988",
        85,
        ("America/New_York", "America/New_York", "America/Chicago", "America/Denver",
         "America/Los_Angeles", "America/Sao_Paulo", "Pacific/Honolulu", "Pacific/Apia"),
        ("en", "en", "en", "es", "es", "fr"),
        tuple(f"+1{area}55501{n:02}" for area in (212, 312, 303, 415, 617) for n in range(100)),
    ),
)  # fmt: skip

# Somewhere it is always between eight in the morning and eight in the evening.
ANYWHERE = ("Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Kolkata",
            "Australia/Lord_Howe", "Pacific/Auckland")  # fmt: skip

GIVEN = """
Aisha Aled Amara Ana Anjali Bartek Beth Bruno Camille Carys Chidi Clara Dafydd Diego Dilys
Elif Emeka Emlyn Esme Farid Femi Fiona Gethin Giulia Greta Hana Hassan Hugo Ida Imran Ivo Jamal
Jonas Josefa Kasia Keiko Kofi Lars Leila Luz Mabel Marek Mei Milo Nadia Nia Noor Olga Omar Otto
Paloma Petra Priya Quentin Rafael Ravi Rhys Rosa Samir Sanna Selma Tariq Tomos Uma Viktor Wanda
Xiomara Yusuf Zofia Zuri""".split()  # noqa: SIM905 - a list of names is read best as such
FAMILY = """
Abernethy Achebe Ashdown Bielecki Birdwhistle Calder Castellanos Davenport Delacroix
Dobrowski Eastlake Farrow Fernsby Gallowglass Grimsdale Hathersage Holloway Ingleby Jankowska
Kettlewell Lachance Llewelyn Marchbanks Montoya Nightingale Oakenfold Okonjo Penhaligon
Pettigrew Quillfeather Ravenscroft Rutherglen Salvatierra Silverlock Thistlewood Underhill
Vandermeer Wetherby Winterbourne Yarrow""".split()  # noqa: SIM905


def demand_ours() -> None:
    """Raise Trouble if the database holds clinics that the demo didn't make: it would text their
    patients, into the simulator, in place of the real reminder."""
    if "accounts_clinic" not in connection.introspection.table_names():
        return
    if Clinic.objects.exclude(name__in=[place.name for place in PLACES]).exists():
        raise Trouble(
            "DATABASE_URL names a database with clinics that aren't the demo's: "
            "name an empty one, or leave it out."
        )


def fill(now: datetime) -> int:
    """Fill an empty database; answers how many patients were enrolled, none if it was full.

    All in one transaction: a demo that is killed in the midst of it finds it empty next time.
    """
    with transaction.atomic():
        if Clinic.objects.exists():
            return 0
        add_senders()
        chance = random.Random(2026)  # noqa: S311 - the same people each time, and no secret
        names = _names(chance)
        english: list[str] = []
        for place in PLACES:
            clinic, clinician = make_clinic(place.name, place.domain, place.phone, place.zones[0])
            Policy.objects.create(
                clinic=clinic,
                out_of_hours=place.out_of_hours,
                emergency=place.emergency,
                crisis_line=place.crisis_line,
            )
            _put_on_duty(clinic, place, now)
            actor = audit.by(clinician, "demo")
            templates.save(clinic, CLOSED, actor, now)
            people = [
                _add_patient(place, clinic, next(names), n, actor, now, chance)
                for n in range(place.patients)
            ]
            demo_past.live_through(people, clinician, now, chance)
            for n, patient in enumerate(people):
                _decide_lately(patient, n, actor, now, chance)
            demo_past.write_lately(people, actor, now)
            english += [patient.number for patient in people if patient.language == "en"]
        demo_community.fill_community(_hashed(), english, now)
        return sum(place.patients for place in PLACES)


def add_senders() -> None:
    """Our numbers, at a pace that doesn't make anybody wait."""
    for number, scope, lane in (
        (ROUTINE_NUMBER, Scope.CARE, Lane.ROUTINE),
        (URGENT_NUMBER, Scope.CARE, Lane.URGENT),
        (STAFF_NUMBER, Scope.STAFF, Lane.URGENT),
        (MODERATORS_NUMBER, Scope.MODERATORS, Lane.URGENT),
        (COMMUNITY_NUMBER, Scope.COMMUNITY, Lane.ROUTINE),
    ):
        add_sender(
            audit.Actor("demo"),
            account=ACCOUNT,
            number=number,
            scope=scope,
            lane=lane,
            rate=100,
        )


def make_clinic(name: str, domain: str, phone: str, zone: str) -> tuple[Clinic, User]:
    """A clinic with a member of each role; answers it and its clinician."""
    clinic = Clinic.objects.create(name=name, phone=phone, time_zone=zone, intervals=[7, 14, 21])
    hashed = _hashed()
    for role in Role.values:
        user = User.objects.create(
            email=f"{role}@{domain}", name=f"{role.title()} of {name}", password=hashed
        )
        Membership.objects.create(user=user, clinic=clinic, role=role)
    return clinic, User.objects.get(email=f"{Role.CLINICIAN}@{domain}")


def _put_on_duty(clinic: Clinic, place: Place, now: datetime) -> None:
    """The coordinator first, then the clinician, at the last of the place's numbers."""
    turns = [
        Turn(User.objects.get(email=f"{role}@{place.domain}").id, rung, place.numbers[-rung])
        for rung, role in enumerate((Role.COORDINATOR, Role.CLINICIAN), start=1)
    ]
    set_rota(clinic, turns, token_of([]), audit.Actor("demo"), now)


@cache
def _hashed() -> str:
    """One hash for all: half a second is what it is to cost."""
    return make_password(PASSWORD)


def enrol_some_for_now(now: datetime) -> list[Patient]:
    """Enrol four patients whose hour is the present minute, and one for each of the next two. The
    first, whom the demo's visitor plays, reads English.

    New ones at each start, because the limits leave a patient alone for 20 hours after a text.
    """
    fresh: list[Patient] = []
    with transaction.atomic():
        for index, minutes in enumerate((0, 0, 0, 0, 1, 2)):
            place = PLACES[index % len(PLACES)]
            clinic = Clinic.objects.get(name=place.name)
            clinician = User.objects.get(email=f"{Role.CLINICIAN}@{place.domain}")
            known = Patient.objects.filter(clinic=clinic).count()
            chance = random.Random(f"{place.name} {known}")  # noqa: S311 - no secret
            at = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
            zone = _where_it_is_day(at, place)
            local = at.astimezone(ZoneInfo(zone))
            actor = audit.by(clinician, "demo")
            patient = _enrol(
                place, clinic, next(_names(chance)), known, actor, now, chance,
                zone=zone, hour=local.time(), language="" if fresh else "en",
            )  # fmt: skip
            days = chance.choice(clinic.intervals)
            last = local.date() - days * DAY
            prescribing.start(patient.id, Decision(days, local.date()), last, actor, now)
            fresh.append(patient)
    return fresh


def _where_it_is_day(at: datetime, place: Place) -> str:
    zones = (*place.zones, *ANYWHERE)
    return next(zone for zone in zones if 8 <= at.astimezone(ZoneInfo(zone)).hour < 20)


def _names(chance: random.Random) -> Iterator[str]:
    while True:
        yield f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"


def _enrol(
    place: Place,
    clinic: Clinic,
    name: str,
    number: int,
    actor: audit.Actor,
    now: datetime,
    chance: random.Random,
    *,
    zone: str,
    hour: time,
    language: str = "",
) -> Patient:
    # A language that isn't read right to left is all they have in common: any zone may have any.
    return enrol(
        clinic,
        Enrolment(
            name=name,
            reference=f"{place.name[0]}C-{number + 1:04}",
            # After some hundreds of starts people share phones, as families do.
            number=place.numbers[number % len(place.numbers)],
            time_zone=zone,
            language=language or chance.choice(place.languages),
            hour=hour,
            wording=chance.choice([Wording.DISCREET, Wording.DISCREET, Wording.EXPLICIT]),
            consent_on=now.date() - chance.randrange(2, 400) * DAY,
            consent_source=chance.choice(["written", "spoken", "online"]),
        ),
        actor,
        now,
    )


def _add_patient(
    place: Place,
    clinic: Clinic,
    name: str,
    number: int,
    actor: audit.Actor,
    now: datetime,
    chance: random.Random,
) -> Patient:
    """A patient, enrolled some months ago, and on their way since; one of ten has not begun."""
    then = now - timedelta(weeks=chance.randrange(6, 16))
    patient = _enrol(
        place, clinic, name, number, actor, then, chance,
        zone=chance.choice(place.zones),
        hour=time(chance.randrange(8, 20), chance.choice([0, 0, 15, 30])),
    )  # fmt: skip
    if number % 20 in (7, 17):
        return patient
    days = chance.choice([7, 7, 7, 14, 14, 21])
    first = then.astimezone(patient.zone).date() + chance.randint(1, days) * DAY
    decision = Decision(days, first, reason="As on the former card.")
    prescribing.start(patient.id, decision, first - days * DAY, actor, then)
    return patient


def _decide_lately(
    patient: Patient, number: int, actor: audit.Actor, now: datetime, chance: random.Random
) -> None:
    """What was decided of late: of twenty, one stopped, one paused, three changed."""
    stand = number % 20
    if stand not in (3, 9, 12, 15, 18):
        return
    plan = read_plan(patient)
    today = plan.today(now)
    if stand == 3:
        prescribing.stop(patient.id, "Moved to another treatment.", plan.token, actor, now)
    elif stand == 9:
        review = today + chance.randrange(7, 42) * DAY
        prescribing.pause(patient.id, review, "Neutrophils low.", plan.token, actor, now)
    else:
        longer = {7: 14, 14: 21, 21: 14}[plan.version.interval_days]
        first = plan.planned.date if plan.planned else today + 7 * DAY
        change = Decision(longer, first, "Blood counts stable.", "Hct 0.42, platelets 310")
        prescribing.change_interval(patient.id, change, plan.token, actor, now)
    # They were told face to face, or the first thing to see would be thirty such texts.
    outbox.cancel(Schedule.objects.filter(patient=patient).values_list("id", flat=True))
