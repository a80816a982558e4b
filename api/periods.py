"""The period that a question is about."""

from datetime import date
from typing import Any

from accounts.refusals import Invalid
from api.fields import Day, Strict

USUAL, LONGEST = 365, 3660
"""Days: a year if nothing is said, ten years at most."""


class Period(Strict):
    """From one day to another, both in it."""

    def get_fields(self) -> dict[str, Any]:
        # Here, for `from` can't be an attribute's name.
        return {
            "from": Day(
                required=False, source="since", help_text="The first day; else a year's to `to`."
            ),
            "to": Day(required=False, source="until", help_text="The last day; else today."),
            **super().get_fields(),
        }


def bounds(query: dict[str, Any], today: date) -> tuple[date, date]:
    """First and last day of what a Period took in. Raises Invalid for one that can't be meant."""
    until: date = query.get("until", today)
    usual = date.fromordinal(max(1, until.toordinal() - USUAL + 1))
    since: date = query.get("since", usual)
    if not 0 <= (until - since).days < LONGEST:
        raise Invalid("period", "Choose a `from` that isn't after `to`, ten years at most.", "from")
    return since, until
