"""A workspace as it is read: its mark, its committed stages and their parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from mapsight.errors import Failure
from mapsight.text import plain
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import mark_document, of_table, stage_document
from mapsight.workspace.links import is_linked
from mapsight.workspace.place import Place
from mapsight.workspace.stage_names import ADDITION_STAGES, STAGE_NAMES

__all__ = ["ANEW", "FORMAT", "MARK", "STAGE", "Part", "Workspace", "is_current"]

Part = dict[str, Any]
"""A file of a stage: `name` relative to its folder, `bytes`, `sha256` (local) or `stamp`."""

MARK, FORMAT = "mapsight-workspace.json", 1
"""The file without which nothing in a folder is touched, and the form of workspaces."""
STAGE = "stage.json"
MARKS = ("sha256", "stamp")
ANEW = "; run the pipeline again, which makes the stage anew"


class Workspace(Place):
    """A folder or URI in which a pipeline keeps what it has done.

    ``STAGE/<fingerprint>/…`` are the parts of a stage, ``STAGE/stage.json`` is
    written last and names them: what it does not name does not exist.
    """

    def is_there(self) -> bool:
        """Return whether it is marked, or has committed a stage before there were marks."""
        return self.is_marked() or self.has_committed(self.names())

    def is_marked(self) -> bool:
        """Return whether the folder has the mark.

        Raises:
            Failure: a newer version has written it.
        """
        if self.local and is_linked(self.root, MARK):
            return False
        try:
            mark = mark_document(self.fs.cat_file(self.path(MARK)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DamagedDocumentError):
            return False
        except OSError as error:
            raise Failure(f"{self.uri(MARK)}: cannot be read: {error}") from error
        if mark["format"] > FORMAT:
            version = plain(mark["mapsight"])
            raise Failure(f"{self.location}: made by a newer version of Mapsight ({version})")
        return True

    def has_committed(self, names: Iterable[str]) -> bool:
        """Return whether one of the folders of these names is a stage with all its parts."""
        for stage in sorted((STAGE_NAMES | ADDITION_STAGES) & set(names)):
            document = self.committed(stage)
            if document is not None and self.intact(document):
                return True
        return False

    def require_workspace(self) -> None:
        """Raise Failure unless there is a workspace; it says what is there instead."""
        if self.is_there():
            return
        there = self.fs.exists(self.root) and not self._holds_nothing()
        nothing = "no workspace is there; a run makes one (mapsight --images …)"
        what = "is no workspace of Mapsight" if there else nothing
        raise Failure(f"{self.location}: {what}")

    def _holds_nothing(self) -> bool:
        """Return whether its folder holds nothing but what locks leave."""
        names = (name.rstrip("/").rsplit("/", 1)[-1] for name in self.fs.ls(self.root, False))
        return all(name.startswith((".", "lock.json")) for name in names)

    def committed(self, stage: str) -> dict[str, Any] | None:
        """Return a stage's stage.json; None if it is not committed, or damaged."""
        return self._read(stage)[0]

    def fault(self, stage: str) -> str:
        """Return what is wrong with a stage's stage.json; "" if nothing is, or none is there."""
        reason = self._read(stage)[1]
        return f"{self.uri(stage, STAGE)} is not what a run writes ({reason})" if reason else ""

    def required(self, stage: str, otherwise: str = "") -> dict[str, Any]:
        """Return a stage's stage.json.

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
        """Return a stage's stage.json; None if it is not committed.

        Raises:
            Failure: its document is damaged: what it would give is not to be left out silently.
        """
        document = self.committed(stage)
        fault = "" if document else self.fault(stage)
        if fault:
            raise Failure(f"{fault}{ANEW}")
        return document

    def _read(self, stage: str) -> tuple[dict[str, Any] | None, str]:
        """Return (document, ""), or (None, why it is none)."""
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
        """Return whether every part that a stage.json names is there with its size."""
        folder, inside = self.path(document["stage"], document["folder"]), document["folder"]
        if self.local and is_linked(self.root, document["stage"], inside):
            return False
        sizes = {f"{inside}/{name}": size for name, size in self.sizes(folder)}
        return all(sizes.get(part["name"]) == part["bytes"] for part in document["parts"])

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
        """Return the first part of a stage that is not as stage.json says; "" if all are."""
        stage = document["stage"]
        paths = [self.path(stage, part["name"]) for part in document["parts"]]
        for part, mark in zip(document["parts"], self.marks(paths), strict=True):
            if not _agree(mark, {key: part[key] for key in MARKS if key in part}):
                return part["name"]
        return ""

    def parts(self, stage: str) -> list[str]:
        """Return the addresses of the parts of a committed stage.

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
        """Return the addresses of the parts of a committed stage, as when it was made.

        Local ones are read for their SHA-256; of remote ones the store holds the bytes to
        its checksums.

        Args:
            ending: of the names of those that are wanted.

        Raises:
            Failure: the stage is not committed, a part is missing, or one of these has changed.
        """
        return self._sound(stage, lambda ps: [p for p in ps if p["name"].endswith(ending)])

    def sound_table(self, stage: str, name: str) -> list[str]:
        """Return the addresses of the files of a table, in the order of its rows.

        Raises:
            Failure: as `sound_parts`.
        """
        return self._sound(stage, partial(of_table, name=name))

    def _sound(self, stage: str, chosen: Callable[[Sequence[Part]], list[Part]]) -> list[str]:
        self.parts(stage)
        document = self.required(stage)
        wanted = chosen(document["parts"])
        if self.local:
            self.verify({**document, "parts": wanted})
        return [self.uri(stage, part["name"]) for part in wanted]


def is_current(
    workspace: Workspace,
    document: dict[str, Any],
    committed: dict[str, dict[str, Any] | None] | None = None,
    trail: Collection[str] = (),
) -> bool:
    """Return whether a stage was made from what the stages before it hold now.

    Args:
        committed: documents by stage; what is read is added.
        trail: stages that were made of this one, if documents lead in circles.
    """
    committed = {} if committed is None else committed
    for name in document["inputs"].keys() - committed.keys():
        committed[name] = workspace.committed(name)
    needs = {name: committed[name] for name in document["inputs"]}
    below = {*trail, document["stage"]}
    return document["stage"] not in trail and all(
        need is not None
        and need["digest"] == document["inputs"][name]
        and is_current(workspace, need, committed, below)
        for name, need in needs.items()
    )


def _agree(mark: dict[str, str], written: dict[str, str]) -> bool:
    """Return whether two marks of a part agree; those of two ways to HDFS cannot be compared."""
    times = [one.get("stamp", "").startswith("modified:") for one in (mark, written)]
    return mark == written or times[0] != times[1]
