"""Postgres and Valkey for the demo and the tests, embedded unless the environment names others.

python -m dev.stack run [--throwaway] -- COMMAND...
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - read by an old Python, before anything it can't import
    sys.stderr.write(
        "Dosecircle needs Python 3.11 or newer, and this is %d.%d: "  # noqa: UP031
        "install a newer one, or name it as in `make PYTHON=python3.12`.\n" % sys.version_info[:2]
    )
    sys.exit(2)

import argparse
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.folders import discard, home, make_private, new_throwaway, plainly
from dev.postgres import Postgres
from dev.processes import Process, Trouble, free_port, spawn
from dev.valkey import Valkey

__all__ = ["Postgres", "Process", "Stack", "Trouble", "Valkey", "free_port", "spawn"]

_SI_KERNEL = 0x80


class Stack:
    """Postgres and Valkey, running inside the `with` block.

    A server that `environ` names (DATABASE_URL, REDIS_URL) is not started, and its address is
    passed on unchanged. Fault tests, that need a server to kill, give `environ={}`.
    """

    def __init__(self, folder: Path | None, environ: Mapping[str, str] | None = None) -> None:
        """`folder` None: a throwaway one, deleted at the end. `environ` None: the process's."""
        self._folder = folder
        self._environ = os.environ if environ is None else environ
        self._throwaway: tuple[Path, int] | None = None
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None

    @classmethod
    def kept(cls, environ: Mapping[str, str] | None = None) -> Self:
        """This checkout's and user's own: its data stay from run to run."""
        return cls(home() / "kept", environ)

    @classmethod
    def throwaway(cls, environ: Mapping[str, str] | None = None) -> Self:
        """A fresh one beside any other, fast rather than durable, and deleted at the end."""
        return cls(None, environ)

    @property
    def postgres(self) -> Postgres:
        """Raises Trouble if DATABASE_URL named a server that isn't ours."""
        if self._postgres is None:
            raise Trouble("DATABASE_URL names the database: there is none of ours to handle.")
        return self._postgres

    @property
    def valkey(self) -> Valkey:
        """Raises Trouble if REDIS_URL named a server that isn't ours."""
        if self._valkey is None:
            raise Trouble("REDIS_URL names the server: there is none of ours to handle.")
        return self._valkey

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL, for the programs that use the stack."""
        return {
            "DATABASE_URL": self._environ.get("DATABASE_URL") or self.postgres.url(),
            "REDIS_URL": self._environ.get("REDIS_URL") or self.valkey.url(),
        }

    def __enter__(self) -> Self:
        """Start what is needed. Raises Trouble, with nothing left running."""
        try:
            with plainly(self._folder or home()):
                self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what was started, and delete it if it was a throwaway."""
        self._stop()

    def _start(self) -> None:
        own_postgres = not self._environ.get("DATABASE_URL")
        own_valkey = not self._environ.get("REDIS_URL")
        if not (own_postgres or own_valkey):
            return
        folder = self._folder
        if folder is None:
            self._throwaway = new_throwaway(home())
            folder = self._throwaway[0]
        else:
            make_private(folder.parent)
            make_private(folder)
        if own_postgres:
            self._postgres = Postgres(folder / "postgres", durable=self._folder is not None)
            self._postgres.start()
        if own_valkey:
            self._valkey = Valkey(folder / "valkey")
            self._valkey.start()

    def _stop(self) -> None:
        if self._valkey is not None:
            self._valkey.stop()
        if self._postgres is not None:
            self._postgres.stop()
        if self._throwaway is not None:
            folder, lock = self._throwaway
            self._throwaway = None
            discard(folder)
            os.close(lock)


def run(command: list[str], stack: Stack) -> int:
    """Run a command beside the stack; answers its exit status (128 + the signal that ended it)."""
    awaited = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        with stack:
            # Until the servers are stopped: an impatient second Ctrl-C must not leave them half so.
            signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
            child = spawn(command, env=os.environ | stack.environment(), foreground=True)
            status = child.poll()
            while status is None:
                news = signal.sigwaitinfo(awaited)
                # A Ctrl-C comes from the kernel to the whole foreground group: the child has it
                # already, and a second one would cut its cleaning up short.
                if news.si_signo != signal.SIGCHLD and news.si_code != _SI_KERNEL:
                    child.send(news.si_signo)
                status = child.poll()
            child.kill()  # has ended: this reaps it
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return status if status >= 0 else 128 - status


def main(arguments: list[str]) -> int:
    """The command line; answers the exit status: the command's, or 2 after a line of Trouble."""
    parser = argparse.ArgumentParser(prog="python -m dev.stack", description="Embedded servers.")
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("run", help="run a command with DATABASE_URL and REDIS_URL set")
    verb.add_argument("--throwaway", action="store_true", help="servers of its own, then deleted")
    verb.add_argument("command", nargs="+", help="after --")
    chosen = parser.parse_args(arguments)
    try:
        return run(chosen.command, Stack.throwaway() if chosen.throwaway else Stack.kept())
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
