"""What processes cost, from /proc, and the machine they ran on."""

import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Of these processes and all their descendants so far, those that have ended included."""
    return sum(_cpu(pid) for root in pids for pid in tree(root))


def memory(root: int) -> float:
    """Megabytes of a process and its descendants; what they share is counted once."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):
            [line] = [
                line
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                if line.startswith("Pss:")
            ]
            total += int(line.split()[1])
    return total / 1024


def tree(root: int) -> Iterator[int]:
    """A process and its descendants."""
    yield root
    with suppress(OSError):
        for task in Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, and both of the children that were waited for.
    return sum(int(field) for field in fields[11:15]) / _TICKS


def load() -> str:
    """How many were at work here lately."""
    one, five, fifteen = os.getloadavg()
    return f"Load {one:.1f} (1 min), {five:.1f} (5), {fifteen:.1f} (15)."


def described() -> str:
    """The machine, in a line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
    )
