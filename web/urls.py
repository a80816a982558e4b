"""Addresses for people."""

from django.urls import path

from web.home import home

urlpatterns = [path("", home, name="home")]
