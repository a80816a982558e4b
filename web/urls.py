"""Addresses for people."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from web.community.entering import join_community, open_community, open_to_appeal
from web.community.sharing import share
from web.diary import diary, write
from web.home import home
from web.past import past
from web.phone_sign_in import AskForCode, GiveCode, SignOut, second_proof
from web.record import record
from web.today import later, skip, today
from web.token import token
from web.turning_off import turn_off

urlpatterns = [
    path("", home, name="home"),
    # Names that start with account_ are those by which allauth knows its pages.
    path("sign-in", login_not_required(AskForCode.as_view()), name="account_login"),
    path("sign-in", login_not_required(AskForCode.as_view()), name="account_request_login_code"),
    path("sign-in/code", login_not_required(GiveCode.as_view()), name="account_confirm_login_code"),
    path("sign-in/welcome", second_proof, name="second_proof"),
    path("sign-out", login_not_required(SignOut.as_view()), name="account_logout"),
    path("community/off/<str:token>", turn_off, name="turn_off"),
    path("community", include("web.community.urls")),
    path("me/community", open_community, name="open_community"),
    path("me/community/join", join_community, name="join_community"),
    path("me/community/appeal", open_to_appeal, name="open_to_appeal"),
    path("me/community/share", share, name="share_with_team"),
    path("me", today, name="today"),
    path("me/days/<uuid:dose_id>", record, name="record"),
    path("me/days/<uuid:dose_id>/later", later, name="later"),
    path("me/days/<uuid:dose_id>/skip", skip, name="skip"),
    path("me/token", token, name="token"),
    path("me/past", past, name="past"),
    path("me/feel", diary, name="diary"),
    path("me/feel/new", write, name="feel"),
    path("me/feel/<uuid:entry_id>", write, name="feel_again"),
    path("", include("web.team.urls")),
]
