"""What each person of the story should get, worked out apart from the product: its dates by
dateutil's rrule, the rest by the plain rules below.

The product's own calculation is not imported here, for what is checked can't be its own measure.
The rules, as a care team knows them:

- On each date of the plan a text goes at the person's hour. Nobody in the story answers, so a
  second goes a day later, and a third, "call us", a day after that, if one of those went out.
- A decision ends the follow-ups of an unanswered dose if the new plan begins less than six days
  after it, and the former plan's dates less than six days before the new one begins fall away. A
  pause or a stop ends all always.
- A decision is told at once between 8 and 21 o'clock, else at the person's hour on one of the next
  three days; if there is no room for that, a person of the team tells it.
- At most three texts in any seven days, 20 hours apart. Whoever comes later in this line leaves
  room for those before: dose, day after, decision, "call us".
- An hour that a clock change skips is the first minute after the gap, one that comes twice is the
  first of the two.
- Who has texted STOP gets nothing until START.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule
from dateutil.tz import datetime_exists

DAY = timedelta(days=1)
APART = timedelta(hours=20)
WINDOW = timedelta(days=3 + 7)
"""From a decision to the last date on which what goes before its telling may need the room."""
CLOSE_BEHIND = timedelta(days=6)
MORNING, EVENING, LAST_FULL_HOUR = time(8), time(21), time(20)


class Act(StrEnum):
    """What is decided about a plan, or said by the person."""

    START = "start"
    CHANGE = "change"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SAYS_STOP = "says STOP"
    SAYS_START = "says START"


TOLD_AS = {
    Act.CHANGE: "changed",
    Act.PAUSE: "paused",
    Act.RESUME: "resumed",
    Act.STOP: "stopped",
}
"""The kind of the text by which a decision is told. A start is told face to face."""


@dataclass(frozen=True)
class Event:
    """One decision, on the wall clock where the person is. weeks, first: of the new plan."""

    act: Act
    on: date
    at: time = time(10)
    weeks: int = 0
    first: date = date.max


@dataclass(frozen=True)
class Person:
    """One person of the story, with what happens to their plan, in order."""

    name: str
    number: str
    zone: ZoneInfo
    hour: time
    explicit: bool
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Due:
    """A text that should come. kind: day, next, overdue, or how a decision is told; names: the date
    that it speaks of."""

    kind: str
    at: datetime
    names: date | None


@dataclass(frozen=True)
class Expectation:
    """The texts that should come, in order, and the kinds of those that there was no room for."""

    texts: tuple[Due, ...]
    held_back: tuple[str, ...]


def instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall time, gap and repetition as the rules say."""
    wall = datetime.combine(day, hour, tzinfo=zone)
    while not datetime_exists(wall):
        wall += timedelta(minutes=1)
    return wall.astimezone(UTC)


def expect(person: Person, end: datetime) -> Expectation:
    """What a person should get until an instant."""
    life = _Life(person)
    day = person.events[0].on
    while (at := life.at(day)) < end:
        today = [event for event in person.events if event.on == day]
        before = [event for event in today if instant(day, event.at, person.zone) < at]
        for event in before:
            life.decide(event)
        life.remind(day)
        for event in today:
            if event not in before:
                life.decide(event)
        day += DAY
    texts = sorted((text for text in life.texts if text.at < end), key=lambda text: text.at)
    return Expectation(tuple(texts), tuple(life.held_back))


