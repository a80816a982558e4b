"""Letting patients sign in, and shutting them out; and that they have no business at the API."""

import re

from django.test import Client
from django.urls import get_resolver

from reminders.models import PatientLogin
from tests.api.test_entrance import WHO_MAY_ENTER, routes


def test_a_patient_is_invited_and_shut_out(cast, ada, coordinator):
    invited = coordinator.ask("POST", f"{ada}/sign-in/invite", expect=201).body
    assert re.fullmatch("[0-9]{8}", invited["code"])
    assert (invited["patient"], invited["number"]) == (str(cast.ada.id), cast.ada.number)
    again = coordinator.ask("POST", f"{ada}/sign-in/invite", expect=201).body
    assert again["code"] != invited["code"]
    coordinator.ask("POST", f"{ada}/sign-in/revoke", expect=204)
    login = PatientLogin.objects.get()
    assert (login.welcome, login.welcome_until) == ("", None)


def test_a_patient_who_is_signed_in_gets_through_no_door_of_the_api(cast, ada, coordinator):
    coordinator.ask("POST", f"{ada}/sign-in/invite", expect=201)
    patient = Client()
    patient.force_login(PatientLogin.objects.get().user)
    assert patient.get("/me").status_code == 200
    for_tokens = ("SignedIn", "Staff")
    theirs = [path for path, _ in routes(get_resolver(), "/") if WHO_MAY_ENTER[path] in for_tokens]
    assert len(theirs) > 40
    for path in theirs:
        somewhere = re.sub("<uuid:patient_id>", str(cast.ada.id), path)
        somewhere = re.sub("<[^>]+>", str(cast.clinic.id), somewhere)
        for ask in (patient.get, patient.post, patient.put, patient.patch):
            assert ask(somewhere, content_type="application/json").status_code in (401, 405), path
