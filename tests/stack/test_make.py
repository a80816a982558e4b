"""The Makefile on a machine with little: what it sets up, and what it says when it can't."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout with the Makefile alone, and nothing to download."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").write_text("# nothing\n")
    return tmp_path


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = ["make", "-s", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120)


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_sets_up_once_and_heals_an_interrupted_one(fresh: Path) -> None:
    (fresh / ".venv" / "half-written").mkdir(parents=True)
    first = make(fresh, "install", f"PYTHON={sys.executable}")
    assert (first.returncode, first.stderr) == (0, "")
    assert not (fresh / ".venv/half-written").exists()
    subprocess.run([fresh / ".venv/bin/python", "-m", "pip", "--version"], check=True)
    second = make(fresh, "install")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_an_old_python_is_one_clear_line(fresh: Path) -> None:
    old = program(fresh / "old", 'test "$1" = -V && echo Python 3.9.2 || exit 1')
    told = make(fresh, "install", old)
    assert told.returncode != 0
    assert "needs Python 3.11 or newer" in told.stderr.splitlines()[0]
    assert "Python 3.9.2" in told.stderr.splitlines()[0]
    assert not (fresh / ".venv").exists()


def test_a_python_without_venv_is_one_clear_line(fresh: Path) -> None:
    lacking = program(
        fresh / "lacking",
        f'case "$*" in *ensurepip*) exit 1;; *) exec "{sys.executable}" "$@";; esac',
    )
    told = make(fresh, "install", lacking)
    assert told.returncode != 0
    assert "-venv" in told.stderr.splitlines()[0]
    assert not (fresh / ".venv").exists()


def test_help_names_every_chore() -> None:
    told = make(CHECKOUT)
    for chore in ("demo", "test", "check", "bench", "schema", "help"):
        assert f"  make {chore} " in told.stdout
