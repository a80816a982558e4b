"""Ten thousand patients in one go: nothing half done, nothing twice, and memory stays flat."""

import re
import threading

import pytest
from django.db import connections

from dev.waiting import until
from reminders import imports
from reminders.models import Dose, Import, ImportMode, Patient, ScheduleVersion
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
    return imports.upload(world.cast.clinic, text, world.cast.actor, NOW)


def confirm(world: World, file: Import) -> None:
    imports.confirm(file.id, ImportMode.GOOD, world.cast.actor, NOW)


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
        imports.take_imports(NOW)
        imports.take_imports(NOW)
    for file in files:
        confirm(world, file)

    def work() -> None:
        while imports.take_imports(NOW):
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
    assert imports.take_imports(NOW) == 0
    waiting = Import.objects.filter(state__in=["checking", "importing"]).order_by("id")
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        assert "import_to_work_on" in waiting.values_list("id").explain()
