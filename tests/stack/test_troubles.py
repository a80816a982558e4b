"""What goes wrong at the start is told in one clear line."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.folders import CHECKOUT, demand_space, home, make_private
from dev.stack import Stack, Trouble, Valkey
from tests.stack.running import stack_run


def test_a_folder_that_cant_be_used_is_one_clear_line(state: Path) -> None:
    (state / "file").touch()
    done = stack_run("--", "true", env=os.environ | {"DOSECIRCLE_STATE": str(state / "file/in")})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert str(state / "file/in") in done.stderr
    assert "DOSECIRCLE_STATE" in done.stderr


def test_a_foreign_or_linked_folder_is_refused(state: Path) -> None:
    (state / "elsewhere").mkdir()
    home().symlink_to(state / "elsewhere")
    with pytest.raises(Trouble, match="DOSECIRCLE_STATE"), Stack.kept():
        pass
    assert list((state / "elsewhere").iterdir()) == []
    with pytest.raises(Trouble, match="belongs to another user"):
        make_private(Path("/usr") if os.geteuid() else foreign(state))


def foreign(state: Path) -> Path:
    folder = state / "foreign"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    return folder


def test_a_folder_the_servers_user_cant_reach_is_one_clear_line(state: Path) -> None:
    hidden = state / "hidden"
    hidden.mkdir(0o700)
    server = Valkey(hidden / "valkey")
    if os.geteuid() == 0:
        with pytest.raises(Trouble, match="can't be entered by the user"):
            server.start()
    else:
        server.start()
        server.stop()


def test_too_little_space_is_one_clear_line(state: Path) -> None:
    demand_space(state, megabytes=1)
    with pytest.raises(Trouble, match="no space left"):
        demand_space(state, megabytes=10**9)


def test_a_server_that_doesnt_come_up_shows_its_last_words(state: Path, run_before: None) -> None:
    with Stack.kept() as stack:
        postgres = stack.postgres
        postgres.stop()
        (postgres.folder / "data/PG_VERSION").write_text("9.6\n")
        with pytest.raises(Trouble, match=r"FATAL: .*incompatible"):
            postgres.start()


def test_an_old_python_is_told_so_in_one_line() -> None:
    source = (CHECKOUT / "dev/stack.py").read_text()
    ast.parse(source, feature_version=(3, 7))  # an older one must get as far as the check
    pretend = (
        "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0); "
        "runpy.run_module('dev.stack', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "needs Python 3.11 or newer, and this is 3.9" in done.stderr
