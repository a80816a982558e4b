"""State folders for the tests of the local stack."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.running import living, stack_run


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own. Not tmp_path, which the servers' user can't enter."""
    folder = Path(tempfile.mkdtemp(prefix="dosecircle-test-")).resolve()
    folder.chmod(0o711)
    monkeypatch.setenv("DOSECIRCLE_STATE", str(folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    yield folder
    assert living(folder) == [], "a server outlived its test"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A state folder whose kept stack has run once: initdb takes seconds, a copy does not."""
    folder = Path(tempfile.mkdtemp(prefix="dosecircle-test-")).resolve()
    folder.chmod(0o711)
    ours = ("DATABASE_URL", "REDIS_URL")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    done = stack_run("--", "true", env=env | {"DOSECIRCLE_STATE": str(folder)})
    assert (done.returncode, done.stderr) == (0, "")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def run_before(state: Path, initialised: Path) -> None:
    """The state of a checkout whose stack has run before."""
    subprocess.run(["cp", "-a", f"{initialised}/.", state], check=True)  # noqa: S607


@pytest.fixture
def no_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack is Valkey alone, which starts at once: for tests of what both have in common."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://real/one")
