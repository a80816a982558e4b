"""The demo: `python -m dev.demo`, and unattended, judging itself, `python -m dev.demo --check`."""

import dev.stack  # before all else: it turns an old Python away with one line  # noqa: I001

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from collections.abc import Iterator
from pathlib import Path

from dev.demo_processes import SIMULATOR_PORT, WEB_PORT, Household, choose_port
from dev.folders import home
from dev.stack import Stack, Trouble
