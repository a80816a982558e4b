"""Addresses of the care team's pages."""

from django.urls import path

from web.team.changing import change, confirm
from web.team.conversation import conversation
from web.team.doses import doses, record
from web.team.enrolling import agree, enrol
from web.team.experiences import experiences
from web.team.feelings import entries
from web.team.inbox import inbox
from web.team.injections import injections, take_back
from web.team.items import close, hand_back, item, note, take
from web.team.patients import patient, patients
from web.team.reaching import correct, message, withdraw
from web.team.resting import pause, resume, stop
from web.team.results import result, results
from web.team.sign_in import choose_clinic, sign_in, sign_out
from web.team.starting import start
from web.team.worklist import worklist

urlpatterns = [
    path("team", worklist, name="team_worklist"),
    path("team/sign-in", sign_in, name="team_sign_in"),
    path("team/sign-out", sign_out, name="team_sign_out"),
    path("team/clinic", choose_clinic, name="team_clinic"),
    path("team/inbox", inbox, name="team_inbox"),
    path("team/items/<uuid:item_id>", item, name="team_item"),
    path("team/items/<uuid:item_id>/take", take, name="team_take"),
    path("team/items/<uuid:item_id>/hand-back", hand_back, name="team_hand_back"),
    path("team/items/<uuid:item_id>/notes", note, name="team_note"),
    path("team/items/<uuid:item_id>/close", close, name="team_close"),
    path("team/patients", patients, name="team_patients"),
    path("team/patients/enrol", enrol, name="team_enrol"),
    path("team/patients/<uuid:patient_id>", patient, name="team_patient"),
    path("team/patients/<uuid:patient_id>/start", start, name="team_start"),
    path("team/patients/<uuid:patient_id>/change", change, name="team_change"),
    path("team/patients/<uuid:patient_id>/change/confirm", confirm, name="team_confirm"),
    path("team/patients/<uuid:patient_id>/pause", pause, name="team_pause"),
    path("team/patients/<uuid:patient_id>/resume", resume, name="team_resume"),
    path("team/patients/<uuid:patient_id>/stop", stop, name="team_stop"),
    path("team/patients/<uuid:patient_id>/doses", doses, name="team_doses"),
    path("team/patients/<uuid:patient_id>/doses/<uuid:dose_id>", record, name="team_record"),
    path("team/patients/<uuid:patient_id>/facts", injections, name="team_injections"),
    path(
        "team/patients/<uuid:patient_id>/facts/<uuid:injection_id>/take-back",
        take_back,
        name="team_take_back",
    ),
    path("team/patients/<uuid:patient_id>/conversation", conversation, name="team_conversation"),
    path("team/patients/<uuid:patient_id>/diary", entries, name="team_diary"),
    path("team/patients/<uuid:patient_id>/experiences", experiences, name="team_experiences"),
    path("team/patients/<uuid:patient_id>/message", message, name="team_message"),
    path("team/patients/<uuid:patient_id>/corrections", correct, name="team_correct"),
    path("team/patients/<uuid:patient_id>/consent", withdraw, name="team_consent"),
    path("team/patients/<uuid:patient_id>/agree", agree, name="team_agree"),
    path("team/patients/<uuid:patient_id>/results", results, name="team_results"),
    path("team/patients/<uuid:patient_id>/results/<uuid:result_id>", result, name="team_result"),
]
