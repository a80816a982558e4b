"""A small client of the API, as a clinic's own program would have one: the demo plays staff by it.

Its shapes hold what is read here, not all that the API answers: api/openapi.yaml says that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, TypedDict
from uuid import uuid4

import requests

_ANSWERS_WITHIN = 30.0


class Version(TypedDict):
    """One decision on a schedule. starts_on: YYYY-MM-DD."""

    number: int
    interval_days: int
    starts_on: str


class Schedule(TypedDict):
    """etag: names this state; a decision brings it."""

    id: str
    status: str
    versions: list[Version]
    etag: str


class SentText(TypedDict):
    """A text to a patient, and what became of it. step: of the ladder, or the kind of a notice."""

    id: str
    step: str
    body: str
    state: str


class Outcome(TypedDict):
    """What a decision did. too_late: texts of the former plan that have left, or may have."""

    schedule: Schedule
    too_late: list[SentText]


class Preview(TypedDict):
    """What a change would do: dates of twelve weeks, YYYY-MM-DD, as they are and would be."""

    schedule: Schedule
    before: list[str]
    after: list[str]


class DoseToCome(TypedDict):
    date: str
    interval_days: int
    state: str


class Dose(TypedDict):
    id: str
    date: str
    state: str


class OfPatient(TypedDict):
    id: str


class WorkItem(TypedDict):
    """Something for the care team to look at."""

    id: str
    cause: str
    patient: OfPatient


class OnDuty(TypedDict):
    """user: an id; rung 1 is paged first; number: as people write it."""

    user: str
    rung: int
    number: str


class Refused(Exception):
    """The API said no, or failed. status: of HTTP; code: the problem's own, "" without one."""

    def __init__(self, asked: str, answer: requests.Response) -> None:
        super().__init__(f"{asked}: {answer.status_code} {answer.text}")
        self.status = answer.status_code
        kind = answer.headers.get("Content-Type", "")
        self.code = str(answer.json()["code"]) if kind.startswith("application/problem") else ""


class ApiClient:
    """Somebody of a clinic's staff who is signed in. Raises Refused for every no.

    user, clinic: ids, of them and of the first clinic that they work at.
    """

    def __init__(self, web_url: str, email: str, password: str) -> None:
        self._base = f"{web_url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy in the environment would only stand between
        signed_in = self._post("sign-in", {"email": email, "password": password})
        self._session.headers["Authorization"] = f"Bearer {signed_in['token']}"
        self.user: str = signed_in["user"]["id"]
        self.clinic: str = signed_in["memberships"][0]["clinic"]["id"]

    # -- patients and their schedules -----------------------------------------------------------

    def enrol(
        self,
        *,
        name: str,
        number: str,
        time_zone: str,
        language: str,
        hour: time,
        consent_on: date,
        consent_source: str = "written",
    ) -> str:
        """Enrol a patient at the clinic; their id."""
        sent = {
            "clinic": self.clinic,
            "name": name,
            "number": number,
            "time_zone": time_zone,
            "language": language,
            "hour": f"{hour:%H:%M}",
            "consent_on": consent_on.isoformat(),
            "consent_source": consent_source,
        }
        return str(self._post("patients", sent)["id"])

    def start(self, patient: str, interval_days: int, starts_on: date, reason: str) -> Outcome:
        """Start a patient's schedule."""
        sent = _decision(interval_days, starts_on, reason)
        done: Outcome = self._post(f"patients/{patient}/schedule", sent)
        return done

    def preview_change(
        self, patient: str, interval_days: int, starts_on: date, reason: str
    ) -> Preview:
        """What a change of interval would do. Changes nothing."""
        sent = _decision(interval_days, starts_on, reason)
        shown: Preview = self._post(f"patients/{patient}/schedule/preview", sent)
        return shown

    def change_interval(
        self, patient: str, interval_days: int, starts_on: date, reason: str, *, seen: str
    ) -> Outcome:
        """Change the interval. seen: the etag of what it is decided on; 412 if it is another."""
        sent = _decision(interval_days, starts_on, reason)
        done: Outcome = self._post(f"patients/{patient}/schedule/change", sent, seen)
        return done

    def doses_to_come(self, patient: str, weeks: int) -> list[DoseToCome]:
        """The doses that wait for an answer, and those of some weeks to come, rising."""
        found: list[DoseToCome] = self._get(f"patients/{patient}/doses?weeks={weeks}")["results"]
        return found

    def doses_of_the_past(self, patient: str) -> list[Dose]:
        """The doses, the one planned last first: as many as a page has."""
        found: list[Dose] = self._get(f"patients/{patient}/doses/history")["results"]
        return found

    # -- texts and the worklist -----------------------------------------------------------------

    def texts(self, patient: str) -> list[SentText]:
        """The texts to a patient, newest first: as many as a page has."""
        found: list[SentText] = self._get(f"patients/{patient}/texts")["results"]
        return found

    def worklist(self, cause: str = "") -> list[WorkItem]:
        """What waits for a person, of one cause or of all: as many as a page has."""
        query = f"?cause={cause}" if cause else ""
        found: list[WorkItem] = self._get(f"worklist{query}")["results"]
        return found

    def set_rota(self, duties: Sequence[OnDuty]) -> None:
        """Say who is on duty at the clinic, in place of whoever was."""
        path = f"clinics/{self.clinic}/rota"
        seen = self._ask("GET", path).headers["ETag"]
        self._ask("PUT", path, {"duties": list(duties)}, seen)

    # -- HTTP -----------------------------------------------------------------------------------

    def _get(self, path: str) -> Any:
        return self._ask("GET", path).json()

    def _post(self, path: str, body: Mapping[str, object], seen: str = "") -> Any:
        return self._ask("POST", path, body, seen).json()

    def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, seen: str = ""
    ) -> requests.Response:
        headers = {"If-Match": seen} if seen else {}
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        answer = self._session.request(
            method, f"{self._base}/{path}", json=body, headers=headers, timeout=_ANSWERS_WITHIN
        )
        if not answer.ok:
            raise Refused(f"{method} {path}", answer)
        return answer


def _decision(interval_days: int, starts_on: date, reason: str) -> dict[str, object]:
    return {"interval_days": interval_days, "starts_on": starts_on.isoformat(), "reason": reason}
