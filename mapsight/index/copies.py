"""Copies of a workspace's files on this machine: made once, whole or not at all, by one process."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from mapsight.errors import Failure
from mapsight.files import locked
from mapsight.index.mapped import DamagedError
from mapsight.workspace.workspace import Workspace

__all__ = ["Copies", "Copy"]

ABOUT = "copy.json"
UNFINISHED = ".part"
FORM = 2
"""Of what a copy holds; others are made anew."""

Got = TypeVar("Got")
Make = Callable[[Path], dict[str, Any]]
"""Writes the files of a copy into an empty folder; what is to be known of them."""


class Copies:
    """A folder of copies, each in a folder named by its kind and the digest of what it is of.

    Args:
        workspace: that they are of.
        folder: where to keep them, in a folder for this workspace; None takes the folder
            `copy` of a local workspace, or the user's cache.
        tell: is called with a line before a copy is made, which may take a while.
    """

    def __init__(
        self, workspace: Workspace, folder: str | None, tell: Callable[[str], object] = str
    ) -> None:
        self._tell = tell
        address = workspace.uri()
        own = hashlib.sha256(address.encode()).hexdigest()[:16]
        if folder is not None:
            self.root = Path(folder).absolute() / own
        elif workspace.local:
            self.root = Path(workspace.path("copy"))
        else:
            cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
            self.root = Path(cache) / "mapsight" / "copies" / own

    @contextlib.contextmanager
    def opened(
        self,
        kind: str,
        digest: str,
        size: int,
        make: Make,
        kept: Collection[str] = (),
        damaged: str = "",
        doing: str = "copying",
    ) -> Iterator[Path]:
        """The folder of a copy, made if it is not there; nobody removes it in this time.

        Copies of the same kind with another digest are removed, but for those of `kept`.
        A process that comes while another makes the copy waits for it.

        Args:
            size: about how many bytes it takes.
            damaged: the mark of a copy that is to be made anew.
            doing: what is told of making it.

        Raises:
            Failure: there is no room for it, or the folder cannot be written.
        """
        path, *others = (self.root / f"{kind}-{one[:32]}-{FORM}" for one in (digest, *kept))
        with self._alone(path):
            if not _whole(path) or (damaged and _mark(path) == damaged):
                with self._explained():
                    self._make(path, digest, size, make, doing)
                self._remove_others(kind, [path, *others])
            yield path

    @contextlib.contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.root / "copies"))
            except OSError as error:
                if not _whole(path):  # one that is there may lie where nobody writes
                    raise self._failure(error) from error
            yield

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """The time in which the copy is made."""
        try:
            yield
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> Failure:
        why = error.strerror or str(error)
        return Failure(
            f"{self.root}: no copy of the index: {why}; name a folder with --copy FOLDER"
        )

    def _make(self, path: Path, digest: str, size: int, make: Make, doing: str) -> None:
        part = self.root / UNFINISHED
        shutil.rmtree(part, ignore_errors=True)  # its maker is dead, for the lock is ours
        shutil.rmtree(path, ignore_errors=True)
        part.mkdir()
        try:
            if shutil.disk_usage(part).free < size:
                raise OSError(errno.ENOSPC, f"{size / 1e6:,.1f} MB are needed")
            self._tell(f"{doing} {size / 1e6:,.1f} MB to {path} (once)\n")
            about = make(part)
            files = {file.name: file.stat().st_size for file in sorted(part.iterdir())}
            for name in files:
                _settle(part / name)
            text = json.dumps({**about, "digest": digest, "files": files}, indent=1)
            (part / ABOUT).write_text(f"{text}\n", encoding="utf-8")
            _settle(part / ABOUT)
            part.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _remove_others(self, kind: str, kept: Collection[Path]) -> None:
        for other in self.root.glob(f"{kind}-*"):
            if other not in kept:
                shutil.rmtree(other, ignore_errors=True)


class Copy:
    """A copy that is made anew when what is read of it is damaged.

    Args:
        opened: `Copies.opened` with all that it needs.
    """

    def __init__(self, opened: Callable[..., AbstractContextManager[Path]]) -> None:
        self._opened, self._mark = opened, ""

    def read(self, read: Callable[[Path], Got]) -> Got:
        """Return what `read` gives for the copy's folder, which stays while it reads."""
        try:
            with self._opened() as folder:
                self._mark = _mark(folder)
                return read(folder)
        except DamagedError:
            return self.again(read)

    def again(self, read: Callable[[Path], Got]) -> Got:
        """Make the copy that was last read anew, unless somebody has by now, and read that.

        Raises:
            DamagedError: this one is damaged too.
        """
        with self._opened(damaged=self._mark) as folder:
            self._mark = _mark(folder)
            return read(folder)


def _mark(path: Path) -> str:
    """Return what tells a copy from one that was made later in the same folder."""
    found = (path / ABOUT).stat()
    return f"{found.st_ino} {found.st_mtime_ns}"


def _settle(path: Path) -> None:
    """Bring a file to the disk, which is when some disks say that they are full."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _whole(path: Path) -> bool:
    """Whether a copy is there with all of its files, by their sizes."""
    try:
        files = json.loads((path / ABOUT).read_text(encoding="utf-8"))["files"]
        return all((path / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
