"""The calculation of dates and of the steps of reminders. Pure: no Django, no database."""
