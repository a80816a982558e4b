"""The wall: nothing leads from a pseudonym to a patient, nor from a patient to a pseudonym."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from community.models import PersonaLink
from reminders.models import Patient
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, Cast
from tests.community import Circle, answer, begin, make_circle

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def test_no_row_of_one_world_names_a_row_of_the_other():
    worlds = {"community", "reminders"}
    crossing = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and field.related_model
        and {model._meta.app_label, field.related_model._meta.app_label} == worlds
    }
    assert crossing == set()


def test_from_the_community_one_table_leads_to_whoever_signs_in():
    to_accounts = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("community").get_models()
        for field in model._meta.fields
        if field.related_model and field.related_model._meta.app_label == "accounts"
    }
    assert to_accounts == {"PersonaLink.user"}


def test_that_table_is_read_in_one_file():
    folders = ("accounts", "api", "community", "messaging", "reminders", "web", "workers")
    readers = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"PersonaLink|persona_?link", path.read_text())
        and not {"migrations", "models"} & set(path.parts)
    }
    assert readers == {"community/members/entering.py"}


@contextmanager
def without(app: str) -> Iterator[None]:
    """As a database role that may do everything but with the tables of one app."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE without_{app}")
        cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO without_{app}")
        for table in connection.introspection.table_names(cursor):
            if table.startswith(f"{app}_"):
                cursor.execute(f'REVOKE ALL ON "{table}" FROM without_{app}')
        cursor.execute(f"SET LOCAL ROLE without_{app}")
        yield
        cursor.execute("RESET ROLE")


def test_the_community_works_where_the_database_gives_it_no_patients(circle):
    with without("reminders"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Patient.objects.exists()
        thread = begin(circle.heron, circle.sleep).post.thread
        answer(circle.wren, thread, "I want to kill myself")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_medicine_works_where_the_database_gives_it_no_personas(cast: Cast):
    with without("community"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            PersonaLink.objects.exists()
        prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