@dataclass
class _Life:
    """A person's days. rules: the plan's rrules in order of decision, each with the date from which
    the former ones give nothing; unanswered: dates of doses whose follow-ups go on, with how many
    texts they got."""

    person: Person
    rules: list[tuple[rrule, date]] = field(default_factory=list)
    silenced: bool = False
    unanswered: dict[date, int] = field(default_factory=dict)
    texts: list[Due] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)

    def at(self, day: date) -> datetime:
        """The person's hour on a day."""
        return instant(day, self.person.hour, self.person.zone)

    def date_of(self, at: datetime) -> date:
        """The date there at an instant."""
        return at.astimezone(self.person.zone).date()

    # -- decisions ----------------------------------------------------------------------------

    def decide(self, event: Event) -> None:
        """What one event makes of the plan, and whether and when it is told."""
        if event.act in (Act.SAYS_STOP, Act.SAYS_START):
            self.silenced = event.act == Act.SAYS_STOP
            return
        now = instant(event.on, event.at, self.person.zone)
        if event.act in (Act.PAUSE, Act.STOP):
            self.rules.clear()
            self.unanswered.clear()
        else:
            first = datetime.combine(event.first, time(), tzinfo=UTC)
            alone = max(event.on, event.first - CLOSE_BEHIND + DAY)
            rule = rrule(WEEKLY, interval=event.weeks, dtstart=first, cache=True)
            self.rules.append((rule, alone))
            if self.unanswered:
                last = max(self.unanswered)
                if last != event.first and event.first - last < CLOSE_BEHIND:
                    self.unanswered.clear()
        if event.act in TOLD_AS:
            # What was still to be told is out of date now.
            self.texts = [text for text in self.texts if text.at <= now]
            self._tell(event, now)

    def _tell(self, event: Event, now: datetime) -> None:
        coming = []
        planned = self._following(max([event.on - DAY, *self.unanswered]))
        while planned is not None and planned < event.on + WINDOW:
            coming += [self.at(planned), self.at(planned + DAY)]
            planned = self._following(planned)
        coming += [self.at(asked + DAY) for asked in self.unanswered if self.at(asked + DAY) > now]
        polite = min(max(self.person.hour, MORNING), LAST_FULL_HOUR)
        choices = [now] + [instant(event.on + DAY * n, polite, self.person.zone) for n in range(4)]
        kind = TOLD_AS[event.act]
        for at in choices:
            wall = at.astimezone(self.person.zone).time()
            others = [*(text.at for text in self.texts), *coming]
            if (
                at >= now
                and MORNING <= wall < EVENING
                and _apart(at, others)
                and _room(self.date_of(at), [self.date_of(other) for other in others])
            ):
                if not self.silenced:
                    names = event.first if event.act in (Act.CHANGE, Act.RESUME) else None
                    self.texts.append(Due(kind, at, names))
                return
        self.held_back.append(kind)

    # -- the plan's days ----------------------------------------------------------------------

    def remind(self, day: date) -> None:
        """What falls on one day at the person's hour."""
        asked = self.unanswered.pop(day - 2 * DAY, 0)
        if asked:
            self._send("overdue", day, day - 2 * DAY, leaves_room_for=(0, 1))
        if day - DAY in self.unanswered:
            self._send("next", day, day - DAY, leaves_room_for=(0,))
        if self._following(day - DAY) == day:
            self.unanswered[day] = 0
            self._send("day", day, day, leaves_room_for=())

    def _send(self, kind: str, day: date, names: date, leaves_room_for: Sequence[int]) -> None:
        at = self.at(day)
        planned = self._following(day) or date.max
        others = [self.date_of(text.at) for text in self.texts]
        others += [planned + DAY * n for n in leaves_room_for if planned < date.max]
        if self.silenced:
            return
        if not _room(day, others) or not self._apart_today(at):
            self.held_back.append(kind)
            return
        self.texts.append(Due(kind, at, names))
        if names in self.unanswered:
            self.unanswered[names] += 1

    def _apart_today(self, at: datetime) -> bool:
        """Whether a text may go at the person's hour. A story in which it would go later that day
        has no clear expectation, so it is refused."""
        others = [text.at for text in self.texts]
        if _apart(at, others):
            return True
        evening = instant(self.date_of(at), EVENING, self.person.zone)
        if max(others) + APART < evening:
            raise ValueError(f"{self.person.name}'s text of {at} would wait: change the story.")
        return False

    def _following(self, day: date) -> date | None:
        """The plan's next date after a day: each rule holds until a later one holds alone."""
        after = datetime.combine(day, time.max, tzinfo=UTC)
        found = []
        for number, (rule, _) in enumerate(self.rules):
            ends = min((alone for _, alone in self.rules[number + 1 :]), default=date.max)
            next_ = rule.after(after)
            if next_ is not None and next_.date() < ends:
                found.append(next_.date())
        return min(found, default=None)


def _apart(at: datetime, others: Sequence[datetime]) -> bool:
    return all(abs(at - other) >= APART for other in others)


def _room(day: date, others: Sequence[date]) -> bool:
    """Whether no seven days around a day would hold more than three texts."""
    return all(
        sum(first <= other < first + 7 * DAY for other in [*others, day]) <= 3
        for first in (day - DAY * n for n in range(7))
    )
