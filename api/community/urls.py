"""The community's addresses."""

from django.urls import URLPattern, URLResolver, include, path

from api.community.appointing import Appoint
from api.community.board import BoardDoor, FiguresDoor, KeepThread
from api.community.cases import (
    AddNote,
    CaseEvents,
    CaseReports,
    Claim,
    HandBack,
    HandOver,
    OneCase,
    Queue,
    SecondOpinion,
)
from api.community.deciding import Decide, DecideAppeal, WhatThereIs
from api.community.decisions import AppealAgainst, EnterToAppeal, MyDecision, MyDecisions
from api.community.entering import AcceptRules, ComeIn, GoOut, Join, Me, Rules
from api.community.members import (
    Bonds,
    Export,
    Leave,
    LiftBond,
    OneMember,
    Profile,
    Rename,
    SetBond,
)
from api.community.mine import DiscardDraft, Drafts, MyPost, MyPosts, ReplyDraft, ThreadDraft
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
from api.community.posting import Answer, AskForAPerson, Begin, Edit, Withdraw
from api.community.reacting import Follow, React
from api.community.reading import Feed, MarkRead, MemberTexts, OneThread, Search, Spaces
from api.community.reporting import MyReports, ReportMember, ReportPost
from api.community.rota import (
    AcknowledgeCrisis,
    AcknowledgeTest,
    EndDuty,
    ModeratorsRota,
    SendTest,
)
from api.community.rules import HouseRules, SwitchOff, SwitchOn, TryRule
from api.community.sharing import RevokeShare, SharePost, Shares

of_a_space = [
    path("threads", Begin.as_view()),
    path("draft", ThreadDraft.as_view()),
]
of_a_thread = [
    path("replies", Answer.as_view()),
    path("draft", ReplyDraft.as_view()),
    path("follow", Follow.as_view()),
    path("read", MarkRead.as_view()),
]
of_a_post = [
    path("withdraw", Withdraw.as_view()),
    path("ask-for-a-person", AskForAPerson.as_view()),
    path("reactions", React.as_view()),
    path("report", ReportPost.as_view()),
    path("share", SharePost.as_view()),
]
of_a_case = [
    path("events", CaseEvents.as_view()),
    path("reports", CaseReports.as_view()),
    path("claim", Claim.as_view()),
    path("hand-back", HandBack.as_view()),
    path("hand-over", HandOver.as_view()),
    path("second-opinion", SecondOpinion.as_view()),
    path("notes", AddNote.as_view()),
    path("decide", Decide.as_view()),
    path("decide-appeal", DecideAppeal.as_view()),
]
for_moderators: list[URLPattern | URLResolver] = [
    path("board", BoardDoor.as_view()),
    path("members/<uuid:member_id>/role", Appoint.as_view()),
    path("cases", Queue.as_view()),
    path("cases/<uuid:case_id>", OneCase.as_view()),
    path("cases/<uuid:case_id>/", include(of_a_case)),
    path("choices", WhatThereIs.as_view()),
    path("threads/<uuid:thread_id>", KeepThread.as_view()),
]
of_a_member = [
    path("texts", MemberTexts.as_view()),
    path("report", ReportMember.as_view()),
    path("bond", SetBond.as_view()),
    path("bond/lift", LiftBond.as_view()),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("house-rules", Rules.as_view()),
    path("house-rules/accept", AcceptRules.as_view()),
    path("join", Join.as_view()),
    path("enter", ComeIn.as_view()),
    path("go-out", GoOut.as_view()),
    path("me", Me.as_view()),
    path("me/profile", Profile.as_view()),
    path("me/pseudonym", Rename.as_view()),
    path("me/export", Export.as_view()),
    path("leave", Leave.as_view()),
    path("bonds", Bonds.as_view()),
    path("notices", Notices.as_view()),
    path("notices/unread", UnreadNotices.as_view()),
    path("notices/read", ReadNotices.as_view()),
    path("notices/kinds", NoticeKinds.as_view()),
    path("shares", Shares.as_view()),
    path("shares/<uuid:share_id>/revoke", RevokeShare.as_view()),
    path("contacts", MyContacts.as_view()),
    path("contacts/ask", AskToHear.as_view()),
    path("contacts/confirm", ConfirmContact.as_view()),
    path("contacts/turn-off", TurnOffContact.as_view()),
    path("my-posts", MyPosts.as_view()),
    path("my-posts/<uuid:post_id>", MyPost.as_view()),
    path("drafts", Drafts.as_view()),
    path("drafts/<uuid:draft_id>/discard", DiscardDraft.as_view()),
    path("spaces", Spaces.as_view()),
    path("spaces/<uuid:space_id>/", include(of_a_space)),
    path("threads", Feed.as_view()),
    path("threads/<uuid:thread_id>", OneThread.as_view()),
    path("threads/<uuid:thread_id>/", include(of_a_thread)),
    path("posts/<uuid:post_id>", Edit.as_view()),
    path("posts/<uuid:post_id>/", include(of_a_post)),
    path("search", Search.as_view()),
    path("members/<uuid:member_id>", OneMember.as_view()),
    path("members/<uuid:member_id>/", include(of_a_member)),
    path("reports", MyReports.as_view()),
    path("enter-to-appeal", EnterToAppeal.as_view()),
    path("decisions", MyDecisions.as_view()),
    path("decisions/<uuid:decision_id>", MyDecision.as_view()),
    path("decisions/<uuid:decision_id>/appeal", AppealAgainst.as_view()),
    path("figures", FiguresDoor.as_view()),
    path("moderation/", include(for_moderators)),
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
