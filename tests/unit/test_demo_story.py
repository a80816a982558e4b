"""The demo's check must be able to fail: its expectation, its comparisons."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from dev.answering import WORDS, Habit, Word
from dev.comparison import judge, read, table
from dev.expectation import Act, Due, Event, Expectation, Fate, Person, expect
from dev.fates import fates_table, judge_fates
from dev.folders import CHECKOUT
from dev.simulator_client import Text
from dev.story import ENDS, PEOPLE
from reminders.understanding import understand

LONDON = ZoneInfo("Europe/London")
BODIES = {
    "day": "Clinic: today, {day}, is your day. Questions? Call 1.",
    "next": "Clinic: {day} was your injection day. If it is not done, or you are not sure, call 1.",
    "overdue": "Clinic: {day} was your day. Please call us before you do anything: 1.",
    "changed": "Clinic: your plan has changed. New from {day}: every week. Questions? Call 1.",
    "resumed": "Clinic: your plan starts again. Next: {day}, then every week. Questions? Call 1.",
    "paused": "Clinic: your plan is paused, so no reminders for now. Questions? Call 1.",
    "stopped": "Clinic: your plan has ended, so reminders end too. Questions? Call 1.",
    "taken": "Clinic: thank you. {day} is marked as done. Not right? Call 1.",
    "skipped": "Clinic: {day} is marked as left out. Not right? Call 1.",
    "later_at": "Clinic: we will text you again today at 11:04. Questions? Call 1.",
    "later": "Clinic: you asked us to remind you of {day}. Reply 1 done, 3 skip.",
    "later_full": "Clinic: we can't text you again today. Not sure what to do? Call 1.",
    "which": "Clinic: is this about {day}? If so, reply 1. If not, call 1.",
    "effect": "Clinic: thank you for telling us. Your team will read it. Feeling worse? Call 1.",
    "safety": "Clinic: please call your team now about what you wrote: 1. Emergency: 999.",
}


def person(*events: Event, hour: time = time(9), zone: ZoneInfo = LONDON) -> Person:
    return Person("Ada", "+447700900101", zone, hour, False, events)


def start(first: date, weeks: int = 1) -> Event:
    return Event(Act.START, first - timedelta(days=1), time(12), weeks, first)


def local(someone: Person, until: datetime, kind: str = "") -> list[str]:
    texts = expect(someone, until).texts
    return [
        f"{text.kind} {text.at.astimezone(someone.zone):%d.%m. %H:%M %z}"
        for text in texts
        if kind in ("", text.kind)
    ]


# -- the expectation --------------------------------------------------------------------------


def test_an_unanswered_dose_has_three_texts() -> None:
    weekly = person(start(date(2026, 9, 28)))
    assert local(weekly, datetime(2026, 10, 5, 12, tzinfo=UTC)) == [
        "day 28.09. 09:00 +0100",
        "next 29.09. 09:00 +0100",
        "overdue 30.09. 09:00 +0100",
        "day 05.10. 09:00 +0100",
    ]


def test_an_hour_that_comes_twice_is_the_first_and_one_that_is_skipped_the_first_after() -> None:
    autumn = person(start(date(2026, 10, 25), 3), hour=time(1, 30))
    assert local(autumn, datetime(2026, 10, 26, tzinfo=UTC)) == ["day 25.10. 01:30 +0100"]
    spring = person(start(date(2027, 3, 28)), hour=time(1, 30))
    assert local(spring, datetime(2027, 3, 28, 12, tzinfo=UTC)) == ["day 28.03. 02:00 +0100"]


def test_a_decision_is_told_where_there_is_room_and_ends_follow_ups_that_are_too_near() -> None:
    changed = person(
        start(date(2026, 10, 1), 2),
        Event(Act.CHANGE, date(2026, 10, 9), time(10), 1, date(2026, 10, 15)),
        Event(Act.CHANGE, date(2026, 10, 22), time(10), 2, date(2026, 10, 26)),
    )
    assert local(changed, datetime(2026, 10, 29, tzinfo=UTC))[3:] == [
        "changed 09.10. 10:00 +0100",
        "day 15.10. 09:00 +0100",
        "next 16.10. 09:00 +0100",
        "overdue 17.10. 09:00 +0100",
        "day 22.10. 09:00 +0100",
        # 26 October is four days away: nothing more about the 22nd; and 22, 26, 27 leave no room
        # for a fourth text in seven days, neither of the decision nor of the 28th.
        "day 26.10. 09:00 +0000",
        "next 27.10. 09:00 +0000",
    ]
    assert expect(changed, datetime(2026, 10, 29, tzinfo=UTC)).held_back == (
        "changed",
        "overdue",
    )


def test_a_pause_ends_all_at_once_and_nothing_of_the_former_plan_comes_back() -> None:
    paused = person(
        start(date(2026, 10, 1), 2),
        Event(Act.PAUSE, date(2026, 10, 16), time(8)),
        Event(Act.RESUME, date(2026, 10, 27), time(10), 3, date(2026, 11, 10)),
    )
    # The former plan's 29 October lies between the decision and its beginning.
    assert local(paused, datetime(2026, 12, 2, tzinfo=UTC), "day") == [
        "day 01.10. 09:00 +0100",
        "day 15.10. 09:00 +0100",
        "day 10.11. 09:00 +0000",
        "day 01.12. 09:00 +0000",
    ]


def test_dates_just_before_a_new_plan_fall_away() -> None:
    changed = person(
        start(date(2026, 10, 6)),
        Event(Act.CHANGE, date(2026, 10, 15), time(10), 2, date(2026, 10, 23)),
    )
    # Tuesday the 20th lies three days before Friday the 23rd.
    assert local(changed, datetime(2026, 11, 7, tzinfo=UTC), "day") == [
        "day 06.10. 09:00 +0100",
        "day 13.10. 09:00 +0100",
        "day 23.10. 09:00 +0100",
        "day 06.11. 09:00 +0000",
    ]


MONDAY = date(2026, 9, 28)


def answering(habit: Habit, weeks: int = 1, hour: time = time(9)) -> Person:
    """Somebody who does just this about the dose of Monday, and nothing after it."""
    rest = tuple((MONDAY + timedelta(weeks=n), Habit.NOTHING) for n in range(1, 3))
    asked = person(start(MONDAY, weeks), hour=hour)
    return replace(asked, answers=True, but=((MONDAY, habit), *rest))


@pytest.mark.parametrize(
    ("habit", "kinds", "fate"),
    [
        (Habit.DONE, ["day", "taken"], Fate.TAKEN),
        (Habit.AHEAD, ["taken"], Fate.TAKEN),
        (Habit.NEXT_DAY, ["day", "next", "taken"], Fate.TAKEN),
        (Habit.SKIPS, ["day", "skipped"], Fate.SKIPPED),
        (Habit.HEADACHE, ["day", "taken", "effect"], Fate.TAKEN),
        (Habit.FEVER, ["day", "safety", "next", "taken"], Fate.TAKEN),
        (Habit.LATER, ["day", "later_at", "later", "taken"], Fate.TAKEN),
        (
            Habit.LATER_NEVER,
            ["day", "later_at", "later", "next", "overdue"],
            Fate.NO_ANSWER,
        ),
        (Habit.NOTHING, ["day", "next", "overdue"], Fate.NO_ANSWER),
    ],
)
def test_what_is_said_decides_which_texts_follow_and_what_becomes_of_the_dose(
    habit: Habit, kinds: list[str], fate: Fate
) -> None:
    wanted = expect(answering(habit), datetime(2026, 10, 4, tzinfo=UTC))
    assert [text.kind for text in wanted.texts] == kinds
    assert dict(wanted.fates) == {MONDAY: fate}


def test_done_after_two_days_is_asked_back_and_later_in_the_evening_is_too_late() -> None:
    end = datetime(2026, 10, 4, tzinfo=UTC)
    late = expect(answering(Habit.TOO_LATE, weeks=2), end)
    assert [text.kind for text in late.texts] == ["day", "next", "overdue", "which", "taken"]
    assert dict(late.fates) == {MONDAY: Fate.TAKEN}
    evening = expect(answering(Habit.LATER, hour=time(20, 30)), end)
    assert [text.kind for text in evening.texts][:2] == ["day", "later_full"]


def test_a_fate_that_is_not_as_expected_is_reported() -> None:
    ada = answering(Habit.DONE)
    expected = {ada: expect(ada, datetime(2026, 10, 4, tzinfo=UTC))}
    right = judge_fates(expected, {ada: [(MONDAY, Fate.TAKEN)]}, MONDAY)
    assert not right.differences
    assert re.search(r"\nAda +1 +1 +0 +0 +0 +0 +0\n", fates_table(right))
    for found, says in (
        ([], "Monday 28 Sep 2026 should be: taken."),
        ([(MONDAY, Fate.NO_ANSWER)], "Monday 28 Sep 2026 is: missed, no answer."),
        ([(MONDAY, Fate.TAKEN), (MONDAY, Fate.CANCELLED)], "is: cancelled."),
        ([(MONDAY, Fate.OPEN)], "is open for more than two days."),
    ):
        judgement = judge_fates(expected, {ada: found}, MONDAY + timedelta(days=3))
        assert says in " ".join(judgement.differences)


@pytest.mark.parametrize("word", WORDS)
def test_the_story_s_words_mean_what_their_writers_mean(word: Word) -> None:
    meant: dict[Word, tuple[set[str], set[str]]] = {
        Word.DONE: ({"taken"}, set()),
        Word.YES: ({"taken"}, set()),
        Word.LATER: ({"later"}, set()),
        Word.SKIP: ({"skip"}, set()),
        Word.HEADACHE: ({"taken", "side_effect"}, set()),
        Word.FEVER: ({"side_effect"}, {"fever"}),
    }
    for body in WORDS[word]:
        said = understand(body, "en", digits=True)
        assert (set(said.meanings), set(said.urgent)) == meant[word], body


def test_what_is_checked_is_not_its_own_measure() -> None:
    for name in ("expectation", "comparison", "answering", "fates"):
        tree = ast.parse((CHECKOUT / f"dev/{name}.py").read_text())
        imported = {
            *(node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)),
            *(a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names),
        }
        ours = {module for module in imported if module.split(".")[0] != "dev"}
        assert not {m for m in ours if m.split(".")[0] in ("accounts", "messaging", "reminders")}


# -- the comparison ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected() -> Mapping[Person, Expectation]:
    return {person: expect(person, ENDS) for person in PEOPLE}


def received(expected: Mapping[Person, Expectation]) -> list[Text]:
    """What the simulator would show after a story without fault."""
    dues = sorted(
        ((due, person) for person, wanted in expected.items() for due in wanted.texts),
        key=lambda pair: pair[0].at,
    )
    return [as_received(due, person, seq) for seq, (due, person) in enumerate(dues)]


def as_received(due: Due, person: Person, seq: int) -> Text:
    day = f"{due.names:%A} {due.names.day} {due.names:%B}" if due.names else ""
    return Text(
        seq=seq, id=str(uuid4()), attempt=1, sid=f"SM{seq:032}", account_sid="AC",
        direction="outbound-api", to=person.number, sender="+15005550006",
        body=BODIES[due.kind].format(day=day), segments=1, status="delivered", error_code=None,
        at=due.at.isoformat(), sent_at=due.at.isoformat(), real_at=due.at.isoformat(),
        validity_seconds=1,
    )  # fmt: skip


def later(text: Text, **by: int) -> str:
    return (datetime.fromisoformat(text["at"]) + timedelta(**by)).isoformat()


def remove(texts: list[Text]) -> None:
    del texts[100]


def double(texts: list[Text]) -> None:
    texts.append({**texts[100], "sid": "SMother", "seq": 9999})


def double_under_another_id(texts: list[Text]) -> None:
    texts.append({**texts[100], "sid": "SMother", "seq": 9999, "id": str(uuid4())})


def an_hour_late(texts: list[Text]) -> None:
    texts[100]["at"] = later(texts[100], hours=1)


def a_day_early(texts: list[Text]) -> None:
    texts[100]["at"] = later(texts[100], days=-1)


def another_day_named(texts: list[Text]) -> None:
    dose = next(text for text in texts if read(text)[0] == "day")
    dose["body"] = BODIES["day"].format(day="Friday 13 November")


def to_a_stranger(texts: list[Text]) -> None:
    texts[100]["to"] = "+447700900999"


def never_delivered(texts: list[Text]) -> None:
    texts[100]["status"] = "undelivered"


def of_another_kind(texts: list[Text]) -> None:
    texts[100]["body"] = "Clinic: hello."


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (remove, "missing: "),
        (double, "was taken 2 times"),
        (double_under_another_id, "twice: "),
        (an_hour_late, "1 h 0 min late"),
        (a_day_early, "24 h 0 min early"),
        (another_day_named, "not expected: "),
        (to_a_stranger, "belongs to nobody in the story"),
        (never_delivered, "not delivered (undelivered)"),
        (of_another_kind, "not expected: "),
    ],
)
def test_a_fault_in_what_was_received_is_reported(
    expected: Mapping[Person, Expectation], tamper: Callable[[list[Text]], None], says: str
) -> None:
    texts = received(expected)
    whole = judge(expected, texts)
    assert whole.right, table(whole)
    tampered = deepcopy(texts)
    tamper(tampered)
    judgement = judge(expected, tampered)
    assert not judgement.right
    assert says in table(judgement) + "\n".join(judgement.beyond)


def test_the_story_covers_what_it_is_to_show(expected: Mapping[Person, Expectation]) -> None:
    texts = [text for wanted in expected.values() for text in wanted.texts]
    kinds = {text.kind for text in texts}
    assert kinds == set(BODIES)
    fates = Counter(fate for wanted in expected.values() for fate in wanted.fates.values())
    assert set(fates) >= set(Fate) - {Fate.OPEN}
    assert fates[Fate.TAKEN] > fates.total() / 2
    assert {act for person in PEOPLE for act in (event.act for event in person.events)} == set(Act)
    days = {f"{text.at:%m-%d}" for text in texts if text.kind == "day"}
    assert {"10-25", "11-01", "03-14", "03-28"} <= days, "doses on the days of the clock changes"
