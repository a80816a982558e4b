"""What became of each dose, laid beside what should have: differences, and a table by person."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dev.expectation import Expectation, Fate, Person

TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True)
class FatesJudgement:
    """counts: by person, how many doses had each fate; differences: a sentence each."""

    counts: Mapping[Person, Counter[Fate]]
    differences: Sequence[str]


def judge_fates(
    expected: Mapping[Person, Expectation],
    found: Mapping[Person, Sequence[tuple[date, Fate]]],
    last_day: date,
    unlisted: Sequence[str] = (),
) -> FatesJudgement:
    """Compare dose by dose. found: of each person, each dose's date and fate; unlisted: a sentence
    for each missed one that nobody of the care team was told of.

    Every dose that fell due has to be there once; one may be open only if its two days aren't over
    on the last day.
    """
    differences = [*unlisted]
    for person, wanted in expected.items():
        due = Counter(wanted.fates.items())
        had = Counter(found.get(person, ()))
        differences += [
            f"{person.name}'s dose of {_day(day)} should be: {fate}." for day, fate in due - had
        ]
        differences += [
            f"{person.name}'s dose of {_day(day)} is: {fate}." for day, fate in had - due
        ]
        differences += [
            f"{person.name}'s dose of {_day(day)} is open for more than two days."
            for day, fate in had
            if fate == Fate.OPEN and day < last_day - TWO_DAYS
        ]
    counts = {person: Counter(fate for _, fate in found.get(person, ())) for person in expected}
    return FatesJudgement(counts, differences)


def fates_table(judgement: FatesJudgement) -> str:
    """One row a person: how many doses fell due, and what became of them."""
    rows = [("Who", "Due", *(fate.value.capitalize() for fate in Fate))]
    rows += [_row(person.name, counts) for person, counts in judgement.counts.items()]
    rows.append(_row("All", sum(judgement.counts.values(), Counter())))
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * (width - 2) for width in widths))
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def _row(name: str, counts: Counter[Fate]) -> tuple[str, ...]:
    return (name, str(counts.total()), *(str(counts[fate]) for fate in Fate))


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%b %Y}"
