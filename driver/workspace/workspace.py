"""The workspace: where stages put their parts, and how they are committed."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import threading
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from driver.errors import Failure, UsageError
from driver.workspace.changes import clean_changes
from driver.workspace.cleaning import clean_stage, clean_top, remove_scratch, remove_tree
from driver.workspace.inside import files_below, is_linked, refuse_links, stays_inside
from driver.workspace.lock import hold_file, hold_heartbeat, remove_orphans, sign
from driver.workspace.mark import claim, is_workspace, note_run
from driver.workspace.publishing import Source, publish_here, publish_there, recover
from driver.workspace.scratch import local_scratch, orphan_folders, remote_scratch
from mapsight.files import sha256_of, write_whole
from mapsight.storage.uri import resolve
from mapsight.workspace.document_checks import DamagedDocumentError, dumped
from mapsight.workspace.documents import (
    ADDITION_STAGES,
    STAGE_FIELDS,
    STAGE_NAMES,
    stage_document,
)

__all__ = ["SEARCH", "STAGE_FIELDS", "Part", "Workspace", "is_current"]

Part = dict[str, Any]
"""A file of a stage: `name` relative to its folder, `bytes`, `sha256` (local) or `stamp`."""

MARKS = ("sha256", "stamp")
SCRATCH, STAGE = ".tmp", "stage.json"
ANEW = "; run the pipeline again, which makes the stage anew"
SEARCH = "search-"
"""How the ids of runs begin that do not hold the workspace."""


class Workspace:
    """A folder or URI in which a pipeline keeps what it has done.

    ``STAGE/<fingerprint>/…`` are the parts of a stage, ``STAGE/stage.json`` is
    written last and names them: what it does not name does not exist.

    Args:
        location: the folder or URI.
        run: what the id of this run begins with.
    """

    def __init__(self, location: str, run: str = "") -> None:
        self.location = location
        try:
            self.fs, root = resolve(location)
        except (ValueError, ImportError, OSError) as error:
            raise Failure(f"--workspace {location}: {error}") from error
        self.root = root.rstrip("/") or "/"
        if any(character in self.root for character in "#*?[],"):
            raise UsageError(f"--workspace {location}: may not have any of # * ? [ ] , in its name")
        self.local = isinstance(self.fs, LocalFileSystem)
        self.run_id = f"{run}{uuid.uuid4().hex[:12]}"
        self._lost: threading.Event | None = None
        self._around: Workspace | None = None
        self._scratch: Path | None = None

    def is_there(self) -> bool:
        """Whether a run has made it."""
        return is_workspace(self)

    def _holds_nothing(self) -> bool:
        """Whether its folder holds nothing but what locks leave."""
        names = (name.rstrip("/").rsplit("/", 1)[-1] for name in self.fs.ls(self.root, False))
        return all(name.startswith((".", "lock.json")) for name in names)

    def uri(self, *names: str) -> str:
        """The absolute address of something in the workspace."""
        path = "/".join([self.root, *names])
        return path if self.local else self.fs.unstrip_protocol(path)

    def path(self, *names: str) -> str:
        """The place of something in the workspace, for its file system."""
        return "/".join([self.root, *names])

    def inside(self, *names: str) -> Workspace:
        """A workspace in a folder of this one, under its lock and with its scratch folder."""
        found = Workspace(self.uri(*names))
        found.run_id, found._lost, found._around = self.run_id, self._lost, self
        return found

    @property
    def outermost(self) -> Workspace:
        """The workspace that holds the lock: itself, or the one around it."""
        return self._around.outermost if self._around else self

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
        """A local folder for this run only; gone when `locked` ends."""
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
            note_run(self)
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
            raise Failure(f"--workspace {self.location}: no bucket {bucket} that you may list")

    def clean(self) -> None:
        """Remove scratch folders and uncommitted parts. Only with the lock held."""
        if self.local:
            recover(self)
            remove_scratch(Path(self.path(SCRATCH)), self.run_id)
        entries = list(self.fs.ls(self.root, detail=True))
        clean_top(self, entries)
        for entry in entries:
            name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
            if entry["type"] == "directory" and self.is_stage(name):
                clean_stage(self, name)
        clean_changes(self)

    def is_stage(self, name: str) -> bool:
        """Whether a folder of the workspace belongs to a stage (others are left alone)."""
        return name in STAGE_NAMES or (self._around is not None and name in ADDITION_STAGES)

    def committed(self, stage: str) -> dict[str, Any] | None:
        """A stage's stage.json; None if it is not committed, or damaged."""
        return self._read(stage)[0]

    def fault(self, stage: str) -> str:
        """What is wrong with a stage's stage.json, by name; "" if nothing is, or none is there."""
        reason = self._read(stage)[1]
        return f"{self.uri(stage, STAGE)} is not what a run writes ({reason})" if reason else ""

    def required(self, stage: str, otherwise: str = "") -> dict[str, Any]:
        """A stage's stage.json.

        Args:
            otherwise: what is wrong if there is none.

        Raises:
            Failure: the stage is not committed, or its document is damaged.
        """
        document = self.committed(stage)
        if document is not None:
            return document
        fault = self.fault(stage)
        if not fault:
            self.require_workspace()
        missing = otherwise or f"stage {stage} is not finished; run the pipeline first"
        raise Failure(f"{fault}{ANEW}" if fault else f"{self.location}: {missing}")

    def sound(self, stage: str) -> dict[str, Any] | None:
        """A stage's stage.json; None if it is not committed.

        Raises:
            Failure: its document is damaged: what it would give is not to be left out silently.
        """
        document = self.committed(stage)
        fault = "" if document else self.fault(stage)
        if fault:
            raise Failure(f"{fault}{ANEW}")
        return document

    def require_workspace(self) -> None:
        """Raises Failure unless there is a workspace; says what is there instead."""
        if self.is_there():
            return
        there = self.fs.exists(self.root) and not self._holds_nothing()
        what = "is no workspace of Mapsight" if there else "no workspace is there"
        raise Failure(f"{self.location}: {what}")

    def _read(self, stage: str) -> tuple[dict[str, Any] | None, str]:
        """(document, "") or (None, why it is none)."""
        if self.local and is_linked(self.root, stage, STAGE):
            return None, "a symbolic link"
        try:
            return stage_document(self.fs.cat_file(self.path(stage, STAGE)), stage), ""
        except (FileNotFoundError, NotADirectoryError):
            return None, ""
        except (DamagedDocumentError, IsADirectoryError) as error:
            return None, str(error) if isinstance(error, ValueError) else "a folder"
        except OSError as error:
            raise Failure(f"{self.uri(stage, STAGE)}: cannot be read: {error}") from error

    def intact(self, document: dict[str, Any]) -> bool:
        """Whether every part that a stage.json names is there with its size."""
        folder, inside = self.path(document["stage"], document["folder"]), document["folder"]
        if self.local and is_linked(self.root, document["stage"], inside):
            return False
        sizes = {f"{inside}/{name}": size for name, size in self._sizes(folder)}
        return all(sizes.get(part["name"]) == part["bytes"] for part in document["parts"])

    def _sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        """(name, bytes) of the files below a folder; links are none."""
        if self.local:
            yield from ((n, f.st_size) for n, f in files_below(folder) if S_ISREG(f.st_mode))
            return
        for path, info in (self.fs.find(folder, detail=True) or {}).items():
            yield path[len(folder) + 1 :], info["size"]

    def verify(self, document: dict[str, Any]) -> None:
        """Compare a stage's parts with what stage.json says of them; sizes alone miss much.

        Local parts are read for their SHA-256, which finds bit rot too. Of remote
        ones the store's own checksum or stamp is asked for: HDFS and S3 hold bytes
        to their checksums whenever they are read.

        Raises:
            Failure: a part has changed; the message names it.
        """
        changed = self.changed(document)
        if changed:
            stage = document["stage"]
            raise Failure(
                f"{self.uri(stage, changed)} has changed since it was made;"
                f" run with --force {stage}"
            )

    def changed(self, document: dict[str, Any]) -> str:
        """The first part of a stage that is not as stage.json says; "" if all are."""
        stage = document["stage"]
        paths = [self.path(stage, part["name"]) for part in document["parts"]]
        for part, mark in zip(document["parts"], self._marks(paths), strict=True):
            if not _agree(mark, {key: part[key] for key in MARKS if key in part}):
                return part["name"]
        return ""

    def _marks(self, paths: list[str]) -> Iterator[dict[str, str]]:
        """What changes when a part's bytes do, for each."""
        if self.local:
            return ({"sha256": sha256_of(Path(path))} for path in paths)
        if hasattr(self.fs, "checksums"):
            return ({"stamp": text} for text in self.fs.checksums(paths))
        return ({"stamp": str(self.fs.checksum(path))} for path in paths)

    def parts(self, stage: str) -> list[str]:
        """Addresses of the parts of a committed stage.

        Raises:
            Failure: the stage is not committed, or a part is missing or has changed.
        """
        document = self.required(stage)
        if not self.intact(document):
            raise Failure(
                f"{self.location}: parts of {stage} are missing; run with --force {stage}"
            )
        return [self.uri(stage, part["name"]) for part in document["parts"]]

    def sound_parts(self, stage: str, ending: str = "") -> list[str]:
        """Addresses of the parts of a committed stage, as they were when it was made.

        Local ones are read for their SHA-256; of remote ones the store holds the bytes to
        its checksums.

        Args:
            ending: of the names of those that are wanted.

        Raises:
            Failure: the stage is not committed, a part is missing, or one of these has changed.
        """
        addresses, document = self.parts(stage), self.required(stage)
        wanted = [part for part in document["parts"] if part["name"].endswith(ending)]
        if self.local:
            self.verify({**document, "parts": wanted})
        return [address for address in addresses if address.endswith(ending)]

    def addresses(self, *names: str) -> list[str]:
        """The part files that a job left in a folder, by name."""
        path = self.path(*names)
        found = (name[len(path) + 1 :] for name in sorted(self.fs.find(path)))
        return [self.uri(*names, name) for name in found if name.startswith("part-")]

    def drop(self, *names: str) -> None:
        """Remove a folder that this run has made, or that is wholly ours, if it is there."""
        remove_tree(self, *names)

    def drop_file(self, *names: str) -> None:
        """Remove a file of ours, if it is there; a link is left alone."""
        if not (self.local and is_linked(self.root, *names)):
            with contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(self.path(*names))

    def within(self, *names: str) -> str:
        """The address of something that a document names, to read it.

        Raises:
            Failure: a symbolic link leads out of the workspace.
        """
        if self.local and not stays_inside(self.root, *names):
            raise Failure(f"{self.uri(*names)} leads out of the workspace; nothing there is read")
        return self.uri(*names)

    def own(self, *names: str) -> str:
        """The path of something in the workspace that is to be written.

        Raises:
            Failure: a symbolic link is in the way.
        """
        if self.local:
            refuse_links(self.root, *names)
        return self.path(*names)

    def new_folder(self, stage: str, fingerprint: str) -> str:
        """The name of an empty folder for a stage's parts.

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
        """The parts that lie in a stage's folder, by name, with sizes and checksums.

        Names that Hadoop hides (`_SUCCESS`, `.crc` files) are no parts: it refuses
        them as inputs.
        """
        base = self.path(stage)
        found = self.fs.find(self.path(stage, folder), detail=True) or {}
        shown = [p for p in sorted(found) if not p.rsplit("/", 1)[-1].startswith(("_", "."))]
        return [
            {"name": path[len(base) + 1 :], "bytes": found[path]["size"], **mark}
            for path, mark in zip(shown, self._marks(shown), strict=True)
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
        """Folders of the stage that the next run takes away, with what is ours in them."""
        old = self.committed(stage)
        if old is None:
            return []
        before = [one for one in old.get("before", []) if old.get("run") == self.run_id]
        parts = [part["name"] for part in old["parts"]]
        before.append({"folder": old["folder"], "parts": parts})
        return [one for one in before if one["folder"] != folder]

    def check_held(self, what: str) -> None:
        """Find that another run has taken the workspace over, before something is committed.

        Raises:
            Failure: it has; the message says what is dropped.
        """
        if self._lost is not None and self._lost.is_set():
            raise Failure(f"{self.location} was taken over by another run; {what} is dropped")

    def write(self, data: bytes, *names: str) -> None:
        """Write a small file, whole or not at all."""
        path = self.own(*names)
        if not self.local:
            self.fs.pipe_file(path, data)
            return
        write_whole(Path(path), data)

    def keep(self, file: Path, *names: str) -> str:
        """Copy a local file into the workspace unless it is there; its name."""
        path = self.own(*names)
        if not self._is_kept(file, path):
            self._put_file(file, path)
        return "/".join(names)

    def _is_kept(self, file: Path, path: str) -> bool:
        """Whether a file is there; a local one is read, so that a damaged one is replaced."""
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
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                inside = f"{target}/{path.relative_to(folder).as_posix()}"
                self.fs.makedirs(inside.rsplit("/", 1)[0], exist_ok=True)
                self.fs.put_file(str(path), inside)

    def download(self, addresses: Iterable[str], folder: Path) -> list[str]:
        """Local paths of parts; those of a remote workspace are copied to `folder`."""
        if self.local:
            return list(addresses)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, address in enumerate(addresses):
            if "://" not in address:
                paths.append(address)
                continue
            suffix = "".join(Path(address).suffixes[-1:])
            paths.append(str(folder / f"{number:06d}{suffix}"))
            self.fetch(address, paths[-1])
        return paths

    def fetch(self, address: str, path: str | Path) -> None:
        """Copy the file at an address of the workspace to this machine."""
        self.fs.get_file(self.fs._strip_protocol(address), str(path))

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
        for inside in publish_there(self, name, dict.fromkeys(files, "")):
            self.fs.cp_file(files[inside], self.path(name, inside))

    def sources(self, stage: str) -> Iterator[tuple[str, Source]]:
        """(name in its folder, file) of each part of a committed stage in a local workspace."""
        document = self.required(stage)
        base = len(document["folder"]) + 1
        for part in document["parts"]:
            path = Path(self.within(stage, part["name"]))
            yield part["name"][base:], Source(path, part.get("sha256", ""), stage)

    def _files_of(self, stage: str) -> Iterator[tuple[str, str]]:
        """(name in its folder, place) of each part of a committed stage."""
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
        for inside in publish_there(self, name, dict.fromkeys(names, "")):
            target = self.path(name, inside)
            self.fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            self.fs.put_file(str(folder / inside), target)

    def keep_only(self, names: Sequence[str], files: Collection[str]) -> None:
        """Remove a folder's other files, which an earlier run or a failed task left."""
        path = self.path(*names)
        for found in self.fs.find(path):
            if found[len(path) + 1 :] not in files:
                self.fs.rm_file(found)


def is_current(
    workspace: Workspace,
    document: dict[str, Any],
    known: dict[str, dict[str, Any] | None] | None = None,
    trail: Collection[str] = (),
) -> bool:
    """Whether a stage was made from what the stages before it hold now.

    Args:
        known: what is committed, by stage; what is read is added.
        trail: stages that were made of this one, if documents lead in circles.
    """
    known = {} if known is None else known
    for name in document["inputs"].keys() - known.keys():
        known[name] = workspace.committed(name)
    needs = {name: known[name] for name in document["inputs"]}
    below = {*trail, document["stage"]}
    return document["stage"] not in trail and all(
        need is not None
        and need["digest"] == document["inputs"][name]
        and is_current(workspace, need, known, below)
        for name, need in needs.items()
    )


def _agree(found: dict[str, str], known: dict[str, str]) -> bool:
    """Whether two marks of a part agree; those of two ways to HDFS cannot be compared."""
    times = [mark.get("stamp", "").startswith("modified:") for mark in (found, known)]
    return found == known or times[0] != times[1]
