"""`python -m tests.faults.import_once`: works on all files of patients that wait, in a process of
its own, and prints the most memory that it ever held, in MB."""

import resource
import sys

import django

django.setup()

from reminders.patients.importing import take_imports  # noqa: E402 - Django has to be set up first
from tests.cast import NOW  # noqa: E402

while take_imports(NOW):
    pass
sys.stdout.write(f"held {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB\n")
