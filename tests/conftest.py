"""Fixtures for all tests: the simulator, committed databases, and the cast."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.core.cache import caches
from django.db import connections
from django.test.utils import setup_databases, teardown_databases

from dev.environment import ACCOUNT, NUMBERS, TOKEN
from dev.simulator_client import SimulatorClient
from tests.cast import OTHER_ACCOUNT, OTHER_NUMBER, OTHER_TOKEN, Cast, make_cast
from tests.processes import World


@pytest.fixture(scope="session")
def django_db_setup(django_db_modify_db_settings, django_db_blocker) -> Iterator[None]:
    """The worker's test database. Ours, because pytest-django's own makes none for a run in which
    no test has its `db`, as when only tests with a `world` are chosen."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorClient]:
    """One Twilio simulator for all tests of a worker."""
    client = SimulatorClient.start(
        accounts={ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN},
        senders=[
            *(f"{number}=1000@{ACCOUNT}" for number in NUMBERS),
            f"{OTHER_NUMBER}=1000@{OTHER_ACCOUNT}",
        ],
        deliver_after=0.01,
    )
    yield client
    client.stop()


@pytest.fixture
def simulator(simulator_process: SimulatorClient, settings) -> SimulatorClient:
    """The simulator, empty and without faults, and the product pointed at it."""
    simulator_process.clear_faults()
    simulator_process.reset()
    settings.TWILIO_BASE_URL = simulator_process.base_url
    return simulator_process


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    """Figures that a process keeps are those of another test's rows."""
    caches["figures"].clear()


@pytest.fixture
def cast(db) -> Cast:
    """Two clinics and their people; see tests/cast.py for why each is there."""
    return make_cast()


@pytest.fixture
def world(django_db_setup, django_db_blocker, simulator) -> Iterator[World]:
    """A database of its own, committed for real, for tests with threads and processes.

    A clone of the worker's test database: emptying tables instead would be refused, as it should
    be, by the guards of what is append-only.
    """
    name = f"world_{uuid4().hex}"
    with django_db_blocker.unblock():
        connections.close_all()
        template = connections["default"].settings_dict["NAME"]
        url = os.environ["DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connections["default"].settings_dict["NAME"] = name
        its_url = urlsplit(url)._replace(path=f"/{name}").geturl()
        of_its_own = World(its_url, simulator, make_cast())
        try:
            yield of_its_own
        finally:
            of_its_own.stop()
            connections.close_all()
            connections["default"].settings_dict["NAME"] = template
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
