"""Addresses for people."""

from django.urls import path

from web.home import home
from web.turning_off import turn_off

urlpatterns = [
    path("", home, name="home"),
    path("community/off/<str:token>", turn_off, name="turn_off"),
]
