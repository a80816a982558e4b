"""The care team's pages: which there are, and somebody who is at work on them."""

from django.test import Client

from accounts.models import User

TEAM_PAGES = [
    "/team",
    "/team/sign-out",
    "/team/clinic",
    "/team/inbox",
    "/team/items/<uuid:item_id>",
    "/team/items/<uuid:item_id>/take",
    "/team/items/<uuid:item_id>/hand-back",
    "/team/items/<uuid:item_id>/notes",
    "/team/items/<uuid:item_id>/close",
    "/team/patients",
    "/team/patients/enrol",
    "/team/patients/<uuid:patient_id>",
    "/team/patients/<uuid:patient_id>/start",
    "/team/patients/<uuid:patient_id>/change",
    "/team/patients/<uuid:patient_id>/change/confirm",
    "/team/patients/<uuid:patient_id>/pause",
    "/team/patients/<uuid:patient_id>/resume",
    "/team/patients/<uuid:patient_id>/stop",
    "/team/patients/<uuid:patient_id>/doses",
    "/team/patients/<uuid:patient_id>/doses/<uuid:dose_id>",
    "/team/patients/<uuid:patient_id>/facts",
    "/team/patients/<uuid:patient_id>/facts/<uuid:injection_id>/take-back",
    "/team/patients/<uuid:patient_id>/conversation",
    "/team/patients/<uuid:patient_id>/diary",
    "/team/patients/<uuid:patient_id>/experiences",
    "/team/patients/<uuid:patient_id>/message",
    "/team/patients/<uuid:patient_id>/corrections",
    "/team/patients/<uuid:patient_id>/consent",
    "/team/patients/<uuid:patient_id>/agree",
    "/team/patients/<uuid:patient_id>/results",
    "/team/patients/<uuid:patient_id>/results/<uuid:result_id>",
]
"""All but the sign-in: for members of a clinic."""


def at_work(user: User) -> Client:
    """As the session is after signing in, which test_team_pages.py goes through."""
    client = Client()
    client.force_login(user)
    return client
