"""The ids of runs that have written in a workspace: what they left unfinished is ours."""

from __future__ import annotations

import json

from driver.workspace.writable import Writable
from mapsight.workspace.document_checks import DamagedDocumentError
from mapsight.workspace.documents import runs_document

__all__ = ["RUNS", "note_run", "runs_of"]

RUNS = "mapsight-runs.json"
MOST_RUNS = 500


def runs_of(workspace: Writable) -> set[str]:
    """Return the ids of runs that have written here; what they left unfinished is ours."""
    try:
        return set(runs_document(workspace.fs.cat_file(workspace.path(RUNS))))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, DamagedDocumentError):
        return set()


def note_run(workspace: Writable) -> None:
    """Write down that a run begins, before it writes anything else."""
    try:
        runs = runs_document(workspace.fs.cat_file(workspace.path(RUNS)))
    except (FileNotFoundError, DamagedDocumentError):
        runs = []
    if workspace.run_id not in runs:
        text = json.dumps({"runs": [*runs, workspace.run_id][-MOST_RUNS:]})
        workspace.write(f"{text}\n".encode(), RUNS)
