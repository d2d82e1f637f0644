"""The workspace: where stages put their parts, and how they are committed."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import threading
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from driver.changes import CHANGES, clean_changes
from driver.errors import Failure, UsageError
from driver.lock import hold_file, hold_heartbeat, remove_orphans
from driver.scratch import local_scratch, orphan_folders, remote_scratch
from mapsight.inputs import resolve
from mapsight.integrity import sha256_of, write_whole

__all__ = ["SEARCH", "STAGE_FIELDS", "Part", "Workspace", "is_current"]

Part = dict[str, Any]
"""A file of a stage: `name` relative to its folder, `bytes`, `sha256` (local) or `stamp`."""

MARKS = ("sha256", "stamp")
SCRATCH = ".tmp"
SEARCH = "search-"
"""How the ids of runs begin that do not hold the workspace."""
UNFINISHED = (".part", "._COPYING_", "_$folder$")
"""How files end that a dead writer left, here or in `hadoop fs`, or EMR for a folder on S3."""


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
        """Whether its folder is there and holds more than what locks leave."""
        try:
            if not self.fs.isdir(self.root):
                return False
            names = (name.rstrip("/").rsplit("/", 1)[-1] for name in self.fs.ls(self.root, False))
            return any(not name.startswith((".", "lock.json")) for name in names)
        except FileNotFoundError:
            return False

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
    def scratch(self) -> Path:
        """A local folder for this run only; gone when `locked` ends."""
        if self._around:
            return self._around.scratch
        if self.local:
            return local_scratch(Path(self.path(SCRATCH)), self.run_id)
        if self._scratch is None:
            self._scratch = remote_scratch(self.run_id)
        return self._scratch

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace; clears what dead runs left when it is taken."""
        self._make()
        if self.local:
            lock: Any = hold_file(Path(self.path(".lock")), self.location, self.run_id)
        else:
            lock = hold_heartbeat(self.fs, self.path("lock.json"), self.location, self.run_id)
        with lock as self._lost:
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
            shutil.rmtree(self.path(SCRATCH), ignore_errors=True)
        for entry in self.fs.ls(self.root, detail=True):
            name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
            if entry["type"] == "directory" and self.is_stage(name):
                self._clean_stage(name)
            elif name.endswith(UNFINISHED) and name.startswith((".", "lock.json", CHANGES)):
                self.fs.rm_file(entry["name"])
        clean_changes(self)

    def is_stage(self, name: str) -> bool:
        """Whether a folder of the workspace belongs to a stage (others are left alone)."""
        return name in STAGE_NAMES or (self._around is not None and name in ADDITION_STAGES)

    def _clean_stage(self, stage: str) -> None:
        document = self.committed(stage)
        kept = document["folder"] if document else None
        for entry in self.fs.ls(self.path(stage), detail=True):
            name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
            if name.endswith(UNFINISHED) or (entry["type"] == "directory" and name != kept):
                self.fs.rm(self.path(stage, name), recursive=True)

    def committed(self, stage: str) -> dict[str, Any] | None:
        """A stage's stage.json, or None if it is not committed."""
        try:
            document = json.loads(self.fs.cat_file(self.path(stage, "stage.json")))
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise Failure(f"{self.uri(stage, 'stage.json')}: cannot be read: {error}") from error
        whole = isinstance(document, dict) and document.keys() >= STAGE_FIELDS
        return document if whole else None

    def intact(self, document: dict[str, Any]) -> bool:
        """Whether every part that a stage.json names is there with its size."""
        base = len(self.path(document["stage"])) + 1
        folder = self.path(document["stage"], document["folder"])
        found = self.fs.find(folder, detail=True) or {}
        sizes = {path[base:]: info["size"] for path, info in found.items()}
        return all(sizes.get(part["name"]) == part["bytes"] for part in document["parts"])

    def verify(self, document: dict[str, Any]) -> None:
        """Compare a stage's parts with what stage.json says of them; sizes alone miss much.

        Local parts are read for their SHA-256, which finds bit rot too. Of remote
        ones the store's own checksum or stamp is asked for: HDFS and S3 hold bytes
        to their checksums whenever they are read.

        Raises:
            Failure: a part has changed; the message names it.
        """
        stage = document["stage"]
        paths = [self.path(stage, part["name"]) for part in document["parts"]]
        for part, mark in zip(document["parts"], self._marks(paths), strict=True):
            if not _agree(mark, {key: part[key] for key in MARKS if key in part}):
                address = self.uri(stage, part["name"])
                raise Failure(f"{address} has changed since it was made; run with --force {stage}")

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
        document = self.committed(stage)
        if document is None:
            raise Failure(f"{self.location}: stage {stage} is not finished; run the pipeline first")
        if not self.intact(document):
            raise Failure(
                f"{self.location}: parts of {stage} are missing; run with --force {stage}"
            )
        return [self.uri(stage, part["name"]) for part in document["parts"]]

    def addresses(self, *names: str) -> list[str]:
        """The part files that a job left in a folder, by name."""
        path = self.path(*names)
        found = (name[len(path) + 1 :] for name in sorted(self.fs.find(path)))
        return [self.uri(*names, name) for name in found if name.startswith("part-")]

    def drop(self, *names: str) -> None:
        """Remove a folder, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm(self.path(*names), recursive=True)

    def new_folder(self, stage: str, fingerprint: str) -> str:
        """The name of an empty folder for a stage's parts.

        A cluster may go on for a moment with what an earlier run has started: on one,
        no run writes where another has.
        """
        document = self.committed(stage)
        kept = document["folder"] if document else None
        own = f"{fingerprint}-{self.run_id}"
        names = [fingerprint, own] if self.local else [own, f"{own}-next"]
        name = names[names[0] == kept]
        if self.fs.exists(self.path(stage, name)):
            self.fs.rm(self.path(stage, name), recursive=True)
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
        data = json.dumps(document, indent=1).encode()
        self.write(data, stage, "stage.json")

    def check_held(self, what: str) -> None:
        """Find that another run has taken the workspace over, before something is committed.

        Raises:
            Failure: it has; the message says what is dropped.
        """
        if self._lost is not None and self._lost.is_set():
            raise Failure(f"{self.location} was taken over by another run; {what} is dropped")

    def write(self, data: bytes, *names: str) -> None:
        """Write a small file, whole or not at all."""
        path = self.path(*names)
        if not self.local:
            self.fs.pipe_file(path, data)
            return
        write_whole(Path(path), data)

    def keep(self, file: Path, *names: str) -> str:
        """Copy a local file into the workspace unless it is there; its name."""
        path = self.path(*names)
        if not self.fs.exists(path) or self.fs.size(path) != file.stat().st_size:
            self._put_file(file, path)
        return "/".join(names)

    def _put_file(self, file: Path, path: str) -> None:
        """Copy a local file, whole or not at all; archives are not held in memory."""
        if self.local:
            write_whole(Path(path), file.read_bytes())
        else:
            self.fs.put_file(str(file), path)

    def upload(self, folder: Path, *names: str) -> None:
        """Copy a local folder's files to a place in the workspace."""
        target = self.path(*names)
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
        """Show the parts of stages as a plain folder."""
        files = dict(itertools.chain.from_iterable(map(self._files_of, stages)))
        if not self.local:
            for inside, source in files.items():
                self.fs.cp_file(source, self.path(name, inside))
            self.keep_only((name,), files)
            return
        new = self.scratch / f"publish-{name}"
        for inside, source in files.items():
            path = new / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, path)
        self.replace(new, name)

    def _files_of(self, stage: str) -> Iterator[tuple[str, str]]:
        """(name in its folder, place) of each part of a committed stage."""
        document = self.committed(stage)
        assert document is not None
        base = len(document["folder"]) + 1
        return ((p["name"][base:], self.path(stage, p["name"])) for p in document["parts"])

    def replace(self, folder: Path, name: str) -> None:
        """Put a local folder in the place of one in the workspace.

        Locally the old one is seen or the new, never a mixture.
        """
        if not self.local:
            self.upload(folder, name)
            files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
            self.keep_only((name,), files)
            return
        target, new = Path(self.path(name)), self.scratch / f"new-{name}"
        shutil.move(folder, new)
        if target.exists():
            target.rename(self.scratch / f"old-{name}")
        new.rename(target)
        shutil.rmtree(self.scratch / f"old-{name}", ignore_errors=True)

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
) -> bool:
    """Whether a stage was made from what the stages before it hold now.

    Args:
        known: what is committed, by stage; what is read is added.
    """
    known = {} if known is None else known
    for name in document["inputs"].keys() - known.keys():
        known[name] = workspace.committed(name)
    needs = {name: known[name] for name in document["inputs"]}
    return all(
        need is not None
        and need["digest"] == document["inputs"][name]
        and is_current(workspace, need, known)
        for name, need in needs.items()
    )


STAGE_FIELDS = frozenset(
    (
        "stage",
        "fingerprint",
        "folder",
        "parts",
        "digest",
        "inputs",
        "options",
        "counters",
        "notes",
        "seconds",
    )
)
STAGE_NAMES = frozenset(
    (
        *("plan", "ingest", "fetch", "extract", "explore", "annotate"),
        *("fit", "classify", "vectors", "cluster", "index", "recall", "count", "rank"),
        *("duplicates", "merge", "render"),
    )
)
ADDITION_STAGES = frozenset(("known",))
"""Stages that additions to an index have beside those."""


def _agree(found: dict[str, str], known: dict[str, str]) -> bool:
    """Whether two marks of a part agree; those of two ways to HDFS cannot be compared."""
    times = [mark.get("stamp", "").startswith("modified:") for mark in (found, known)]
    return found == known or times[0] != times[1]
