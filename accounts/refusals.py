"""The ways in which a verb says no. Doors turn each into an answer that says what to do."""

from typing import Any


class Refusal(Exception):
    """A verb's no: nothing was changed.

    code: a stable word for programs; message: what is wrong and what to do, for people;
    field: the input it is about, or "" for the whole; facts: what a person needs to go on.
    """

    def __init__(self, code: str, message: str, field: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.facts = facts


class Invalid(Refusal):
    """The input can't be meant: the caller has to change it."""


class Conflict(Refusal):
    """The input is sound, but not in the present state."""


class Stale(Refusal):
    """Decided on a state that is no longer the present one, which `facts` holds."""


class Forbidden(Refusal):
    """This person's role in this clinic doesn't allow it."""


class NotFound(Refusal):
    """There is none, or none that this person may know of."""

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"No such {what}, or none that you may see.")
