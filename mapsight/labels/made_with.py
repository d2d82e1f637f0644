"""The targets and the head that a workspace's labels were made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapsight.labels.classify import Classifier
from mapsight.labels.head import Head, load_head
from mapsight.labels.labeler import AUTO, Labeler, Labels
from mapsight.workspace.workspace import Workspace

__all__ = [
    "HEAD",
    "classifier_of",
    "head_file",
    "labeler_of",
    "settings_of",
    "targets_of",
    "why_foreign",
]

HEAD = "head.npz"
MODEL = ("alpha", "resolution", "precision")


def targets_of(document: dict[str, Any]) -> dict[str, str]:
    """Return MID by target label of a committed classify stage, in the order they were named.

    Those that it chose are in its notes, the most frequent first.
    """
    return dict(document["notes"].get(AUTO) or document["options"]["targets"])


def settings_of(document: dict[str, Any]) -> tuple[Labels, float | None]:
    """Return (labels, screen diagonal) that a committed classify stage used."""
    options = document["options"]
    return Labels(targets_of(document), options["parents"]), options["diagonal"]


def head_file(workspace: Workspace, scratch: Path) -> Path | None:
    """Return a copy in `scratch` of the head that the stage `fit` fitted or was given, if any.

    Raises:
        Failure: the stage is not committed, or the head has changed.
    """
    names = workspace.sound_parts("fit", f"/{HEAD}")
    if not names:
        return None
    path = scratch / HEAD
    if not path.exists():
        workspace.fetch(names[0], path)
    return path


def classifier_of(document: dict[str, Any], head: Path | None) -> Classifier:
    """Return what labels features as a committed classify stage did, by the head of a file."""
    labels, _ = settings_of(document)
    return Classifier(labeler_of(labels), load_head(head) if head else None)


def labeler_of(labels: Labels) -> Labeler:
    """Return what folds classes into these labels."""
    return Labeler(labels.targets, labels.parents)


def why_foreign(head: Head, model: Mapping[str, Any]) -> str:
    """Return why a head is for embeddings of another model; "" if nothing is known against it.

    Args:
        model: has `alpha`, `resolution`, `precision` and `model`, its SHA-256.
    """
    known = head.about.get("model", {})
    both = {known.get("alpha", model["alpha"]), model["alpha"]}
    if None in both and known and known.get("model") != model["model"]:
        return "was fitted with another model"
    for name in MODEL:
        if known.get(name, model[name]) != model[name]:
            return f"was fitted with {name} {known[name]}, not {name} {model[name]}"
    return ""
