"""What each person of the story should get, worked out apart from the product: its dates by
dateutil's rrule, the rest by the plain rules below.

The product's own calculation is not imported here, for what is checked can't be its own measure.
The rules, as a care team knows them:

- On each date of the plan a text goes at the person's hour. Without an answer a second goes a day
  later, and a third, "call us", a day after that, if one of those went out: then it is missed.
- "Done" and "skip" are answered at once and end a dose's texts. "Later" brings one more on the same
  day, two hours on, if that is before nine in the evening. "Done" for a dose that was missed is
  asked back. A fever gets its safety text, and the dose's texts go on.
- A decision ends the follow-ups of an unanswered dose if the new plan begins less than six days
  after it, and the former plan's dates less than six days before the new one begins fall away. A
  pause or a stop ends all always.
- A decision is told at once between 8 and 21 o'clock, else at the person's hour on one of the next
  three days; if there is no room for that, a person of the team tells it.
- At most three texts in any seven days, 20 hours apart, answers not counted. Whoever comes later in
  this line leaves room for those before: dose, day after, decision, "call us".
- An hour that a clock change skips is the first minute after the gap, one that comes twice is the
  first of the two.
- Who has texted STOP gets nothing until START.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule
from dateutil.tz import datetime_exists

from dev.answering import Habit, Said, Word, first_words, habit, say

DAY = timedelta(days=1)
APART = timedelta(hours=20)
WINDOW = timedelta(days=3 + 7)
"""From a decision to the last date on which what goes before its telling may need the room."""
CLOSE_BEHIND = timedelta(days=6)
MORNING, EVENING, LAST_FULL_HOUR = time(8), time(21), time(20)
LATER = timedelta(hours=2)
FORTNIGHT = timedelta(weeks=2)


class Act(StrEnum):
    """What is decided about a plan, or said by the person."""

    START = "start"
    CHANGE = "change"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SAYS_STOP = "says STOP"
    SAYS_START = "says START"


class Fate(StrEnum):
    """What becomes of a dose that fell due. open: its two days aren't over at the end."""

    TAKEN = "taken"
    SKIPPED = "skipped"
    NO_ANSWER = "missed, no answer"
    NOT_ASKED = "missed, not asked"
    CANCELLED = "cancelled"
    OPEN = "open"


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
    """One person of the story, with what happens to their plan, in order.

    answers: whether they answer at all, as answering.py draws it. but: doses of which something
    else is told."""

    name: str
    number: str
    zone: ZoneInfo
    hour: time
    explicit: bool
    events: tuple[Event, ...]
    answers: bool = False
    but: tuple[tuple[date, Habit], ...] = ()


@dataclass(frozen=True)
class Due:
    """A text that should come. kind: day, next, overdue, how a decision is told, or an answer to
    what was said; names: the date that it speaks of."""

    kind: str
    at: datetime
    names: date | None


@dataclass(frozen=True)
class Expectation:
    """The texts that should come, in order, the kinds of those that there was no room for, what the
    person says, and what becomes of each dose that falls due."""

    texts: tuple[Due, ...]
    held_back: tuple[str, ...]
    said: tuple[Said, ...] = ()
    fates: Mapping[date, Fate] = field(default_factory=dict)


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
        today = [(instant(event.on, event.at, person.zone), event) for event in person.events
                 if event.on == day]  # fmt: skip
        before = [(when, event) for when, event in today if when < at]
        if not today:
            life.look_ahead(day)
        for when, event in before:
            life.listen(when)
            life.decide(event)
        life.listen(at)
        life.remind(day)
        for when, event in today[len(before) :]:
            life.listen(when)
            life.decide(event)
        day += DAY
    life.listen(end)
    texts = sorted(
        (text for text in (*life.texts, *life.replies) if text.at < end), key=lambda text: text.at
    )
    return Expectation(tuple(texts), tuple(life.held_back), tuple(life.said), life.fates)


