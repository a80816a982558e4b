"""Schedules: read whole, decided on by the care team, and told to the patient."""
