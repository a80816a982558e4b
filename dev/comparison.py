"""What the simulator received, laid beside what was expected: differences, and a table of them."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from textwrap import wrap

from dev.expectation import Act, Due, Expectation, Person
from dev.simulator_client import Text

# By the words that a person reads, so that the kind isn't taken on the product's word.
PHRASES = {
    "day": r"today, (?P<day>[^,]+), is your (injection )?day\.",
    "next": r": (?P<day>[^:]+) was your (injection )?day\. If it is not done",
    "overdue": r": (?P<day>[^:]+) was your (injection )?day\. Please call us before",
    "changed": r"plan has changed\. New from (?P<day>[^:]+): every",
    "resumed": r"starts? again\. Next: (?P<day>[^,]+), then every",
    "paused": r"(is|are) paused(?P<day>)",
    "stopped": r"plan has ended(?P<day>)",
    "taken": r": thank you\. (?P<day>[^.]+) is marked as done\.",
    "skipped": r": (?P<day>[^:.]+) is marked as left out\.",
    "later_at": r"we will text you again today at(?P<day>)",
    "later": r"you asked us to remind you of (your injection of )?(?P<day>[^.]+)\. Reply",
    "later_full": r"we can't text you again today(?P<day>)",
    "which": r"is this about (?P<day>[^?]+)\? If so, reply 1",
    "effect": r"thank you for telling us\. Your team(?P<day>)",
    "safety": r"please call your team now about what you wrote(?P<day>)",
}


@dataclass
class Verdict:
    """One person's comparison. received counts texts; each difference is a sentence."""

    person: Person
    expected: int
    received: int
    missing: int = 0
    twice: int = 0
    wrong: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass
class Judgement:
    """All verdicts, and what is wrong beyond any one person."""

    verdicts: list[Verdict]
    beyond: list[str]

    @property
    def right(self) -> bool:
        return not self.beyond and not any(verdict.differences for verdict in self.verdicts)


def judge(expected: Mapping[Person, Expectation], received: Sequence[Text]) -> Judgement:
    """Compare, person by person, every text that the simulator took."""
    of_number: defaultdict[str, list[Text]] = defaultdict(list)
    for text in received:
        of_number[text["to"]].append(text)
    verdicts = [
        _judge_one(person, wanted.texts, of_number.pop(person.number, []))
        for person, wanted in expected.items()
    ]
    beyond = [
        f"{number} belongs to nobody in the story, and got {len(texts)} text(s)."
        for number, texts in of_number.items()
    ]
    # By our own ids, whatever was in the texts: one row of the outbox, one message.
    for our_id, count in Counter(text["id"] for text in received).items():
        if our_id is None:
            beyond.append(f"{count} text(s) came without an id of ours.")
        elif count > 1:
            beyond.append(f"Our text {our_id} was taken {count} times.")
    return Judgement(verdicts, beyond)


def read(text: Text) -> tuple[str, str]:
    """A text's kind and the day that it names, as the person who gets it reads them."""
    found = [
        (kind, match["day"])
        for kind, words in PHRASES.items()
        if (match := re.search(words, text["body"]))
    ]
    return found[0] if len(found) == 1 else ("unreadable", "")


def _judge_one(person: Person, wanted: Sequence[Due], received: Sequence[Text]) -> Verdict:
    verdict = Verdict(person, expected=len(wanted), received=len(received))
    open_: defaultdict[tuple[str, str], list[Text]] = defaultdict(list)
    for text in sorted(received, key=lambda text: text["seq"]):
        open_[read(text)].append(text)
    for due in wanted:
        same = open_[due.kind, _spoken(due.names)]
        if not same:
            verdict.missing += 1
            verdict.differences.append(f"missing: {_words(due, person)}")
            continue
        text = same.pop(0)
        late = datetime.fromisoformat(text["at"]) - due.at
        if late:
            verdict.wrong += 1
            verdict.differences.append(
                f"at the wrong time: {_words(due, person)}, {_span(late)} at {_when(text, person)}"
            )
        elif text["status"] != "delivered":
            verdict.wrong += 1
            verdict.differences.append(f"not delivered ({text['status']}): {_words(due, person)}")
    had = {(due.kind, _spoken(due.names)) for due in wanted}
    for names, rest in open_.items():
        for text in rest:
            if names in had:
                verdict.twice += 1
                what = "twice"
            else:
                verdict.wrong += 1
                what = "not expected"
            verdict.differences.append(f"{what}: {_when(text, person)} {text['body']!r}")
    return verdict


def _spoken(day: date | None) -> str:
    return f"{day:%A} {day.day} {day:%B}" if day else ""


def _words(due: Due, person: Person) -> str:
    at = due.at.astimezone(person.zone)
    about = f" ({_spoken(due.names)})" if due.names else ""
    return f"{due.kind!r}{about} due {at:%a} {at.day} {at:%b %Y %H:%M}"


def _when(text: Text, person: Person) -> str:
    at = datetime.fromisoformat(text["at"]).astimezone(person.zone)
    return f"{at:%a} {at.day} {at:%b %Y %H:%M}"


def _span(late: timedelta) -> str:
    minutes = abs(late) // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60} min {'late' if late > timedelta() else 'early'}"


# -- the table --------------------------------------------------------------------------------

_WIDTHS = (7, 20, 6, 43, 9, 9, 7, 6, 5)
_HEADS = ("Who", "Zone", "Hour", "What happened to the plan", "Expected", "Received",
          "Missing", "Twice", "Wrong")  # fmt: skip


def table(judgement: Judgement) -> str:
    """One row a person, and under it the differences, if there are any."""
    lines = [_row(_HEADS), _row(tuple("-" * (width - 1) for width in _WIDTHS))]
    for verdict in judgement.verdicts:
        person = verdict.person
        story = wrap("; ".join(_happened(person)), _WIDTHS[3] - 1)
        figures = (verdict.expected, verdict.received, verdict.missing, verdict.twice,
                   verdict.wrong)  # fmt: skip
        who = (person.name, person.zone.key, f"{person.hour:%H:%M}", story[0])
        lines.append(_row((*who, *map(str, figures))))
        lines += [_row(("", "", "", rest)) for rest in story[1:]]
        lines += [f"    {difference}" for difference in verdict.differences]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    texts = [
        cell.rjust(width - 1) + " " if index > 3 else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=False))
    ]
    return "".join(texts).rstrip()


def _happened(person: Person) -> list[str]:
    def short(day: date) -> str:
        return f"{day.day} {day:%b}"

    found = []
    for event in person.events:
        every = "weekly" if event.weeks == 1 else f"every {event.weeks} weeks"
        match event.act:
            case Act.START | Act.CHANGE:
                found.append(f"{every} from {short(event.first)}")
            case Act.RESUME:
                found.append(f"again, {every} from {short(event.first)}")
            case Act.PAUSE:
                found.append(f"paused {short(event.on)}")
            case Act.STOP:
                found.append(f"stopped {short(event.on)}")
            case _:
                found.append(f"{event.act} {short(event.on)}")
    return found
