"""The demo's check sees what goes wrong in the product, and the demo leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Clinic, Membership, Role, User
from dev.comparison import Judgement, judge, table
from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN, URGENT_NUMBER
from dev.expectation import expect
from dev.fates import FatesJudgement, judge_fates
from dev.folders import CHECKOUT
from dev.playing import Player
from dev.simulator_client import SimulatorClient
from dev.stack import free_port
from dev.story import BEGINS, PEOPLE
from dev.waiting import until
from messaging import sending
from reminders.conversation import answers
from reminders.planning import desk, steps
from reminders.schedules import plan
from tests.processes import World

FEW = PEOPLE[:3]
TUESDAY = 1
SHORT = BEGINS + timedelta(days=11)


@pytest.fixture
def answered(world: World, settings: Any) -> Iterator[World]:
    """A world with its web, and a simulator of its own whose phones can answer."""
    with SimulatorClient.start(
        accounts={ACCOUNT: TOKEN},
        senders=[f"{number}=1000" for number in (ROUTINE_NUMBER, URGENT_NUMBER)],
        inbound_url=f"{world.web_url}/api/v1/twilio/inbound",
        deliver_after=0.01,
    ) as phones:
        world.simulator = phones
        settings.TWILIO_BASE_URL, settings.PUBLIC_URL = phones.base_url, world.web_url
        world.start_web()
        yield world


def play(world: World) -> tuple[Judgement, FatesJudgement]:
    """The story's first days with its first three people."""
    member = Membership.objects.get(user=world.cast.clinician)
    User.objects.filter(id=member.user_id).update(email=f"{Role.CLINICIAN}@here.example")
    Clinic.objects.filter(id=member.clinic_id).update(name="Story Clinic")
    expected = {person: expect(person, SHORT) for person in FEW}
    player = Player(world.simulator, "here.example", expected, BEGINS)
    player.play(SHORT, lambda day: None)
    player.look_back()
    judgement = judge(expected, world.simulator.ledger()["messages"])
    judgement.beyond += player.problems
    return judgement, judge_fates(expected, player.fates(), SHORT.date(), player.unlisted())


@pytest.mark.processes
@pytest.mark.parametrize(
    "fault", ["none", "an hour late", "one lost", "one twice", "not recorded", "not listed"]
)
def test_a_fault_of_the_product_is_seen(
    answered: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    BREAK[fault](monkeypatch)
    judgement, fates = play(answered)
    shown = table(judgement) + "\n".join(judgement.beyond)
    assert judgement.right == (fault == "none"), shown
    if fault == "an hour late":
        assert "1 h 0 min late" in shown
    if fault == "one lost":
        assert "missing: 'day'" in shown
    if fault == "one twice":
        assert "twice: " in shown
    missed = "Ada's dose of Monday 28 Sep 2026 should be: taken."
    assert (missed in fates.differences) == (fault in ("not recorded", "not listed"))
    unlisted = [said for said in fates.differences if "not on the worklist" in said]
    assert bool(unlisted) == (fault == "not listed"), fates.differences


def hour_late(patch: pytest.MonkeyPatch) -> None:
    real = plan.step_instant
    for module in (plan, desk):
        patch.setattr(module, "step_instant", lambda *given: real(*given) + timedelta(hours=1))


def lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk.Desk, "_room", lambda desk, step, now: now.weekday() != TUESDAY)


def twice(patch: pytest.MonkeyPatch) -> None:
    real = sending._post
    patch.setattr(sending, "_post", lambda claimed: (real(claimed), real(claimed))[0])


def unrecorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answers, "record_dose", lambda *given: None)


def unlisted(patch: pytest.MonkeyPatch) -> None:
    """Nothing is recorded either, so that somebody misses a dose."""
    unrecorded(patch)
    patch.setattr(steps, "open_items", lambda *given: None)


BREAK: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "none": lambda patch: None,
    "an hour late": hour_late,
    "one lost": lost,
    "one twice": twice,
    "not recorded": unrecorded,
    "not listed": unlisted,
}


# -- starting and ending ----------------------------------------------------------------------


class Demo:
    """`python -m dev.demo` in a state folder of the test's own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ports = {"PORT": str(free_port()), "SIM_PORT": str(free_port())}
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> float:
        """Start it, and wait until it says that it is ready; answers after how many seconds."""
        ours = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        environ = {name: value for name, value in os.environ.items() if name not in ours}
        environ |= {"DOSECIRCLE_STATE": str(self.state), **self.ports}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "dev.demo"], env=environ, cwd=CHECKOUT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._child.stdout is not None
        said = ""
        for line in self._child.stdout:
            said += line
            if found := re.match(r"Ready after ([0-9.]+) seconds", line):
                return float(found[1])
        raise AssertionError(said)

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal, and wait; answers the status and what it still said."""
        assert self._child is not None
        self._child.send_signal(number)
        said, _ = self._child.communicate(timeout=60)
        return self._child.returncode, said

    def await_end(self) -> tuple[int, str]:
        assert self._child is not None
        said, _ = self._child.communicate(timeout=60)
        return self._child.returncode, said

    def living(self) -> list[str]:
        """What runs with this folder or these ports."""
        marks = [f"DOSECIRCLE_STATE={self.state}".encode(), os.fsencode(self.state)]
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                argv, environ = (
                    (process / "cmdline").read_bytes(),
                    (process / "environ").read_bytes(),
                )
            except OSError:
                continue
            if argv and any(mark in argv + environ for mark in marks):
                found.append(argv.replace(b"\0", b" ").decode())
        return found

    def pids(self, words: str) -> list[int]:
        return [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if _reads(process / "environ", str(self.state)) and _reads(process / "cmdline", words)
        ]


def _reads(file: Path, words: str) -> bool:
    try:
        return os.fsencode(words) in file.read_bytes().replace(b"\0", b" ")
    except OSError:
        return False


@pytest.fixture
def demo() -> Iterator[Demo]:
    # Not tmp_path, which the servers' user can't enter.
    with tempfile.TemporaryDirectory(prefix="dosecircle-test-") as folder:
        Path(folder).chmod(0o711)
        started = Demo(Path(folder).resolve())
        yield started
        for pid in started.pids("dev.demo"):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not started.living(), 30, "nothing of the demo lives")


@pytest.mark.processes
def test_the_demo_starts_again_and_leaves_nothing_behind(demo: Demo) -> None:
    demo.start()
    # Something of it dies: it says which, shows its last words, and ends the rest.
    [worker, *_] = sorted(demo.pids("--queues urgent"))
    os.kill(worker, signal.SIGKILL)
    status, said = demo.await_end()
    assert status == 1
    assert "worker-urgent has ended (SIGKILL)" in said
    assert re.search(r"Its log \(.*\) ends with:\n {4,}\S", said)
    assert demo.living() == []
    # Ctrl-C is the usual end.
    demo.start()
    assert demo.end(signal.SIGINT)[0] == 0
    assert demo.living() == []
    # It can be killed itself.
    demo.start()
    demo.end(signal.SIGKILL)
    until(lambda: not demo.living(), 30, "nothing of the demo lives")
