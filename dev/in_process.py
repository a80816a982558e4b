"""Django inside the demo's own process: what it fills in and plays goes by the product's verbs.

Models can be imported only after `set_up_django`, which is why the demo's modules that need them
are imported inside functions.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from dev.folders import plainly


def set_up_django(settings: Mapping[str, str], log: Path) -> None:
    """Set Django up with these settings, once in a process. What the product logs here goes into a
    file as with its other processes, not between our lines."""
    os.environ.update(settings)
    django.setup()
    with plainly(log):
        file = logging.FileHandler(log)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().handlers = [file]


def migrate() -> bool:
    """Bring the database's tables up to date; whether there was anything to do."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def close_connections() -> None:
    """Let go of the database: one that is copied must have nobody in it."""
    connections.close_all()
