"""One run at a time in a workspace; a lock that dies with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from driver.errors import Failure

__all__ = ["hold_file", "hold_heartbeat", "remove_orphans", "sign"]

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


def _died_here(holder: dict[str, Any]) -> bool:
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
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if _died_here(json.loads((folder / OWNER).read_text(encoding="utf-8"))):
                shutil.rmtree(folder, ignore_errors=True)


def _refusal(where: str, text: str) -> Failure:
    try:
        holder = json.loads(text)
        who = "run {run} (process {pid} on {host}, since {since})".format(**holder)
    except (ValueError, KeyError, TypeError):
        who = "another run"
    return Failure(f"{where} is in use by {who}; wait for it or name another --workspace")


@contextlib.contextmanager
def hold_file(path: Path, where: str, run_id: str) -> Iterator[None]:
    """Hold a local lock file; the kernel lets go of it when the process ends."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise _refusal(where, file.read()) from None
        file.truncate(0)
        file.write(json.dumps(_holder(run_id)))
        file.flush()
        yield
        file.truncate(0)


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
        raise _refusal(where, json.dumps(_read(file_system, path)))
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
        return json.loads(file_system.cat_file(path))
    except (FileNotFoundError, ValueError):
        return {}


def _refuse_living(file_system: Any, path: str, where: str, beat: float, stale: float) -> None:
    """Refuse, or make place for a new lock."""
    file_system.invalidate_cache()
    holder = _read(file_system, path)
    if holder and not _died_here(holder):
        alive = time.time() - holder.get("beat", 0) < stale
        if not alive:
            # the clocks of two machines may differ: a living holder is one that beats
            time.sleep(beat * 1.5)
            file_system.invalidate_cache()
            alive = _read(file_system, path).get("beat") not in (None, holder.get("beat"))
        if alive:
            raise _refusal(where, json.dumps(holder))
    with contextlib.suppress(FileNotFoundError):
        file_system.rm_file(path)