@dataclass
class _Life:
    """A person's days. rules: the plan's rrules in order of decision, each with the date from which
    the former ones give nothing; unanswered: dates of doses whose follow-ups go on, with how many
    texts they got; replies: texts that were asked for, which no limit counts; to_say: what will be
    said, in order."""

    person: Person
    rules: list[tuple[rrule, date]] = field(default_factory=list)
    silenced: bool = False
    unanswered: dict[date, int] = field(default_factory=dict)
    texts: list[Due] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    replies: list[Due] = field(default_factory=list)
    to_say: list[Said] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    fates: dict[date, Fate] = field(default_factory=dict)
    taken_on: list[date] = field(default_factory=list)

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
            self._close()
        else:
            first = datetime.combine(event.first, time(), tzinfo=UTC)
            alone = max(event.on, event.first - CLOSE_BEHIND + DAY)
            rule = rrule(WEEKLY, interval=event.weeks, dtstart=first, cache=True)
            self.rules.append((rule, alone))
            if self.unanswered:
                last = max(self.unanswered)
                if last != event.first and event.first - last < CLOSE_BEHIND:
                    self._close()
        if event.act in TOLD_AS:
            # What was still to be told is out of date now.
            self.texts = [text for text in self.texts if text.at <= now]
            self._tell(event, now)

    def _close(self) -> None:
        """End all that is unanswered; who hears of that says nothing more about it."""
        for day in tuple(self.unanswered):
            self._end(day, Fate.CANCELLED)

    def _tell(self, event: Event, now: datetime) -> None:
        coming = []
        planned = self._following(max([event.on - DAY, *self.fates]))
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
        asked = self.unanswered.pop(day - 2 * DAY, None)
        if asked is not None:
            self.fates[day - 2 * DAY] = Fate.NO_ANSWER if asked else Fate.NOT_ASKED
        if asked:
            self._send("overdue", day, day - 2 * DAY, leaves_room_for=(0, 1))
        if day - DAY in self.unanswered:
            self._send("next", day, day - DAY, leaves_room_for=(0,))
        if self._following(day - DAY) == day and day not in self.fates:
            self.unanswered[day], self.fates[day] = 0, Fate.OPEN
            self._send("day", day, day, leaves_room_for=())
            if self.unanswered[day]:
                self._intend(day)

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

    # -- what the person says -----------------------------------------------------------------

    def look_ahead(self, day: date) -> None:
        """Before the day's text: who has injected already may say so."""
        if self._following(day - DAY) == day and self._habit(day) == Habit.AHEAD:
            self._intend(day)

    def listen(self, until: datetime) -> None:
        """All that is said before an instant, and what it brings."""
        while self.to_say and self.to_say[0].at < until:
            said = self.to_say.pop(0)
            if said.word != Word.AGAIN:
                self.said.append(said)
            self._hear(said)

    def _habit(self, day: date) -> Habit:
        if not self.person.answers or self.silenced:
            return Habit.NOTHING
        drawn = dict(self.person.but).get(day) or habit(self.person.name, day)
        following = self._following(day)
        if drawn == Habit.TOO_LATE and following and following - day < FORTNIGHT:
            # Two days late, the next one a week after would be five days away.
            return Habit.NEXT_DAY
        return drawn

    def _intend(self, day: date) -> None:
        name, at = self.person.name, self.at(day)
        for said in first_words(name, day, self._habit(day), at):
            if said.at > at or day not in self.fates:
                insort(self.to_say, said)

    def _hear(self, said: Said) -> None:
        day, at = said.about, said.at
        match said.word:
            case Word.DONE | Word.HEADACHE if self.fates.get(day) == Fate.NO_ANSWER:
                self._reply("which", at, day)
                self._then(Word.YES, day, at + timedelta(minutes=7))
            case Word.DONE | Word.HEADACHE | Word.YES:
                self._take(day, self.date_of(at - timedelta(minutes=7) * (said.word == Word.YES)))
                self._reply("taken", at, day)
                if said.word == Word.HEADACHE:
                    self._reply("effect", at)
            case Word.SKIP:
                self._end(day, Fate.SKIPPED)
                self._reply("skipped", at, day)
            case Word.FEVER:
                self._reply("safety", at)
            case Word.LATER:
                self._put_off(day, at)
            case Word.AGAIN:
                self._reply("later", at, day)

    def _put_off(self, day: date, at: datetime) -> None:
        """One text more today: from eight, or the person's own hour, to nine, or an hour after
        the person's own."""
        today, hour = self.date_of(at), self.person.hour
        again = max(at + LATER, instant(today, min(MORNING, hour), self.person.zone))
        evening = instant(today, EVENING, self.person.zone)
        if again >= max(evening, instant(today, hour, self.person.zone) + timedelta(hours=1)):
            self._reply("later_full", at)
            return
        self._reply("later_at", at)
        insort(self.to_say, Said(again, day, Word.AGAIN))
        if self._habit(day) == Habit.LATER:
            self._then(Word.DONE, day, again + timedelta(minutes=20))

    def _take(self, day: date, on: date) -> None:
        if any(abs(on - other) < CLOSE_BEHIND for other in self.taken_on):
            raise ValueError(f"{self.person.name}'s {on} is too near another: change the story.")
        self.taken_on.append(on)
        self._end(day, Fate.TAKEN)

    def _end(self, day: date, fate: Fate) -> None:
        self.fates[day] = fate
        self.unanswered.pop(day, None)
        self.to_say = [said for said in self.to_say if said.about != day]

    def _then(self, word: Word, day: date, at: datetime) -> None:
        insort(self.to_say, say(self.person.name, day, word, at))

    def _reply(self, kind: str, at: datetime, names: date | None = None) -> None:
        if self.silenced:
            raise ValueError(f"{self.person.name} writes after STOP: change the story.")
        self.replies.append(Due(kind, at, names))

    # -- the plan's dates ---------------------------------------------------------------------

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
