"""What a patient's text says. Pure: it stores nothing, sends nothing and computes no dose date.

The words are data, one file for each language in words/, for translators and clinicians to read.
"""

from reminders.understanding.judging import understand
from reminders.understanding.meanings import Effect, Match, Meaning, Part, Sign, Understood, When

__all__ = ["Effect", "Match", "Meaning", "Part", "Sign", "Understood", "When", "understand"]
