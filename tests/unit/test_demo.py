"""The demo's made-up people must be what it says, and its start."""

import ast
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from accounts.models import Clinic
from dev import demo_people
from dev.demo_processes import choose_port
from dev.folders import CHECKOUT
from dev.stack import Trouble
from messaging.models import Sms
from reminders.models import Patient
from reminders.planning.steps import plan_doses
from tests.cast import make_clinic

NOW = datetime(2026, 11, 23, 16, 20, 41, tzinfo=UTC)


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
    # What they were answered in their past was delivered then.
    for sms in Sms.objects.exclude(state__in=["cancelled", "delivered"]):
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
