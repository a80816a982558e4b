"""The blood tests there are: codes, units, and what is too far off to be meant. Pure.

Tests, LOINC codes and units are those of FACTS (Blood counts). The ranges are ours. They are checks
against typing errors and mixed-up units, so wide that no real result should be outside, and they
say nothing about health: no result is judged, coloured or made into advice by this software.
"""

from dataclasses import dataclass
from decimal import Decimal

from accounts.refusals import Invalid
from reminders.models import BloodTest

PLACES = Decimal("0.001")
"""A result has at most three decimals."""


@dataclass(frozen=True)
class Unit:
    """One way to write a test's results. code: UCUM; least, most: the check, both allowed;
    per_shown: how many of it make one of the unit in which trends show the test."""

    code: str
    least: Decimal
    most: Decimal
    per_shown: int = 1


@dataclass(frozen=True)
class Kind:
    """A test: its LOINC code, and its units, of which trends show the first."""

    loinc: str
    units: tuple[Unit, ...]

    @property
    def shown_in(self) -> str:
        """The unit of its trend, UCUM."""
        return self.units[0].code


def _unit(code: str, least: str, most: str, per_shown: int = 1) -> Unit:
    return Unit(code, Decimal(least), Decimal(most), per_shown)


TESTS: dict[BloodTest, Kind] = {
    # 100 % are 1 L/L: a result in percent is kept as it was written, and divided by 100 in trends.
    BloodTest.HAEMATOCRIT: Kind(
        "4544-3", (_unit("L/L", "0.05", "0.85"), _unit("%", "5", "85", 100))
    ),
    BloodTest.HAEMOGLOBIN: Kind("718-7", (_unit("g/L", "20", "300"),)),
    BloodTest.PLATELETS: Kind("777-3", (_unit("10*9/L", "0", "9999"),)),
    BloodTest.WHITE_CELLS: Kind("6690-2", (_unit("10*9/L", "0", "999"),)),
    BloodTest.NEUTROPHILS: Kind("751-8", (_unit("10*9/L", "0", "500"),)),
    BloodTest.ALT: Kind("1742-6", (_unit("U/L", "0", "50000"),)),
}
BY_LOINC = {kind.loinc: test for test, kind in TESTS.items()}
UNITS = sorted({unit.code for kind in TESTS.values() for unit in kind.units})


def check(test: BloodTest, value: Decimal, unit: str) -> None:
    """Refuse, with Invalid, a unit that the test isn't written in, and a value that can't be meant
    in this unit."""
    known = {each.code: each for each in TESTS[test].units}
    if unit not in known:
        raise Invalid("unit", f"Write {test.label} in {' or '.join(known)}.", "unit")
    bounds = known[unit]
    if not (value.is_finite() and bounds.least <= value <= bounds.most):
        raise Invalid(
            "implausible",
            f"{test.label} in {unit} is a number from {bounds.least} to {bounds.most}: "
            "check the value and its unit.",
            "value",
        )
    if value != value.quantize(PLACES):
        raise Invalid("value", "Write it with three decimals at most.", "value")


def shown(test: BloodTest, value: Decimal, unit: str) -> Decimal:
    """A result in the unit of its trend."""
    per_shown = next(each.per_shown for each in TESTS[test].units if each.code == unit)
    return value / per_shown


def plain(value: Decimal) -> str:
    """A value without needless zeros, as people write it."""
    return f"{value.normalize():f}"
