"""Child processes and free ports."""

import os
import signal
import socket
from pathlib import Path

import pytest

from dev.processes import open_log
from dev.stack import Process, free_port, spawn
from tests.stack.running import eventually


def test_free_port_is_bindable_and_below_the_ephemeral_ones() -> None:
    port = free_port()
    assert 1024 < port < 32_768
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))


def test_stop_asks_the_leader_and_then_kills_the_whole_group(tmp_path: Path) -> None:
    # The grandchild would stay behind, the leader ignores the polite request.
    script = "sleep 61 & echo $!; trap '' TERM; sleep 62"
    log = tmp_path / "log"
    stubborn: Process = spawn(["sh", "-c", script], env=os.environ, log=log)
    eventually(lambda: log.read_text().endswith("\n"))
    grandchild = Path("/proc") / log.read_text().strip()
    assert stubborn.poll() is None
    assert stubborn.stop(seconds=0.2) == -signal.SIGKILL
    eventually(
        lambda: not grandchild.exists() or "State:\tZ" in (grandchild / "status").read_text()
    )
    assert stubborn.poll() == -signal.SIGKILL


def test_a_log_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        open_log(tmp_path / "log")
