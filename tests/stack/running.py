"""What the tests of the local stack do with processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dev.folders import CHECKOUT, take_lock

OPEN_A_STACK = """
import os, time
from dev.stack import Stack
with Stack.{kind}() as stack:
    print(stack.environment(), flush=True)
    time.sleep(60)
"""


def living(folder: Path) -> list[int]:
    """The processes whose working directory lies in `folder`: every process of our servers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


def eventually(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def python(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )


def stack_run(
    *arguments: str, env: Mapping[str, str] | None = None, umask: int = -1
) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "dev.stack", "run", *arguments]
    return subprocess.run(
        argv, cwd=CHECKOUT, env=env, umask=umask, capture_output=True, text=True, timeout=60
    )


def folders(pid: int) -> list[Path]:
    try:
        return list((Path("/proc") / str(pid) / "cwd").readlink().parents)
    except OSError:
        return []  # ended meanwhile


def unlocked(folder: Path) -> bool:
    """Whether nobody holds the lock of `folder`, or one of a server's in it."""
    locks = [take_lock(path) for path in (*folder.glob("lock"), *folder.glob("*/lock"))]
    for lock in locks:
        if lock is not None:
            os.close(lock)
    return None not in locks
