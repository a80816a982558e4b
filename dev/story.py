"""The story that the demo's check plays: twelve people of one clinic, 26 weeks, two clock changes.

Monday 28 September 2026 to Sunday 28 March 2027: the clocks go back in London on 25 October and in
New York on 1 November, forward in New York on 14 March and in London on 28 March, and forward by
half an hour on Lord Howe Island on 4 October. The dates are fixed, and so is what each person says
to each text (answering.py), so that two runs can be laid side by side.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from dev.answering import Habit
from dev.expectation import Act, Event, Person

CLINIC = "Story Clinic"
DOMAIN = "story.example"
"""Of its staff's addresses."""
CLINIC_PHONE = "+442079460042"
BEGINS = datetime(2026, 9, 26, 12, tzinfo=UTC)
"""Everybody is enrolled at this instant."""
ENDS = datetime(2027, 3, 29, 0, tzinfo=UTC)
WEEKS = 26


def _start(weeks: int, first: date, on: date = date(2026, 9, 27)) -> Event:
    return Event(Act.START, on, time(12), weeks, first)


def _change(on: date, weeks: int, first: date, at: time = time(10)) -> Event:
    return Event(Act.CHANGE, on, at, weeks, first)


def _resume(on: date, weeks: int, first: date) -> Event:
    return Event(Act.RESUME, on, time(10), weeks, first)


def _people() -> list[Person]:
    london, new_york = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
    kolkata, lord_howe = ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")
    sao_paulo, apia = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Apia")

    def person(
        name: str,
        zone: ZoneInfo,
        hour: time,
        *events: Event,
        explicit: bool = False,
        but: tuple[tuple[date, Habit], ...] = (),
    ) -> Person:
        number = f"+447700900{len(people) + 101}"
        return Person(name, number, zone, hour, explicit, events, answers=True, but=but)

    people: list[Person] = []
    # Nothing happens but both clock changes.
    people.append(person("Ada", london, time(9), _start(1, date(2026, 9, 28)), explicit=True))
    # To two weeks, from a Friday on: the former plan's Tuesday of that week falls away. And back.
    people.append(
        person(
            "Ben", new_york, time(8),
            _start(1, date(2026, 9, 29)),
            _change(date(2026, 11, 25), 2, date(2026, 12, 4)),
            _change(date(2027, 2, 5), 1, date(2027, 2, 12)),
        )
    )  # fmt: skip
    # The first dose falls into a gap of half an hour; to every week, and back to three.
    people.append(
        person(
            "Chloe", lord_howe, time(2, 15),
            _start(3, date(2026, 10, 4)),
            _change(date(2026, 11, 3), 1, date(2026, 11, 15)),
            _change(date(2027, 1, 13), 3, date(2027, 1, 17)),
        )
    )  # fmt: skip
    # Paused the day after a dose, before its second text; the former plan's 23 December must not
    # come back with the new one.
    people.append(
        person(
            "Dev", kolkata, time(20, 30),
            _start(2, date(2026, 9, 30)),
            Event(Act.PAUSE, date(2026, 11, 12)),
            _resume(date(2026, 12, 14), 3, date(2026, 12, 28)),
            but=((date(2026, 11, 11), Habit.NOTHING),),
        )
    )  # fmt: skip
    # Decided before eight in the morning; and on the morning of a dose, from that dose on.
    people.append(
        person(
            "Elena", sao_paulo, time(7),
            _start(3, date(2026, 10, 2)),
            _change(date(2026, 11, 24), 2, date(2026, 12, 4), at=time(6, 30)),
            _change(date(2027, 1, 29), 1, date(2027, 1, 29), at=time(6)),
            explicit=True,
        )
    )  # fmt: skip
    # A day ahead of London. Decided on a dose's day, after its text.
    people.append(
        person(
            "Fetu", apia, time(9),
            _start(1, date(2026, 10, 1)),
            _change(date(2026, 10, 29), 3, date(2026, 11, 5), at=time(15)),
            _change(date(2027, 1, 18), 1, date(2027, 1, 28)),
        )
    )  # fmt: skip
    # Half past one on Sundays: comes twice on 25 October, and not at all on 28 March. "Later" on
    # the first of these is two hours later, whatever the clocks do.
    people.append(
        person(
            "Grace", london, time(1, 30), _start(1, date(2026, 10, 4)),
            but=((date(2026, 10, 25), Habit.LATER),),
        )
    )  # fmt: skip
    # The same in New York, where it comes twice on 1 November; a pause over the winter.
    people.append(
        person(
            "Hugo", new_york, time(1, 30),
            _start(1, date(2026, 10, 4)),
            Event(Act.PAUSE, date(2027, 1, 5), time(14)),
            _resume(date(2027, 2, 8), 2, date(2027, 2, 14)),
        )
    )  # fmt: skip
    # Weekly, two-weekly, three-weekly and back; the first change comes with an unanswered dose
    # behind it, whose follow-ups end.
    people.append(
        person(
            "Ines", london, time(18),
            _start(1, date(2026, 9, 28)),
            _change(date(2026, 11, 3), 2, date(2026, 11, 6)),
            _change(date(2026, 12, 29), 3, date(2027, 1, 1)),
            _change(date(2027, 2, 3), 1, date(2027, 2, 12)),
            but=((date(2026, 11, 2), Habit.NOTHING),),
        )
    )  # fmt: skip
    # Stops, and starts anew a month later.
    people.append(
        person(
            "Jonas", new_york, time(12),
            _start(1, date(2026, 9, 30)),
            Event(Act.STOP, date(2026, 12, 3), time(9)),
            _start(2, date(2027, 1, 6), on=date(2027, 1, 4)),
            but=((date(2026, 12, 2), Habit.NOTHING),),
        )
    )  # fmt: skip
    # Wants no texts for five weeks; the plan goes on meanwhile.
    people.append(
        person(
            "Kemi", london, time(9),
            _start(2, date(2026, 10, 1)),
            Event(Act.SAYS_STOP, date(2026, 11, 2), time(12)),
            Event(Act.SAYS_START, date(2026, 12, 7), time(12)),
        )
    )  # fmt: skip
    # Decided twice, the later decision beginning earlier; then paused for good.
    people.append(
        person(
            "Liam", kolkata, time(9),
            _start(1, date(2026, 10, 3)),
            _change(date(2027, 1, 11), 3, date(2027, 2, 6)),
            _change(date(2027, 1, 12), 2, date(2027, 1, 23)),
            Event(Act.PAUSE, date(2027, 2, 24)),
        )
    )  # fmt: skip
    return people


PEOPLE = _people()
