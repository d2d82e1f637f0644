"""The workspace: where stages put their parts, and how they are committed."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from driver.errors import Failure
from driver.workspace.changes import clean_changes
from driver.workspace.claim import claim
from driver.workspace.cleaning import clean, remove_tree
from driver.workspace.lock import hold_file, hold_heartbeat, remove_orphans, sign
from driver.workspace.owned_files import Source
from driver.workspace.publishing import publish_here, publish_there, recover
from driver.workspace.scratch import (
    SCRATCH,
    local_scratch,
    orphan_folders,
    remote_scratch,
    remove_scratch,
)
from driver.workspace.writable import Writable
from mapsight.files import sha256_of
from mapsight.workspace.document_checks import dumped
from mapsight.workspace.links import files_below, refuse_links
from mapsight.workspace.workspace import STAGE, Part

__all__ = ["SEARCH", "Workspace"]

SEARCH = "search-"
"""How the ids of runs begin that do not hold the workspace."""


class Workspace(Writable):
    """A workspace that one run holds, and in which it commits what stages make.

    Args:
        location: the folder or URI.
        run: what the id of this run begins with.
    """

    _scratch: Path | None = None

    def claim(self) -> None:
        """Mark its folder as a workspace, which must be empty or be one already.

        Raises:
            UsageError: it holds other things; nothing was written.
        """
        if self.local and self._around:
            refuse_links(self._around.root, self.root[len(self._around.root) + 1 :])
        self.fs.makedirs(self.root, exist_ok=True)
        claim(self)

    @property
    def scratch(self) -> Path:
        """Return a local folder for this run only; gone when `locked` ends."""
        if self._around:
            return self._around.scratch
        if self.local:
            folder = local_scratch(Path(self.path(SCRATCH)), self.run_id)
            sign(folder, self.run_id)
            return folder
        if self._scratch is None:
            self._scratch = remote_scratch(self.run_id)
        return self._scratch

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace; clears what dead runs left when it is taken.

        Raises:
            UsageError: its folder is not empty, and no workspace; nothing was written.
            Failure: somebody else holds it.
        """
        self._make()
        claim(self)
        if self.local:
            lock: Any = hold_file(Path(self.path(".lock")), self.location, self.run_id)
        else:
            lock = hold_heartbeat(self.fs, self.path("lock.json"), self.location, self.run_id)
        with lock as self._lost:
            self.note_run()
            self.clean()
            remove_orphans(orphan_folders())
            try:
                yield
            finally:
                self._drop_scratch()

    def _drop_scratch(self) -> None:
        folder = Path(self.path(SCRATCH), self.run_id) if self.local else self._scratch
        self._scratch = None
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            if self.local:
                Path(self.path(SCRATCH)).rmdir()

    def _make(self) -> None:
        try:
            if "s3" in self.fs.protocol:
                self._check_bucket()
            else:
                self.fs.makedirs(self.root, exist_ok=True)
        except OSError as error:
            raise Failure(f"--workspace {self.location}: cannot be made: {error}") from error

    def _check_bucket(self) -> None:
        """A bucket is the user's to make; folders need no making."""
        bucket = self.root.split("/", 1)[0]
        if not self.fs.exists(bucket):
            raise Failure(
                f"--workspace {self.location}: bucket {bucket} does not exist or is not listable"
            )

    def clean(self) -> None:
        """Remove scratch folders and uncommitted parts. Only with the lock held."""
        if self.local:
            recover(self)
            remove_scratch(Path(self.path(SCRATCH)), self.run_id)
        clean(self)
        clean_changes(self)

    def addresses(self, *names: str) -> list[str]:
        """Return the part files that a job left in a folder, by name."""
        path = self.path(*names)
        found = (name[len(path) + 1 :] for name in sorted(self.fs.find(path)))
        return [self.uri(*names, name) for name in found if name.startswith("part-")]

    def drop(self, *names: str) -> None:
        """Remove a folder that this run has made, or that is wholly ours, if it is there."""
        remove_tree(self, *names)

    def new_folder(self, stage: str, fingerprint: str) -> str:
        """Return the name of an empty folder for a stage's parts.

        A cluster may go on for a moment with what an earlier run has started: no run writes
        where another has. What a run that is killed leaves is known by its id.

        Raises:
            Failure: a symbolic link is in its place.
        """
        document = self.committed(stage)
        kept = document["folder"] if document else None
        own = f"{fingerprint}-{self.run_id[-12:]}"
        name = f"{own}-next" if own == kept else own
        self.own(stage, name)
        self.drop(stage, name)
        return name

    def describe(self, stage: str, folder: str) -> list[Part]:
        """Return the parts that lie in a stage's folder, by name, with sizes and checksums.

        Names that Hadoop hides (`_SUCCESS`, `.crc` files) are no parts: it refuses
        them as inputs.
        """
        base = self.path(stage)
        found = self.fs.find(self.path(stage, folder), detail=True) or {}
        shown = [p for p in sorted(found) if not p.rsplit("/", 1)[-1].startswith(("_", "."))]
        return [
            {"name": path[len(base) + 1 :], "bytes": found[path]["size"], **mark}
            for path, mark in zip(shown, self.marks(shown), strict=True)
        ]

    def commit(self, stage: str, document: dict[str, Any]) -> None:
        """Write stage.json, which makes the stage's parts exist.

        Raises:
            Failure: another run has taken the workspace over.
        """
        self.check_held(stage)
        before = self._superseded(stage, document["folder"])
        self.write(dumped({**document, **({"before": before} if before else {})}), stage, STAGE)

    def _superseded(self, stage: str, folder: str) -> list[dict[str, Any]]:
        """Return folders of the stage that the next run takes away, with what is ours in them."""
        old = self.committed(stage)
        if old is None:
            return []
        before = [one for one in old.get("before", []) if old.get("run") == self.run_id]
        parts = [part["name"] for part in old["parts"]]
        before.append({"folder": old["folder"], "parts": parts})
        return [one for one in before if one["folder"] != folder]

    def publish(self, stages: Iterable[str], name: str) -> None:
        """Show the parts of stages as a plain folder; what else is there stays.

        Raises:
            Failure: a part has changed since it was made, or a file of the user's is in its place.
        """
        stages = list(stages)
        if self.local:
            sources = dict(itertools.chain.from_iterable(map(self.sources, stages)))
            publish_here(self, name, sources)
            return
        for stage in stages:
            self.verify(self.required(stage))
        files = dict(itertools.chain.from_iterable(map(self._files_of, stages)))
        with publish_there(self, name, dict.fromkeys(files, "")):
            copies = ((source, self.path(name, inside)) for inside, source in files.items())
            self.together(self.fs.cp_file, copies)

    def sources(self, stage: str) -> Iterator[tuple[str, Source]]:
        """Yield (name in its folder, file) of each part of a stage in a local workspace."""
        document = self.required(stage)
        base = len(document["folder"]) + 1
        for part in document["parts"]:
            path = Path(self.within(stage, part["name"]))
            yield part["name"][base:], Source(path, part.get("sha256", ""), stage)

    def _files_of(self, stage: str) -> Iterator[tuple[str, str]]:
        """Return (name in its folder, place) of each part of a committed stage."""
        document = self.committed(stage)
        assert document is not None
        base = len(document["folder"]) + 1
        return ((p["name"][base:], self.path(stage, p["name"])) for p in document["parts"])

    def replace(self, folder: Path, name: str) -> None:
        """Show the files of a local folder as a folder of the workspace; what else is there stays.

        Locally the old ones are seen or the new, never a mixture.

        Raises:
            Failure: a file of the user's is in the place of one.
        """
        names = [one for one, _ in files_below(folder)]
        if self.local:
            sources = {one: Source(folder / one, sha256_of(folder / one)) for one in names}
            publish_here(self, name, sources)
            return
        with publish_there(self, name, dict.fromkeys(names, "")):
            self.put({str(folder / inside): self.path(name, inside) for inside in names})
