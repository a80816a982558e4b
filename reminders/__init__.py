"""MEDICINE: patients, schedules, doses and the care team's worklist. No HTTP, no Celery."""
