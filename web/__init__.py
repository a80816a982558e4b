"""DOOR for people: server-rendered pages."""
