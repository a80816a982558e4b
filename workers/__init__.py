"""DOOR for the clock: the Celery app, the table of ticks, tasks of one call each."""
