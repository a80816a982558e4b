"""The community's addresses."""

from django.urls import URLPattern, path

from api.community.entering import AcceptRules, ComeIn, GoOut, Join, Me, Rules
from api.community.notices import (
    AskToHear,
    ConfirmContact,
    MyContacts,
    NoticeKinds,
    Notices,
    ReadNotices,
    TurnOffContact,
    UnreadNotices,
)
from api.community.rota import (
    AcknowledgeCrisis,
    AcknowledgeTest,
    EndDuty,
    ModeratorsRota,
    SendTest,
)
from api.community.rules import HouseRules, SwitchOff, SwitchOn, TryRule

urlpatterns: list[URLPattern] = [
    path("house-rules", Rules.as_view()),
    path("house-rules/accept", AcceptRules.as_view()),
    path("join", Join.as_view()),
    path("enter", ComeIn.as_view()),
    path("go-out", GoOut.as_view()),
    path("me", Me.as_view()),
    path("notices", Notices.as_view()),
    path("notices/unread", UnreadNotices.as_view()),
    path("notices/read", ReadNotices.as_view()),
    path("notices/kinds", NoticeKinds.as_view()),
    path("contacts", MyContacts.as_view()),
    path("contacts/ask", AskToHear.as_view()),
    path("contacts/confirm", ConfirmContact.as_view()),
    path("contacts/turn-off", TurnOffContact.as_view()),
    path("moderation/rota", ModeratorsRota.as_view()),
    path("moderation/rota/<uuid:duty_id>/acknowledge", AcknowledgeTest.as_view()),
    path("moderation/rota/<uuid:duty_id>/test", SendTest.as_view()),
    path("moderation/rota/<uuid:duty_id>/end", EndDuty.as_view()),
    path("moderation/rules", HouseRules.as_view()),
    path("moderation/rules/<uuid:rule_id>/try", TryRule.as_view()),
    path("moderation/rules/<uuid:rule_id>/switch-on", SwitchOn.as_view()),
    path("moderation/rules/<uuid:rule_id>/switch-off", SwitchOff.as_view()),
    path("moderation/cases/<uuid:case_id>/acknowledge", AcknowledgeCrisis.as_view()),
]
