"""The demo's check must be able to fail, and its made-up people must be what it says."""

import ast
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Clinic, Membership, Role
from dev import demo_people
from dev.comparison import judge, read, table
from dev.demo_processes import choose_port
from dev.expectation import Act, Due, Event, Expectation, Person, expect
from dev.folders import CHECKOUT
from dev.simulator_client import Text
from dev.stack import Trouble
from dev.story import ENDS, PEOPLE
from messaging.models import Sms
from reminders.models import Patient, Schedule
from reminders.planning import plan_doses
from tests.cast import make_clinic

NOW = datetime(2026, 11, 23, 16, 20, 41, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
BODIES = {
    "day": "Clinic: today, {day}, is your day. Questions? Call 1.",
    "next": "Clinic: {day} was your injection day. If it is not done, or you are not sure, call 1.",
    "overdue": "Clinic: {day} was your day. Please call us before you do anything: 1.",
    "changed": "Clinic: your plan has changed. New from {day}: every week. Questions? Call 1.",
    "resumed": "Clinic: your plan starts again. Next: {day}, then every week. Questions? Call 1.",
    "paused": "Clinic: your plan is paused, so no reminders for now. Questions? Call 1.",
    "stopped": "Clinic: your plan has ended, so reminders end too. Questions? Call 1.",
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


def test_what_is_checked_is_not_its_own_measure() -> None:
    for name in ("expectation", "comparison"):
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
    assert kinds == {"day", "next", "overdue", "changed", "paused", "resumed", "stopped"}
    assert {act for person in PEOPLE for act in (event.act for event in person.events)} == set(Act)
    days = {f"{text.at:%m-%d}" for text in texts if text.kind == "day"}
    assert {"10-25", "11-01", "03-14", "03-28"} <= days, "doses on the days of the clock changes"


# -- the people -------------------------------------------------------------------------------


def test_two_clinics_are_filled_once(db: None) -> None:
    assert demo_people.fill(NOW) == 200
    assert demo_people.fill(NOW) == 0
    assert Patient.objects.count() == 200
    assert Counter(Membership.objects.values_list("role", flat=True)) == dict.fromkeys(Role, 2)
    statuses = Counter(Schedule.objects.values_list("status", flat=True))
    assert set(statuses) == {"running", "paused", "stopped"}
    assert sum(statuses.values()) < 200, "some have not begun"
    for number in Patient.objects.values_list("number", flat=True):
        assert number.startswith("+447700900") or number[5:10] == "55501", number
    assert len(set(Patient.objects.values_list("language", flat=True))) == 6
    assert not Sms.objects.filter(state="queued").exists(), (
        "nobody is texted because of the filling"
    )


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clinics with ten patients each: quick to fill in."""
    places = tuple(replace(place, patients=10) for place in demo_people.PLACES)
    monkeypatch.setattr(demo_people, "PLACES", places)


def test_a_filling_that_was_cut_off_is_done_anew(
    db: None, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = demo_people.enrol, []

    def cut_off(*given: object) -> Patient:
        made.append(given)
        if len(made) > 15:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(demo_people, "enrol", cut_off)
    with pytest.raises(KeyboardInterrupt):
        demo_people.fill(NOW)
    assert not Clinic.objects.exists()
    monkeypatch.setattr(demo_people, "enrol", real)
    assert demo_people.fill(NOW) == 20


def test_some_texts_are_due_at_each_start_whatever_the_hour(db: None, few: None) -> None:
    demo_people.fill(NOW)
    for minutes in range(0, 24 * 60, 100):
        now = NOW + timedelta(minutes=minutes)
        fresh = demo_people.enrol_some_for_now(now)
        plan_doses(now)
        due = Sms.objects.filter(owner_id__in=[patient.id for patient in fresh])
        assert due.filter(available_at__lte=now, expires_at__gt=now).count() == 4
        assert all(time(8) <= patient.hour < time(20) for patient in fresh)


def test_catching_up_after_idle_weeks_is_quiet(db: None, few: None) -> None:
    demo_people.fill(NOW - timedelta(days=40))
    plan_doses(NOW)
    for sms in Sms.objects.exclude(state="cancelled"):
        assert sms.available_at == NOW < sms.expires_at <= NOW + timedelta(days=1), sms.dedup_key


def test_a_database_with_other_clinics_is_left_alone(db: None) -> None:
    demo_people.demand_ours()
    make_clinic("A real one")
    with pytest.raises(Trouble, match="that aren't the demo's"):
        demo_people.demand_ours()


# -- starting ---------------------------------------------------------------------------------


def test_a_taken_port_is_passed_over_unless_it_was_asked_for() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert taken < choose_port("PORT", taken, {}) <= taken + 100
        with pytest.raises(Trouble, match=f"Port {taken} can't be had"):
            choose_port("PORT", 8000, {"PORT": str(taken)})
    assert choose_port("PORT", 8000, {"PORT": str(taken)}) == taken
    with pytest.raises(Trouble, match="can't be had"):
        choose_port("SIM_PORT", 8001, {"SIM_PORT": str(taken)}, but=taken)
    for nonsense in ("http", "0", "65536", "-1"):
        with pytest.raises(Trouble, match="PORT is"):
            choose_port("PORT", 8000, {"PORT": nonsense})


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PORT": "99999"}, "PORT is '99999'"),
        ({"DOSECIRCLE_STATE": "/proc/nowhere"}, "can't be used"),
    ],
)
def test_trouble_is_one_line(environ: dict[str, str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dev.demo"],
        env={"PATH": "/usr/bin:/bin", **environ},
        cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_old_python_can_read_what_turns_it_away() -> None:
    source = Path(CHECKOUT / "dev/demo.py").read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(imports[0]) == "import dev.stack"
