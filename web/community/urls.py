"""The addresses of the community's pages, below /community."""

from django.urls import path

from web.community.acting import bond, follow, hidden, react, report_person, report_text, reports
from web.community.deciding import decide, decide_on_appeal
from web.community.mine import ask_a_person, change, mine, my_one, take_away
from web.community.moderating import (
    acknowledge,
    all_events,
    all_reports,
    cases,
    hand_over,
    keep_thread,
    look_after,
    moderators_board,
    note,
    one_case,
)
from web.community.news import decision, decisions, figures, get_help, notices, turn_off_kind
from web.community.reading import feed, home, member, room, search, tagged, thread
from web.community.settings import change_name, channels, edit_profile, kinds, settings
from web.community.sharing import shares, take_back
from web.community.staying import export, leave_for_good, leave_for_now, rules
from web.community.writing import answer, begin, discard

urlpatterns = [
    path("", home, name="community"),
    path("/help", get_help, name="community_help"),
    path("/rules", rules, name="community_rules"),
    path("/go-out", leave_for_now, name="community_go_out"),
    path("/feeds/<str:kind>", feed, name="community_feed"),
    path("/tags/<str:tag>", tagged, name="community_tag"),
    path("/rooms/<uuid:space_id>", room, name="community_room"),
    path("/rooms/<uuid:space_id>/write", begin, name="community_begin"),
    path("/threads/<uuid:thread_id>", thread, name="community_thread"),
    path("/threads/<uuid:thread_id>/reply", answer, name="community_reply"),
    path("/threads/<uuid:thread_id>/follow", follow, name="community_follow"),
    path("/posts/<uuid:post_id>/react", react, name="community_react"),
    path("/posts/<uuid:post_id>/report", report_text, name="community_report"),
    path("/members/<uuid:member_id>", member, name="community_member"),
    path("/members/<uuid:member_id>/report", report_person, name="community_report_member"),
    path("/members/<uuid:member_id>/bond", bond, name="community_bond"),
    path("/search", search, name="community_search"),
    path("/mine", mine, name="community_mine"),
    path("/mine/<uuid:post_id>", my_one, name="community_my_post"),
    path("/mine/<uuid:post_id>/change", change, name="community_change"),
    path("/mine/<uuid:post_id>/take-away", take_away, name="community_take_away"),
    path("/mine/<uuid:post_id>/ask", ask_a_person, name="community_ask"),
    path("/shares", shares, name="community_shares"),
    path("/shares/<uuid:share_id>/take-back", take_back, name="community_take_back"),
    path("/drafts/<uuid:draft_id>/discard", discard, name="community_discard"),
    path("/notices", notices, name="community_notices"),
    path("/notices/fewer", turn_off_kind, name="community_fewer"),
    path("/reports", reports, name="community_reports"),
    path("/decisions", decisions, name="community_decisions"),
    path("/decisions/<uuid:decision_id>", decision, name="community_decision"),
    path("/figures", figures, name="community_figures"),
    path("/settings", settings, name="community_settings"),
    path("/settings/profile", edit_profile, name="community_profile"),
    path("/settings/name", change_name, name="community_name"),
    path("/settings/notices", kinds, name="community_kinds"),
    path("/settings/channels", channels, name="community_channels"),
    path("/settings/hidden", hidden, name="community_hidden"),
    path("/settings/export", export, name="community_export"),
    path("/settings/leave", leave_for_good, name="community_leave"),
    path("/moderation", cases, name="community_queue"),
    path("/moderation/board", moderators_board, name="community_board"),
    path("/moderation/threads/<uuid:thread_id>", keep_thread, name="community_keep_thread"),
    path("/moderation/cases/<uuid:case_id>", one_case, name="community_case"),
    path("/moderation/cases/<uuid:case_id>/acknowledge", acknowledge, name="community_have"),
    path("/moderation/cases/<uuid:case_id>/events", all_events, name="community_case_events"),
    path("/moderation/cases/<uuid:case_id>/reports", all_reports, name="community_case_reports"),
    path("/moderation/cases/<uuid:case_id>/hand-over", hand_over, name="community_hand_over"),
    path("/moderation/cases/<uuid:case_id>/notes", note, name="community_note"),
    path("/moderation/cases/<uuid:case_id>/decide", decide, name="community_decide"),
    path(
        "/moderation/cases/<uuid:case_id>/decide-appeal",
        decide_on_appeal,
        name="community_decide_appeal",
    ),
    path("/moderation/cases/<uuid:case_id>/<str:what>", look_after, name="community_look_after"),
]
