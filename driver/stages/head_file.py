"""Where the class head is: fitted by this workspace, or given by the user."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from mapsight.files import sha256_of
from mapsight.text import plain
from mapsight.text_files import special_kind
from mapsight.workspace.stage_facts import FitNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.labels.head import Head

__all__ = [
    "check_given_head",
    "fitted_head",
    "given_head",
    "given_targets",
    "head_arguments",
]


OLD_HASHES = (
    "fitted before hashes of pictures changed (30 November 2026); pictures that it learned from"
    " count as new to it, so its accuracy on them flatters: fit it again where that matters"
)


@dataclass(frozen=True)
class GivenHead:
    """The head that the user named."""

    head: str | None


def _named(run: Pipeline) -> str:
    return run.options_of(GivenHead).head or ""


@dataclass(frozen=True)
class HeadFile:
    """A head, and the SHA-256 of its file."""

    head: Head
    sha256: str


def given_head(run: Pipeline) -> HeadFile:
    """Return the head of --head FILE, read once."""
    path = _named(run)
    try:
        return run.facts.get(HeadFile) or run.facts.add(_read(path))
    except OSError as error:
        raise UsageError(f"--head {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"--head {error}") from None


def _read(path: str) -> HeadFile:
    from mapsight.labels.head import load_head

    if kind := special_kind(path):
        raise ValueError(f"{path}: {kind}, not a class head")
    head = load_head(path)
    if not head.knows_its_pictures:
        sys.stderr.write(f"--head {plain(path)}: {OLD_HASHES}\n")
    return HeadFile(head, sha256_of(path))


def check_given_head(run: Pipeline, model: Mapping[str, Any]) -> None:
    """Embeddings of another model tell the head of --head FILE nothing.

    Args:
        model: has `alpha`, `resolution` and `precision`.

    Raises:
        UsageError: the head was fitted on embeddings of a model that differs in one of them.
    """
    from mapsight.labels.made_with import why_foreign

    if reason := why_foreign(given_head(run).head, model):
        raise UsageError(f"--head {_named(run)} {reason}")


def given_targets(run: Pipeline, wanted: dict[str, str], *, typed: bool) -> dict[str, str]:
    """Return the targets of --head FILE; the usual ones are not asked for beside it.

    Args:
        wanted: MID by label.
        typed: the user named them.

    Raises:
        UsageError: other labels were named that the head does not have.
    """
    from mapsight.labels.head import targets_of

    known = targets_of(given_head(run).head)
    strange = [label for label, mid in wanted.items() if mid not in known.values()]
    if strange and typed:
        raise UsageError(
            f"--head {_named(run)} was not fitted for {', '.join(strange)},"
            f" but for {', '.join(known)}"
        )
    return {k: v for k, v in known.items() if v in wanted.values()} if not strange else known


def fitted_head(run: Pipeline) -> Path | None:
    """Return a local copy of the head that the stage `fit` fitted or was given; None without."""
    from mapsight.labels.made_with import head_file

    return head_file(run.workspace, run.scratch)


def head_arguments(run: Pipeline) -> list[str]:
    """Options of a job that labels pictures."""
    path = fitted_head(run)
    if path is None:
        return []
    foreign = ["--foreign-head"] if FitNotes.of(run.documents["fit"]).given else []
    return ["--head", str(path), *foreign]
