"""A workspace that is written to: files put into it whole, never through a link."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from driver.errors import Failure
from mapsight.files import sha256_of, write_whole
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import runs_document
from mapsight.workspace.links import is_linked, refuse_links
from mapsight.workspace.stage_names import ADDITION_STAGES, STAGE_NAMES
from mapsight.workspace.workspace import Workspace

__all__ = ["RUNS", "RUN_ID", "Writable"]

RUN_ID = re.compile(r"(search-)?[0-9a-f]{12}")
RUNS = "mapsight-runs.json"
MOST_RUNS = 500
FILES_AT_ONCE = 8

AnyWritable = TypeVar("AnyWritable", bound="Writable")


class Writable(Workspace):
    """A workspace with a run that writes to it.

    Args:
        location: the folder or URI.
        run: what the id of this run begins with.
    """

    called = "--workspace {}"

    def __init__(self, location: str, run: str = "") -> None:
        super().__init__(location)
        self.run_id = f"{run}{uuid.uuid4().hex[:12]}"
        self._lost: threading.Event | None = None
        self._around: Writable | None = None

    def inside(self: AnyWritable, *names: str) -> AnyWritable:
        """Return a workspace in a folder of this one, under its lock, with its scratch folder."""
        inner = super().inside(*names)
        inner.run_id, inner._lost, inner._around = self.run_id, self._lost, self
        return inner

    @property
    def outermost(self) -> Writable:
        """The workspace that holds the lock: itself, or the one around it."""
        return self._around.outermost if self._around else self

    def runs(self) -> set[str]:
        """Return the ids of runs that have written here; what they left unfinished is ours."""
        try:
            return set(runs_document(self.fs.cat_file(self.path(RUNS))))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DamagedDocumentError):
            return set()

    def note_run(self) -> None:
        """Write down that a run begins, before it writes anything else."""
        try:
            runs = runs_document(self.fs.cat_file(self.path(RUNS)))
        except (FileNotFoundError, DamagedDocumentError):
            runs = []
        if self.run_id not in runs:
            text = json.dumps({"runs": [*runs, self.run_id][-MOST_RUNS:]})
            self.write(f"{text}\n".encode(), RUNS)

    def is_stage(self, name: str) -> bool:
        """Return whether a folder of the workspace belongs to a stage (others are left alone)."""
        return name in STAGE_NAMES or (self._around is not None and name in ADDITION_STAGES)

    def check_held(self, what: str) -> None:
        """Find that another run has taken the workspace over, before something is committed.

        Raises:
            Failure: it has; the message says what is dropped.
        """
        if self._lost is not None and self._lost.is_set():
            raise Failure(f"{self.location} was taken over by another run; {what} is dropped")

    def own(self, *names: str) -> str:
        """Return the path of something in the workspace that is to be written.

        Raises:
            Failure: a symbolic link is in the way.
        """
        if self.local:
            refuse_links(self.root, *names)
        return self.path(*names)

    def write(self, data: bytes, *names: str) -> None:
        """Write a small file, whole or not at all."""
        path = self.own(*names)
        if not self.local:
            self.fs.pipe_file(path, data)
            return
        write_whole(Path(path), data)

    def keep(self, file: Path, *names: str) -> str:
        """Copy a local file into the workspace unless it is there; return its name."""
        path = self.own(*names)
        if not self._is_kept(file, path):
            self._put_file(file, path)
        return "/".join(names)

    def _is_kept(self, file: Path, path: str) -> bool:
        """Return whether a file is there; a local one is read: a damaged one is replaced."""
        there = self.fs.exists(path) and self.fs.size(path) == file.stat().st_size
        return there and (not self.local or sha256_of(path) == sha256_of(file))

    def _put_file(self, file: Path, path: str) -> None:
        """Copy a local file, whole or not at all; archives are not held in memory."""
        if self.local:
            write_whole(Path(path), file.read_bytes())
        else:
            self.fs.put_file(str(file), path)

    def upload(self, folder: Path, *names: str) -> None:
        """Copy a local folder's files to a place in the workspace."""
        target = self.own(*names)
        self.fs.makedirs(target, exist_ok=True)
        files = {
            str(path): f"{target}/{path.relative_to(folder).as_posix()}"
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.put(files)

    def put(self, files: Mapping[str, str]) -> None:
        """Copy local files to paths of the file system, and make the folders that these need."""
        for parent in dict.fromkeys(path.rsplit("/", 1)[0] for path in files.values()):
            self.fs.makedirs(parent, exist_ok=True)
        self.together(self.fs.put_file, files.items())

    def drop_file(self, *names: str) -> None:
        """Remove a file of ours, if it is there; a link is left alone."""
        if not (self.local and is_linked(self.root, *names)):
            with contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(self.path(*names))

    def keep_only(self, names: Sequence[str], files: Collection[str]) -> None:
        """Remove a folder's other files, which an earlier run or a failed task left."""
        path = self.path(*names)
        for file in self.fs.find(path):
            if file[len(path) + 1 :] not in files:
                self.fs.rm_file(file)

    def rename(self, names: Sequence[str], files: Mapping[str, str]) -> None:
        """Give files of a folder new names.

        Args:
            files: new names by old ones.
        """
        path = self.path(*names)
        moves = ((f"{path}/{old}", f"{path}/{new}") for old, new in files.items())
        self.together(self.fs.mv, moves)

    def together(self, do: Callable[..., object], what: Iterable[tuple[str, ...]]) -> None:
        """Call a function with each of these, some at the same time: stores answer slowly.

        Raises:
            OSError: one failed; those that had not begun are left.
        """
        pool = ThreadPoolExecutor(
            min(FILES_AT_ONCE, getattr(self.fs, "lists_at_once", FILES_AT_ONCE))
        )
        try:
            for done in [pool.submit(do, *arguments) for arguments in what]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
