"""A seeded chance for each test, and the table of all faults at the end of a run."""

import random

import pytest

from tests.faults.tally import ROWS, SEED, table


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """This test's own, so that it can be played again alone."""
    print(f"SOAK_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(f"{SEED} {request.node.name}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.write_sep("-", f"faults, with SOAK_SEED={SEED}")
        terminalreporter.write_line(table())
