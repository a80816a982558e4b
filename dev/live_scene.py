"""The check's live half: real web, worker and beat processes, moved only by the API and by a
phone's answer. What falls due does so by the real clock.
"""

import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import requests
from dateutil.rrule import WEEKLY, rrule

from dev.api_client import ApiClient, Refused, SentText
from dev.demo_processes import Household
from dev.environment import ROUTINE_NUMBER
from dev.simulator_client import Text
from dev.waiting import until

HEAD_START = timedelta(seconds=8)
LATEST = timedelta(seconds=25)
"""How late a text may be: a tick of planning (10 s), one of sending (2 s), and a busy machine."""

PROMISED = 2.0
"""Seconds from an answer to what it does, at most: a tick of hearing (1 s), and the work. A page or
a reply takes a tick of sending (2 s) more, and is measured by LATEST."""

# Somewhere it is always between eight in the morning and six in the evening: "later" is today.
ZONES = ("Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Kolkata",
         "Australia/Lord_Howe", "Pacific/Auckland")  # fmt: skip
NUMBERS = {"reminded": "+447700900011", "changed": "+447700900012", "silent": "+447700900013",
           "busy": "+447700900014", "feverish": "+447700900015"}  # fmt: skip
ON_DUTY = "+447700900091"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: a sentence of what has to be; what was wrong, if anything."""

    what: str
    wrong: str = ""


class LiveScene:
    """Begun before the story and ended after it, so that waiting for the due minute costs nothing.

    findings: what was looked at so far.
    """

    def __init__(self, house: Household, email: str, password: str) -> None:
        self.findings: list[Finding] = []
        self._house = house
        self._api = ApiClient(house.web_url, email, password)
        self._zone = _where_it_is_day(datetime.now(UTC))
        self._due_at = _whole_minute(datetime.now(UTC) + HEAD_START)
        self._changed_at = self._due_at
        self._patients: dict[str, str] = {}

    def begin(self) -> None:
        """Enrol five people and act; what falls due does so up to a minute later."""
        self._guard(self._begin)

    def end(self) -> None:
        """Wait for what fell due, and look at what became of it."""
        self._guard(self._end)

    def _guard(self, part: Callable[[], None]) -> None:
        """An answer that nobody expects is a finding as well, and the story goes on."""
        try:
            part()
        except (Refused, requests.RequestException, KeyError, TimeoutError) as error:
            self._find("The API answers as its document says.", f"{error!r}")

    def _begin(self) -> None:
        hour = self._due_at.astimezone(self._zone).time()
        today = self._due_at.astimezone(self._zone).date()
        # First the phone that wants no texts: its word has to hold when its hour comes.
        self._patients["silent"] = self._enrol("silent", hour)
        self._house.simulator.answer(NUMBERS["silent"], ROUTINE_NUMBER, "Stop.")
        self._house.simulator.wait_until_quiet()
        self._start("silent", 7, today)
        for who in ("reminded", "busy", "feverish"):
            self._patients[who] = self._enrol(who, hour)
            self._start(who, 7, today)
        self._put_on_duty()
        self._patients["changed"] = self._enrol("changed", time(12))
        first = today + timedelta(days=2)
        self._start("changed", 7, first)
        self._change(first)

    def _end(self) -> None:
        self._arrives_once("reminded", "day", self._due_at, "a text due at a minute")
        self._arrives_once(
            "changed", "changed", self._changed_at, "the text that tells of a change"
        )
        self._is_silent()
        self._answers()
        doubles = self._house.simulator.doubles()
        self._find("Twilio took none of our texts twice.", f"{doubles}" if doubles else "")

    # -- what has to be -----------------------------------------------------------------------

    def _change(self, first: date) -> None:
        """From weekly to every three weeks, from the second date on."""
        second = first + timedelta(days=7)
        decision = (self._patients["changed"], 21, second, "Counts stable.")
        preview = self._api.preview_change(*decision)
        horizon = first + timedelta(weeks=12, days=-2)
        before = _dates(first, 1, horizon)
        after = [first.isoformat(), *_dates(second, 3, horizon)]
        self._find(
            "The preview of a change shows the dates before and after, of twelve weeks.",
            _unlike((preview["before"], preview["after"]), (before, after)),
        )
        seen = preview["schedule"]["etag"]
        self._changed_at = datetime.now(UTC)
        done = self._api.change_interval(*decision, seen=seen)
        self._find(
            "The change is made, with no text of the former plan on its way.",
            _unlike(
                ([v["interval_days"] for v in done["schedule"]["versions"]], done["too_late"]),
                ([7, 21], []),
            ),
        )
        coming = self._api.doses_to_come(self._patients["changed"], weeks=12)
        self._find(
            "The dates to come are those of the new plan.",
            _unlike([dose["date"] for dose in coming], after),
        )
        refused = 0
        try:
            self._api.change_interval(*decision, seen=seen)
        except Refused as answer:
            refused = answer.status
        self._find("Who decides on what is no longer so is refused.", _unlike(refused, 412))

    def _arrives_once(self, who: str, step: str, due: datetime, what: str) -> None:
        def texts() -> list[SentText]:
            found = self._api.texts(self._patients[who])
            return [text for text in found if text["step"] == step]

        left = (due + LATEST - datetime.now(UTC)).total_seconds()
        sentence = f"Live, {what} arrives once, in time, and is delivered"
        try:
            until(
                lambda: [text["state"] for text in texts()] == ["delivered"],
                max(left, 1.0),
                "the text is delivered",
            )
        except TimeoutError:
            states = [text["state"] for text in texts()]
            self._find(f"{sentence}.", f"its state is {states or 'not there: no such text'}")
            return
        got = self._received(who)
        at = [datetime.fromisoformat(text["real_at"]) for text in got]
        wrong = ""
        if len(got) != 1:
            wrong = f"{len(got)} texts came: {[text['body'] for text in got]}"
        elif not due <= at[0] <= due + LATEST:
            wrong = f"it was due at {due:%H:%M:%S} and came at {at[0]:%H:%M:%S} UTC"
        when = f" (due {due:%H:%M:%S}, came {at[0]:%H:%M:%S} UTC)" if at and step == "day" else ""
        self._find(f"{sentence}{when}.", wrong)

    def _is_silent(self) -> None:
        """By now its text was due as well, or this says so."""

        def suppressed() -> bool:
            texts = self._api.texts(self._patients["silent"])
            return [text["state"] for text in texts] == ["suppressed"]

        wrong = ""
        try:
            until(suppressed, LATEST.total_seconds(), "the text is suppressed")
        except TimeoutError as error:
            wrong = str(error)
        if got := self._received("silent"):
            wrong = f"{len(got)} texts came"
        self._find("After STOP on the phone no text goes there, though one was due.", wrong)
        items = self._api.worklist()
        causes = [i["cause"] for i in items if i["patient"]["id"] == self._patients["silent"]]
        self._find(
            "The care team hears of it.", "" if "opted_out" in causes else f"the worklist: {causes}"
        )

    # -- what answers do ----------------------------------------------------------------------

    def _answers(self) -> None:
        """Three phones answer; what each answer does is looked for over the API."""

        def recorded() -> bool:
            doses = self._api.doses_of_the_past(self._patients["reminded"])
            return any(dose["state"] == "taken" for dose in doses)

        def put_off() -> bool:
            texts = self._api.texts(self._patients["busy"])
            return any(text["step"] == "later" for text in texts)

        def listed() -> bool:
            items = self._api.worklist("urgent_sign")
            return any(item["patient"]["id"] == self._patients["feverish"] for item in items)

        for who, body, done, what in (
            ("reminded", "Done thanks", recorded, "the dose is recorded"),
            ("busy", "later", put_off, "one more text is set for today"),
            ("feverish", "fever since yesterday", listed, "the worklist has an urgent item"),
        ):
            self._does(who, body, done, what)
        self._arrives("the staff on duty are paged, without a name", ON_DUTY, "urgent call")
        for who, words in (
            ("reminded", "is marked as done"),
            ("busy", "we will text you again today"),
            ("feverish", "please call your team now"),
        ):
            self._arrives(f'the phone reads "{words}"', NUMBERS[who], words)

    def _does(self, who: str, body: str, done: Callable[[], bool], what: str) -> None:
        begun = clock.monotonic()
        self._house.simulator.answer(NUMBERS[who], ROUTINE_NUMBER, body)
        wrong = ""
        try:
            until(done, LATEST.total_seconds(), what)
        except TimeoutError as error:
            wrong = str(error)
        seconds = clock.monotonic() - begun
        if not wrong and seconds > PROMISED:
            wrong = f"it took {seconds:.1f} s"
        self._find(
            f'Live, "{body}": {what} after {seconds:.1f} s (promised: {PROMISED:g} s).',
            wrong,
        )

    def _arrives(self, what: str, number: str, words: str) -> None:
        """One text with these words, and nobody's name in it."""

        def bodies() -> list[str]:
            texts = self._house.simulator.ledger(to=number)["messages"]
            return [text["body"] for text in texts if words in text["body"]]

        wrong = ""
        try:
            until(bodies, LATEST.total_seconds(), what)
        except TimeoutError as error:
            wrong = str(error)
        if len(bodies()) > 1 or any("Example" in body for body in bodies()):
            wrong = f"these came: {bodies()}"
        self._find(f"Live, {what}.", wrong)

    def _put_on_duty(self) -> None:
        """The clinician, alone, at a phone of their own."""
        self._api.set_rota([{"user": self._api.user, "rung": 1, "number": ON_DUTY}])

    def _find(self, what: str, wrong: str) -> None:
        self.findings.append(Finding(what, wrong))

    def _received(self, who: str) -> list[Text]:
        return self._house.simulator.ledger(to=NUMBERS[who])["messages"]

    def _enrol(self, who: str, hour: time) -> str:
        return self._api.enrol(
            name=f"{who.title()} Example",
            number=NUMBERS[who],
            time_zone=self._zone.key,
            language="en",
            hour=hour,
            consent_on=(datetime.now(UTC) - timedelta(days=7)).date(),
        )

    def _start(self, who: str, days: int, first: date) -> None:
        self._api.start(self._patients[who], days, first, "First.")


def _where_it_is_day(now: datetime) -> ZoneInfo:
    zones = [ZoneInfo(name) for name in ZONES]
    return next(zone for zone in zones if 8 <= now.astimezone(zone).hour < 18)


def _whole_minute(at: datetime) -> datetime:
    """The next whole minute: a person's hour is one."""
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _dates(first: date, weeks: int, last: date) -> list[str]:
    start = datetime.combine(first, time(), tzinfo=UTC)
    end = datetime.combine(last, time(), tzinfo=UTC)
    return [
        found.date().isoformat()
        for found in rrule(WEEKLY, interval=weeks, dtstart=start, until=end)
    ]


def _unlike(found: object, wanted: object) -> str:
    return "" if found == wanted else f"found {found}, should be {wanted}"
