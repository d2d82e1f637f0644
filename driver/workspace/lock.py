"""One run at a time in a workspace; a lock that dies with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from driver.errors import Failure
from mapsight.workspace.documents import holder_document

__all__ = ["OWNER", "died_here", "hold_file", "hold_heartbeat", "is_lock", "remove_orphans", "sign"]

HEARTBEAT_SECONDS = 20.0
STALE_SECONDS = 90.0
OWNER = "owner.json"


def _holder(run_id: str) -> dict[str, Any]:
    return {
        "run": run_id,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "machine": _machine(),
        "born": _born(os.getpid()),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _machine() -> str:
    """What processes that can see each other have in common: the boot and the pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> str:
    """When a process started, in ticks since the boot; nothing if it is not there any more."""
    try:
        # the name before it may have spaces and brackets
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def died_here(holder: dict[str, Any]) -> bool:
    """Whether a holder was a process of this machine that has ended."""
    pid, born, machine = (holder.get(key) for key in ("pid", "born", "machine"))
    known = bool(born) and bool(machine) and isinstance(pid, int)
    return known and machine == _machine() and _born(pid) != born  # type: ignore[arg-type]


def sign(folder: Path, run_id: str) -> None:
    """Say in a folder of this machine which process it belongs to."""
    if not (folder / OWNER).exists():
        (folder / OWNER).write_text(json.dumps(_holder(run_id)), encoding="utf-8")


def remove_orphans(folders: Iterable[Path]) -> None:
    """Remove those of some folders that belong to processes of this machine that have ended."""
    for folder in folders:
        with contextlib.suppress(OSError, ValueError):
            if died_here(holder_document((folder / OWNER).read_bytes())):
                shutil.rmtree(folder, ignore_errors=True)


def is_lock(data: bytes) -> bool:
    """Return whether a lock file holds what a run leaves there: its holder, or nothing."""
    return not data or data.startswith(b'{"run"') or bool(holder_document(data))


def _refusal(where: str, data: bytes) -> Failure:
    try:
        holder = holder_document(data)
        who = "run {run} (process {pid} on {host}, since {since})".format(**holder)
    except KeyError:
        who = "another run"
    return Failure(f"{where} is in use by {who}; wait for it or name another --workspace")


@contextlib.contextmanager
def hold_file(path: Path, where: str, run_id: str) -> Iterator[None]:
    """Hold a local lock file; the kernel lets go of it when the process ends.

    Raises:
        Failure: somebody else holds it, or it is a link or a file that no run has written.
    """
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _refusal(where, file.read()) from None
        if not is_lock(file.read()):
            raise Failure(f"{path} is not a lock of Mapsight; move it away")
        file.seek(0)
        file.truncate()
        file.write(json.dumps(_holder(run_id)).encode())
        file.flush()
        yield
        file.truncate(0)


def _opened(path: Path) -> Any:
    """A regular file to read and write, made if it is not there; no link is followed."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.fdopen(os.open(path, flags, 0o666), "rb+")
    except OSError as error:
        if path.is_symlink():
            why = "is a symbolic link, and nothing is written through one; move it away"
        else:
            why = f"cannot be locked: {error.strerror}"
        raise Failure(f"{path} {why}") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Failure(f"{path} is not a file; move it away")
    return file


@contextlib.contextmanager
def hold_heartbeat(
    file_system: Any,
    path: str,
    where: str,
    run_id: str,
    beat: float = HEARTBEAT_SECONDS,
    stale: float = STALE_SECONDS,
) -> Iterator[threading.Event]:
    """Hold a lock object where there are no file locks.

    The holder writes the time every `beat` seconds; an object older than
    `stale` seconds belongs to a dead run and is taken over, and at once one
    whose process has ended on this machine. Yields an event that is set if
    another run took the lock all the same.
    """
    _refuse_living(file_system, path, where, beat, stale)
    lost, done = threading.Event(), threading.Event()
    holder = _holder(run_id)

    def write(**how: str) -> None:
        document = {**holder, "beat": time.time()}
        file_system.pipe_file(path, json.dumps(document).encode(), **how)

    def keep() -> None:
        while not done.wait(beat):
            # a store out of reach, which each kind says in its own way, tells nothing;
            # stale locks are for the next run to judge
            with contextlib.suppress(Exception):
                if _read(file_system, path).get("run") != run_id:
                    lost.set()
                    return
                write()

    with contextlib.suppress(FileExistsError):
        write(mode="create")
    if _read(file_system, path).get("run") != run_id:
        raise _refusal(where, json.dumps(_read(file_system, path)).encode())
    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()
        with contextlib.suppress(Exception):
            if _read(file_system, path).get("run") == run_id:
                file_system.rm_file(path)


def _read(file_system: Any, path: str) -> dict[str, Any]:
    try:
        return holder_document(file_system.cat_file(path))
    except FileNotFoundError:
        return {}


def _refuse_living(file_system: Any, path: str, where: str, beat: float, stale: float) -> None:
    """Refuse, or make place for a new lock."""
    file_system.invalidate_cache()
    with contextlib.suppress(FileNotFoundError):
        if not is_lock(file_system.cat_file(path)):
            raise Failure(f"{path} is not a lock of Mapsight; move it away")
    holder = _read(file_system, path)
    if holder and not died_here(holder):
        alive = time.time() - holder.get("beat", 0) < stale
        if not alive:
            # the clocks of two machines may differ: a living holder is one that beats
            time.sleep(beat * 1.5)
            file_system.invalidate_cache()
            alive = _read(file_system, path).get("beat") not in (None, holder.get("beat"))
        if alive:
            raise _refusal(where, json.dumps(holder).encode())
    with contextlib.suppress(FileNotFoundError):
        file_system.rm_file(path)
