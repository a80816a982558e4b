"""docker-compose.yml, as tests read it: the commands they start are the ones of the image."""

import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

PRODUCT = [name for name, service in SERVICES.items() if "build" in service]
"""The services that run our own image."""


def command(service: str) -> list[str]:
    """What a service runs, in words."""
    return shlex.split(SERVICES[service]["command"])


def start_of(program: str) -> list[str]:
    """How a program of the image is started here, where this environment isn't on the PATH."""
    return [sys.executable] if program == "python" else [sys.executable, "-m", program]
