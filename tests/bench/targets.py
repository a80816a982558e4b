"""What was promised of speed, and what was measured: one line for each promise."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A figure with its bounds. less: the smaller the better. aim: None where there is none.
    how: what it was worked out from."""

    what: str
    unit: str
    found: float
    at_least: float
    aim: float | None = None
    less: bool = False
    how: str = ""

    @property
    def verdict(self) -> str:
        if not self._meets(self.at_least):
            return "MISSED"
        if self.aim is None or self._meets(self.aim):
            return "met"
        return "met, aim missed"

    def line(self) -> str:
        """Of the table."""
        bound = "<= " if self.less else ">= "
        aim = "" if self.aim is None else f"{self.aim:,g}"
        found = figure(self.found)
        return (
            f"{self.what:<58}{found:>10} {self.unit:<10}{bound + f'{self.at_least:,g}':>11}"
            f"{aim:>9}  {self.verdict:<16}{self.how}"
        )

    def _meets(self, bound: float) -> bool:
        return self.found <= bound if self.less else self.found >= bound


HEADING = f"{'':58}{'found':>10} {'':10}{'at least':>11}{'aim':>9}"


def figure(value: float) -> str:
    """Three digits that tell something."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f}"


def summary(targets: list[Target]) -> str:
    """Which are missed, plainly."""
    missed = [target.what for target in targets if target.verdict == "MISSED"]
    short = [target.what for target in targets if target.verdict == "met, aim missed"]
    return "\n".join(
        f"{name}: {'; '.join(those) if those else 'none'}."
        for name, those in (("Missed", missed), ("Aims missed", short))
    )
