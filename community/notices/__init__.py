"""Telling members, in the app and elsewhere, only what they can see at that moment."""
