"""A seeded chance for each test, and what all of them counted at the end of a run."""

import random
from collections.abc import Callable, Iterator

import pytest

from tests.faults.tally import ROWS, SEED, table


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """This test's own, so that it can be played again alone."""
    print(f"SOAK_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Send what the test counted to the process that writes the summary."""
    ROWS.clear()
    yield
    for row in ROWS:
        record_property("fault", row)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        told
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "teardown"
        for told in report.user_properties
    ]
    rows = [row for name, row in told if name == "fault"]
    if rows:
        terminalreporter.write_sep("-", f"faults, with SOAK_SEED={SEED}")
        terminalreporter.write_line(table(sorted(rows)))
    storm = [line for name, line in told if name == "storm"]
    if storm:
        terminalreporter.write_sep("-", "all together")
        terminalreporter.write_line("\n".join(storm))
