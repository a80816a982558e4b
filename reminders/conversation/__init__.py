"""Texts between a patient and us: what they write and what it does, and what they are sent."""
