"""Ten thousand patients in one go: nothing half done, nothing twice, and memory stays flat."""

import re
import threading
from pathlib import Path

import pytest
from django.db import connections

from accounts.refusals import Conflict
from accounts.sign_in import give_token
from dev.waiting import until
from reminders.models import Dose, Import, ImportMode, Patient, ScheduleVersion
from reminders.patients import importing
from tests.api.client import Caller, over_http
from tests.cast import NOW
from tests.imports import counts, file_of, many
from tests.processes import World

ROWS, BAD = 10_000, 300


def rows(count: int) -> list[dict[str, str]]:
    """Many patients, three in a hundred of them with something to mend."""
    found = many(count)
    wrong = [{"hour": "9 o'clock"}, {"number": "12"}, {"consent_source": ""}]
    for index in range(BAD * count // ROWS):
        found[index * 33] |= wrong[index % 3]
    return found


def upload(world: World, count: int) -> Import:
    text = file_of(*rows(count))
    return importing.upload(world.cast.clinic, text, world.cast.actor, NOW)


def confirm(world: World, file: Import) -> None:
    importing.confirm(file.id, ImportMode.GOOD, world.cast.actor, NOW)


def worked(world: World, process=None) -> int:
    """Let a process work on what waits; MB that it held at most."""
    process = process or world.run("tests.faults.import_once")
    until(lambda: process.poll() is not None, 120, "the process has ended")
    assert process.poll() == 0, world.logs()
    return int(re.findall(r"held (\d+) MB", world.logs())[-1])


def imported() -> int:
    return Patient.objects.exclude(reference="").count()


@pytest.mark.processes
def test_ten_thousand_rows_with_three_hundred_bad_ones(world: World):
    few = upload(world, 500)
    worked(world)
    confirm(world, few)
    least = worked(world)
    assert imported() == 485

    file = upload(world, ROWS)
    held = worked(world)
    file.refresh_from_db()
    assert counts(file) == {"rows": ROWS, "good": 9216, "there": 484, "bad": BAD, "done": ROWS}
    report = list(file.problems.order_by("id").values_list("line", "field", "message"))
    assert len(report) == BAD
    assert report[:2] == [
        (2, "hour", "Write a time of day like 09:00."),
        (35, "number", "No phone has this number. Write it with its country, "
         "like +44 7911 123456."),
    ]  # fmt: skip
    assert [line for line, _, _ in report] == [2 + 33 * index for index in range(BAD)]

    with pytest.raises(Conflict) as refused:
        importing.confirm(file.id, ImportMode.ALL, world.cast.actor, NOW)
    assert (refused.value.code, refused.value.field) == ("rows_bad", "mode")
    assert (worked(world), imported())[1] == 485, "all or none was chosen, and none came in"

    confirm(world, file)
    held = max(held, worked(world))
    file.refresh_from_db()
    assert (file.state, file.good, file.bad, imported()) == ("done", 9216, BAD, 9701)
    assert Dose.objects.filter(state="planned").count() == 9701
    assert held - least < 25, "memory follows the rows"

    again = upload(world, 1000)
    worked(world)
    confirm(world, again)
    worked(world)
    again.refresh_from_db()
    assert (again.good, again.there, imported()) == (1, 969, 9702), "one was bad, and is mended"


@pytest.mark.processes
def test_the_web_takes_five_megabytes_without_holding_all_rows(world: World):
    web, token = world.start_web(), give_token(world.cast.clinician).token
    path = f"/api/v1/clinics/{world.cast.clinic.id}/imports"
    caller = Caller(token, over_http(world.web_url))

    def held(text: str) -> float:
        """MB that the web process held at most while it took a file."""
        forget_peaks(web.pid)
        raw = text.encode()
        taken = caller.ask("POST", path, raw=raw, content_type="text/csv", expect=201)
        assert taken["state"] == "checking"
        return peaks(web.pid)

    held(file_of(*rows(500)))  # what is loaded with the first request, and stays
    least = held(file_of(*rows(500)))
    wide = [row | {"name": f"{row['name']} {'x' * 112}"} for row in rows(20_000)]
    most = file_of(*wide)
    assert 4_900_000 < len(most) <= 5_000_000
    assert held(most) - least < 60, "the file, its text, and what is looked for in all of it"


def family(pid: int) -> list[int]:
    """A process with its children, those of all its threads."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += family(int(child))
    return found


def forget_peaks(pid: int) -> None:
    for each in family(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5")


def peaks(pid: int) -> float:
    """The most memory that these processes held since, in MB."""
    told = [Path(f"/proc/{each}/status").read_text() for each in family(pid)]
    return sum(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) for status in told) / 1024


@pytest.mark.processes
def test_killed_at_any_point_another_worker_goes_on_and_nothing_is_half_done(world: World):
    file = upload(world, 2000)

    def killed_when(state: str, done: int) -> None:
        process = world.run("tests.faults.import_once")

        def reached() -> bool:
            file.refresh_from_db()
            return file.state == state and file.done >= done

        until(reached, 60, f"{done} rows are gone through")
        process.kill()

    killed_when("checking", 500)
    assert file.done < 2000
    worked(world)
    file.refresh_from_db()
    assert counts(file) == {"rows": 2000, "good": 1940, "there": 0, "bad": 60, "done": 2000}
    confirm(world, file)
    killed_when("importing", 1000)
    assert imported() == 0
    worked(world)
    file.refresh_from_db()
    assert (file.state, file.good, imported()) == ("done", 1940, 1940)
    assert ScheduleVersion.objects.count() == 1940


def test_two_workers_at_once_and_one_file_twice_enrol_each_patient_once(world: World):
    files = [upload(world, 200), upload(world, 200)]
    for _ in range(3):
        importing.take_imports(NOW)
        importing.take_imports(NOW)
    for file in files:
        confirm(world, file)

    def work() -> None:
        while importing.take_imports(NOW):
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    for file in files:
        file.refresh_from_db()
    assert sorted((file.state, file.good, file.there) for file in files) == [
        ("done", 0, 194),
        ("done", 194, 0),
    ]
    assert imported() == 194


def test_the_clock_finds_nothing_to_do_by_an_index(world: World):
    assert importing.take_imports(NOW) == 0
    waiting = Import.objects.filter(state__in=["checking", "importing"]).order_by("id")
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        assert "import_to_work_on" in waiting.values_list("id").explain()
