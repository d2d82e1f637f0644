"""The documents of a workspace, checked where they are read: every name, number and type in them.

What stands in a workspace may be damaged, or come from somebody else. Nothing of a document is used
before it has passed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mapsight.workspace.document_checks import (
    COUNT,
    HEX,
    INNER,
    NAME,
    NOTHING,
    NUMBER,
    TEXT,
    WHOLE,
    DamagedDocumentError,
    either,
    every,
    fields,
    is_inner,
    parsed,
    values,
)
from mapsight.workspace.stage_forms import COUNTERS, INDEX_NOTES, NOTES, OPTIONS
from mapsight.workspace.stage_names import ADDITION_STAGES, STAGE_NAMES

__all__ = [
    "FOLDER_OF_OURS",
    "STAGE_FIELDS",
    "changes_document",
    "files_document",
    "holder_document",
    "mark_document",
    "of_table",
    "runs_document",
    "stage_document",
]

FOLDER_OF_OURS = re.compile(r"[0-9a-f]{16}(-([0-9a-f]{12})(-next)?)?")
"""How folders of parts are named: fingerprint, then the run that made it (not in old ones)."""

_PART = fields({"name": INNER, "bytes": COUNT}, {"sha256": HEX, "stamp": TEXT})
_BEFORE = fields({"folder": NAME, "parts": every(INNER)})
_STAGE = {
    "stage": TEXT,
    "fingerprint": TEXT,
    "folder": NAME,
    "parts": every(_PART),
    "digest": TEXT,
    "inputs": values(TEXT),
    "options": fields({}),
    "counters": values(values(WHOLE)),
    "notes": fields({}),
    "seconds": NUMBER,
}
_STAGE_OTHERS = {
    "seconds_performing": NUMBER,
    "run": TEXT,
    "code": TEXT,
    "version": TEXT,
    "applications": every(TEXT),
    "cost": values(NUMBER),
    "libraries": values(TEXT),
    "before": every(_BEFORE),
}
STAGE_FIELDS = frozenset(_STAGE)
_STAGE_FORM = fields(_STAGE, _STAGE_OTHERS)


def stage_document(data: bytes, stage: str) -> dict[str, Any]:
    """Return the document that commits a stage, from the bytes of its stage.json.

    Raises:
        DamagedDocumentError: it is not what a run writes; names the field.
    """

    def check(document: Any, at: str) -> None:
        _STAGE_FORM(document, at)
        if document["stage"] != stage:
            raise DamagedDocumentError(f"{at}.stage: {stage} expected")
        _check_inside(document, at)
        _check_of(stage, document, at)

    return parsed(data, check, "stage.json")


def _check_inside(document: dict[str, Any], at: str) -> None:
    """Parts lie in the folder, inputs are stages."""
    beginning = f"{document['folder']}/"
    for number, part in enumerate(document["parts"]):
        if not part["name"].startswith(beginning):
            raise DamagedDocumentError(f"{at}.parts[{number}].name: not in {document['folder']}")
    for number, before in enumerate(document.get("before", [])):
        if not all(name.startswith(f"{before['folder']}/") for name in before["parts"]):
            raise DamagedDocumentError(f"{at}.before[{number}]: not in {before['folder']}")
    for name in document["inputs"]:
        if name not in STAGE_NAMES | ADDITION_STAGES or name == document["stage"]:
            raise DamagedDocumentError(f"{at}.inputs: {name!r} is no stage before it")


def _check_of(stage: str, document: dict[str, Any], at: str) -> None:
    """Check what other stages and commands look at in this one."""
    for name, forms in (("notes", NOTES), ("options", OPTIONS), ("counters", COUNTERS)):
        if stage in forms:
            forms[stage](document[name], f"{at}.{name}")
    if stage == "index" and document["parts"]:
        INDEX_NOTES(document["notes"], f"{at}.notes")
        if len(document["notes"]["ids"]) != document["notes"]["buckets"]:
            raise DamagedDocumentError(f"{at}.notes.ids: not as many as buckets")
    if stage == "classify" and any(len(pair) != 2 for pair in document["options"]["targets"]):
        raise DamagedDocumentError(f"{at}.options.targets: pairs expected")


_ADDITION = fields({"number": COUNT, "rows": COUNT, "digest": TEXT, "base": TEXT}, only=True)
_REMOVALS = fields(
    {"file": INNER, "rows": COUNT, "sha256": TEXT, "hidden": values(COUNT)}, only=True
)
_CHANGES = fields(
    {
        "format": COUNT,
        "numbered": COUNT,
        "additions": every(_ADDITION),
        "removals": either(NOTHING, _REMOVALS),
    }
)


def changes_document(data: bytes, wanted: int, removed: str) -> dict[str, Any]:
    """Return what changes.json says of additions and removals.

    Args:
        wanted: the format that is known.
        removed: the folder in which lists of removed pictures are.

    Raises:
        DamagedDocumentError: it is something else; names the field.
    """

    def check(document: Any, at: str) -> None:
        if isinstance(document, dict) and document.get("format") != wanted:
            raise DamagedDocumentError(f"format {document.get('format')}, not {wanted}")
        _CHANGES(document, at)
        numbers = [one["number"] for one in document["additions"]]
        if len(set(numbers)) < len(numbers) or max(numbers, default=0) > document["numbered"]:
            raise DamagedDocumentError(f"{at}.additions: numbers that cannot be")
        file = (document["removals"] or {}).get("file", f"{removed}/")
        if not file.startswith(f"{removed}/") or file.count("/") > 1:
            raise DamagedDocumentError(f"{at}.removals.file: not in {removed}")

    return parsed(data, check, "changes.json")


_HOLDER = fields({"run": TEXT}, {"pid": COUNT, "host": TEXT, "machine": TEXT, "born": TEXT,
                                 "since": TEXT, "beat": NUMBER})  # fmt: skip


def holder_document(data: bytes) -> dict[str, Any]:
    """Return who holds a lock, or owns a folder; nothing where the bytes do not say."""
    try:
        return parsed(data, _HOLDER, "lock")
    except DamagedDocumentError:
        return {}


_MARK = fields({"mapsight": TEXT, "format": COUNT})
_RUNS = fields({"runs": every(TEXT)})


def mark_document(data: bytes) -> dict[str, Any]:
    """Return what marks a folder as a workspace.

    Raises:
        DamagedDocumentError: it is no such document.
    """
    return parsed(data, _MARK, "mark")


def runs_document(data: bytes) -> list[str]:
    """Return the ids of runs that have held a workspace.

    Raises:
        DamagedDocumentError: it is no such document.
    """
    return parsed(data, _RUNS, "runs")["runs"]


def _inner_names(value: Any, at: str) -> None:
    if not is_inner(value):
        raise DamagedDocumentError(f"{at}: {value!r}")


_FILES = fields({"mapsight": TEXT, "files": values(either(NOTHING, HEX, TEXT), _inner_names)})


def files_document(data: bytes) -> dict[str, str]:
    """Return the names of files that Mapsight has written into a folder, with their SHA-256.

    Raises:
        DamagedDocumentError: it is no such document.
    """
    return parsed(data, _FILES, "record")["files"]


def of_table(parts: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the parts of a stage that hold a table: one file, or those in a folder of its name.

    >>> parts = [{"name": "f/a.csv"}, {"name": "f/b.parquet/part-00000.parquet"}]
    >>> [[part["name"] for part in of_table(parts, name)] for name in ("a.csv", "b.parquet")]
    [['f/a.csv'], ['f/b.parquet/part-00000.parquet']]
    """
    below = ((part, part["name"].partition("/")[2]) for part in parts)
    return [part for part, inside in below if f"{inside}/".startswith(f"{name}/")]
