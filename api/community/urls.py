"""The community's addresses."""

from django.urls import URLPattern, path

from api.community.entering import AcceptRules, ComeIn, GoOut, Join, Me, Rules

urlpatterns: list[URLPattern] = [
    path("house-rules", Rules.as_view()),
    path("house-rules/accept", AcceptRules.as_view()),
    path("join", Join.as_view()),
    path("enter", ComeIn.as_view()),
    path("go-out", GoOut.as_view()),
    path("me", Me.as_view()),
]
