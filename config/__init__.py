"""Wiring: settings, URLs and the WSGI entry. Nobody imports it."""
