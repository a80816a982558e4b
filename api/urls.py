"""Addresses of this door. Who may enter each is said by its view, and listed in the tests."""

from django.urls import URLPattern, URLResolver, include, path

from api.adherence import (
    ClinicAdherence,
    ClinicAdherenceFile,
    PatientAdherence,
    PatientAdherenceFile,
)
from api.attending import AddNote, Close, HandBack, Take
from api.blood import BloodResults, BloodTrend, CorrectResult, ImportResults, TakeBackResult
from api.clinics import PolicyDoor, Rota
from api.daily_counts import DailyCounts
from api.diary import SideEffects, SideEffectTrend
from api.document import Docs, Document
from api.doses import Doses
from api.experiences import Experiences
from api.health import Health
from api.imports import ConfirmImport, ImportProblems, Imports, OneImport
from api.injections import CorrectInjection, Injections, TakeBackInjection
from api.messages import Corrections, Messages
from api.own_pages import Invite, RevokeSignIn
from api.patients import ConfirmNumber, OnePatient, Patients, WithdrawConsent
from api.records import Answers, DoseHistory, RecordDose
from api.schedules import ChangeInterval, Pause, PreviewChange, Resume, Schedule, Stop
from api.sign_in import SignIn, SignOut, WhoAmI
from api.templates import PreviewTemplate, RetireTemplate, Templates
from api.texts import Texts
from api.transfers import Accept, Decline, OfferTransfer, Transfers, Withdraw
from api.webhooks import TwilioInbound, TwilioStatus
from api.work import Metrics, Work
from api.worklist import Counts, OneItem, Worklist

of_a_patient = [
    path("number/confirm", ConfirmNumber.as_view()),
    path("schedule", Schedule.as_view()),
    path("schedule/preview", PreviewChange.as_view()),
    path("schedule/change", ChangeInterval.as_view()),
    path("schedule/pause", Pause.as_view()),
    path("schedule/resume", Resume.as_view()),
    path("schedule/stop", Stop.as_view()),
    path("doses", Doses.as_view()),
    path("doses/history", DoseHistory.as_view()),
    path("doses/<uuid:dose_id>/record", RecordDose.as_view()),
    path("injections", Injections.as_view()),
    path("injections/<uuid:injection_id>/correct", CorrectInjection.as_view()),
    path("injections/<uuid:injection_id>/take-back", TakeBackInjection.as_view()),
    path("consent/withdraw", WithdrawConsent.as_view()),
    path("sign-in/invite", Invite.as_view()),
    path("sign-in/revoke", RevokeSignIn.as_view()),
    path("texts", Texts.as_view()),
    path("side-effects", SideEffects.as_view()),
    path("side-effects/trend", SideEffectTrend.as_view()),
    path("blood-results", BloodResults.as_view()),
    path("blood-results/trend", BloodTrend.as_view()),
    path("blood-results/<uuid:result_id>/correct", CorrectResult.as_view()),
    path("blood-results/<uuid:result_id>/take-back", TakeBackResult.as_view()),
    path("adherence", PatientAdherence.as_view()),
    path("adherence.csv", PatientAdherenceFile.as_view()),
    path("answers", Answers.as_view()),
    path("experiences", Experiences.as_view()),
    path("transfer", OfferTransfer.as_view()),
    path("messages", Messages.as_view()),
    path("corrections", Corrections.as_view()),
]

of_a_clinic = [
    path("policy", PolicyDoor.as_view()),
    path("rota", Rota.as_view()),
    path("imports", Imports.as_view()),
    path("templates", Templates.as_view()),
    path("templates/preview", PreviewTemplate.as_view()),
    path("templates/retire", RetireTemplate.as_view()),
    path("blood-results/import", ImportResults.as_view()),
    path("adherence", ClinicAdherence.as_view()),
    path("daily-counts", DailyCounts.as_view()),
    path("adherence.csv", ClinicAdherenceFile.as_view()),
]

of_an_item = [
    path("take", Take.as_view()),
    path("hand-back", HandBack.as_view()),
    path("notes", AddNote.as_view()),
    path("close", Close.as_view()),
]

first: list[URLPattern | URLResolver] = [
    path("sign-in", SignIn.as_view()),
    path("sign-out", SignOut.as_view()),
    path("me", WhoAmI.as_view()),
    path("patients", Patients.as_view()),
    path("patients/<uuid:patient_id>", OnePatient.as_view()),
    path("patients/<uuid:patient_id>/", include(of_a_patient)),
    path("clinics/<uuid:clinic_id>/", include(of_a_clinic)),
    path("community/", include("api.community.urls")),
    path("transfers", Transfers.as_view()),
    path("transfers/<uuid:transfer_id>/accept", Accept.as_view()),
    path("transfers/<uuid:transfer_id>/decline", Decline.as_view()),
    path("transfers/<uuid:transfer_id>/withdraw", Withdraw.as_view()),
    path("imports/<uuid:import_id>", OneImport.as_view()),
    path("imports/<uuid:import_id>/problems", ImportProblems.as_view()),
    path("imports/<uuid:import_id>/confirm", ConfirmImport.as_view()),
    path("worklist", Worklist.as_view()),
    path("worklist/counts", Counts.as_view()),
    path("worklist/<uuid:item_id>", OneItem.as_view()),
    path("worklist/<uuid:item_id>/", include(of_an_item)),
    path("twilio/status/<uuid:sms_id>/<int:attempt>", TwilioStatus.as_view()),
    path("twilio/inbound", TwilioInbound.as_view()),
]

urlpatterns = [
    path("api/v1/", include(first)),
    path("api/docs", Docs.as_view(), name="docs"),
    path("api/openapi.yaml", Document.as_view(), name="openapi"),
    path("health", Health.as_view(), name="health"),
    path("health/work", Work.as_view(), name="work"),
    path("metrics", Metrics.as_view(), name="metrics"),
]
