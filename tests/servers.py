"""A pytest plugin that starts Postgres and Valkey once for all workers, before Django is set up.

The settings read the environment when they are imported, which pytest-django does before any
conftest is read: so this is loaded first, by `-p` in pyproject.toml.
"""

import atexit
import os
import sys

from dev.environment import settings
from dev.stack import Stack, Trouble

if "PYTEST_XDIST_WORKER" not in os.environ:
    stack = Stack.throwaway()
    try:
        stack.__enter__()
    except Trouble as trouble:
        sys.exit(f"No tests were run: {trouble}")
    atexit.register(stack.__exit__, None, None, None)
    servers = stack.environment()
    os.environ.update(settings(database=servers["DATABASE_URL"], redis=servers["REDIS_URL"]))
