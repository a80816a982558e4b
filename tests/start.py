"""Starting the product's settings in this process, with an environment made up for it."""

import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from config.environment import READ
from dev.environment import settings

SETTINGS = Path(__file__).parent.parent / "config" / "settings.py"


def read_settings(environ: Mapping[str, str]) -> dict[str, object]:
    """The names that config/settings.py defines when this is the whole environment."""
    with patch.dict(os.environ, environ, clear=True):
        return runpy.run_path(str(SETTINGS))


def right() -> dict[str, str]:
    """An environment with which the product starts."""
    return {name: value for name, value in settings().items() if name in READ}


def refusal(environ: Mapping[str, str]) -> str:
    """What the settings end the process with, or nothing if they let it start."""
    try:
        read_settings(environ)
    except SystemExit as end:
        return str(end.code)
    return ""


def required() -> set[str]:
    """The variables without which nothing starts."""
    return {
        name
        for name in READ
        if refusal({other: value for other, value in right().items() if other != name})
    }
