"""From ImageNet classes to the labels that were asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from mapsight.labels.above import with_above
from mapsight.near_names import near_names
from mapsight.records import OTHER

__all__ = [
    "AUTO",
    "DEFAULT_TARGETS",
    "ClassMatch",
    "Labeler",
    "Labels",
    "class_matches",
    "class_named",
    "has_own_name",
    "names_by_mid",
    "near_labels",
    "parents",
    "resolve_targets",
]

AUTO = "auto"
"""Stands for labels that are chosen from what a collection has most of."""

DEFAULT_TARGETS: Mapping[str, str] = {
    "Lion": "/m/096mb",
    "Tiger": "/m/07dm6",
    "Leopard": "/m/0c29q",
    "Rhinoceros": "/m/03d443",
    "Elephant": "/m/0bwd_0j",
    "Zebra": "/m/0898b",
    "Giraffe": "/m/03bk1",
    "Cheetah": "/m/0cd4d",
    "Owl": "/m/09d5_",
    "Parrot": "/m/0gv1x",
    "Penguin": "/m/05z6w",
}
"""The eleven labels of the project's report, by name and MID."""


@dataclass(frozen=True)
class ClassMatch:
    """An ImageNet class and the Open Images classes nearest to it ("" where none is)."""

    wnid: str
    name: str
    mid: str
    label: str
    target_mid: str
    target_label: str

    @property
    def title(self) -> str:
        """Return the name that people read: that of Open Images, if there is one."""
        return self.label or self.name.replace("_", " ")


@dataclass(frozen=True)
class Labels:
    """Labels to give: MID by name, and the hierarchy above MIDs."""

    targets: dict[str, str]
    parents: dict[str, tuple[str, ...]]

    def to_json(self) -> str:
        """Return what jobs take as `--targets`."""
        return json.dumps(vars(self))


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("mapsight").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def class_matches() -> Mapping[str, ClassMatch]:
    """Return every ImageNet class by wnid, in the model's class order."""
    return {row["wnid"]: ClassMatch(**row) for row in _rows("imagenet_to_openimages.csv")}


def class_named(name: str) -> ClassMatch:
    """Return a model's class by its wnid of ImageNet, its Open Images MID, or its name.

    A name that ImageNet or Open Images has is theirs; another, such as the wnid of a class that
    is not one of ImageNet's 1,000, is a class of its own, without MID.
    """
    if name.startswith("/"):
        return _of_mid(name)
    if name in class_matches():
        return class_matches()[name]
    text = name.replace("_", " ").casefold()
    if text in _imagenet_names():
        return class_matches()[_imagenet_names()[text]]
    mid = _mids_by_case().get(text)
    return _of_mid(mid) if mid else ClassMatch(name, name.replace("_", " "), "", "", "", "")


def has_own_name(name: str) -> bool:
    """Return whether a class is called as neither ImageNet nor Open Images calls one.

    >>> [has_own_name(name) for name in ("scratch", "tiger", "n02129604", "/m/07dm6")]
    [True, False, False, False]
    """
    match = class_named(name)
    return match.wnid == name and not (match.mid or name in class_matches())


def _of_mid(mid: str) -> ClassMatch:
    label = names_by_mid().get(mid, mid)
    return ClassMatch(mid, label, mid, label, mid, label)


@cache
def _imagenet_names() -> Mapping[str, str]:
    """Return the wnid by the name of a class in lower case, of names that one class has."""
    names = [one.name.replace("_", " ").casefold() for one in class_matches().values()]
    pairs = zip(names, class_matches(), strict=True)
    return {name: wnid for name, wnid in pairs if names.count(name) == 1}


@cache
def _mids_by_case() -> Mapping[str, str]:
    return {name.casefold(): mid for name, mid in _known_names().items()}


@cache
def names_by_mid() -> Mapping[str, str]:
    """Return the display names of all classes in the bundled tables by MID."""
    return {mid: name for name, mid in _known_names().items()}


@cache
def parents() -> Mapping[str, tuple[str, ...]]:
    """Return the boxable classes directly above each class that the table of matches reaches."""
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows("openimages_parents.csv"):
        above = (row["parent_mid"],) if row["parent_mid"] else ()
        found[row["mid"]] = found.get(row["mid"], ()) + above
    return found


@cache
def _known_names() -> Mapping[str, str]:
    """MID by display name of all classes in the bundled tables."""
    names: dict[str, str] = {}
    for match in class_matches().values():
        names.setdefault(match.label, match.mid)
    for row in _rows("openimages_parents.csv"):
        names[row["label"]] = row["mid"]
    names.pop("", None)
    return names | dict(DEFAULT_TARGETS)


def near_labels(text: str, names: Iterable[str]) -> list[str]:
    """Return up to three of some labels that a mistyped one may have meant, the nearest first."""
    by_case = {name.casefold(): name for name in names}
    return [by_case[name] for name in near_names(text.casefold(), by_case, 3)]


def resolve_targets(
    wanted: Sequence[str], descriptions: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return MID by display name for labels given by name (any case) or MID.

    Args:
        wanted: names or MIDs, at least one.
        descriptions: MID by display name of the collection's own class
            descriptions; without them the bundled tables are used.

    Raises:
        ValueError: a label is unknown (near names are offered) or given twice.
    """
    names = {**_known_names(), **(descriptions or {})}
    by_mid = {mid: name for name, mid in names.items()}
    by_case = {name.casefold(): name for name in names}
    targets: dict[str, str] = {}
    for text in wanted:
        name = by_mid.get(text) or by_case.get(text.strip().casefold())
        if name is None:
            near = near_labels(text, names)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"unknown label {text!r}{hint}")
        if name in targets or name == OTHER:
            raise ValueError(f"label {text!r} is given twice" if name in targets else f"{OTHER!r}")
        targets[name] = names[name]
    return targets


class Labeler:
    """Decides which target label a picture has.

    A class counts for the nearest target at or above it: itself, its boxable
    class, or an ancestor of that.
    """

    def __init__(
        self, targets: Mapping[str, str], above: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """`targets` is MID by name; `above` adds a hierarchy (parents by MID)."""
        self.targets = dict(targets)
        self._names = {mid: name for name, mid in targets.items()}
        self._parents = {**parents(), **(above or {})}
        self._above = frozenset().union(*map(self._ancestors, targets.values()))
        self._by_class: dict[str, str] = {}

    @classmethod
    def load(cls, path: str | Path) -> Labeler:
        """Return the labeler of a JSON file of `targets` (MID by name) and `parents` (by MID)."""
        settings = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(settings["targets"], settings["parents"])

    def label_of(self, name: str) -> str:
        """Return the label of a model's class, given by its wnid, MID or name."""
        if name not in self._by_class:
            match = class_named(name)
            labels = (self.fold(mid) for mid in (match.mid, match.target_mid, name))
            self._by_class[name] = next((label for label in labels if label != OTHER), OTHER)
        return self._by_class[name]

    def fold(self, mid: str) -> str:
        """Return the target label that an Open Images class is or belongs to, else `other`."""
        above = with_above([mid], self._parents_of)
        return next((self._names[one] for one in above if one in self._names), OTHER)

    def _ancestors(self, mid: str) -> set[str]:
        return set(with_above(self._parents_of(mid), self._parents_of)) - set(self._names)

    def _parents_of(self, mid: str) -> Sequence[str]:
        return self._parents.get(mid, ())

    def missing(self, classes: Iterable[str] | None = None) -> list[str]:
        """Return target labels that no class of a model stands for; None means ImageNet's."""
        names = class_matches() if classes is None else classes
        return sorted(set(self.targets) - {self.label_of(name) for name in names})

    def label(self, top5: Iterable[Sequence[Any]]) -> tuple[str, float]:
        """Return (label, score) from the top 5 classes: the label with the largest sum.

        The score is the sum of the probabilities of its classes, 0 to 1. On a
        tie the label whose first class ranks higher wins. Without classes it is `other`, and 0.
        """
        sums: dict[str, float] = {}
        for wnid, probability in top5:
            label = self.label_of(wnid)
            sums[label] = sums.get(label, 0.0) + probability
        best = max(sums, key=lambda label: sums[label], default=OTHER)
        sums.setdefault(best, 0.0)
        return best, round(min(sums[best], 1.0), 6)

    def labels_in(self, top5: Iterable[Sequence[Any]]) -> list[str]:
        """Return all labels the top 5 classes stand for, `other` included, sorted."""
        return sorted({self.label_of(wnid) for wnid, _ in top5})

    def truth(self, labels: Iterable[Sequence[Any]]) -> tuple[list[str] | None, list[str]]:
        """Return (present, absent): target labels verified by people, from annotation labels.

        `present` is None where nothing was verified as present, `["other"]`
        where something was but no target. A label verified both ways is neither,
        and one above a target (an Animal may be a Lion) tells nothing.
        """
        people = [(mid, c) for mid, c, how in labels if how in VERIFIED]
        votes = [(self.fold(mid), mid, c) for mid, c in people if mid not in self._above]
        yes = {label for label, _, confidence in votes if confidence == 1}
        no = {self._names[mid] for _, mid, c in votes if c == 0 and mid in self._names}
        if not yes - no:
            return None, sorted(no - yes)
        present = sorted(yes - no - {OTHER}) or [OTHER]
        return present, sorted(no - yes)


VERIFIED = frozenset({"verification", "crowdsource-verification"})
"""The sources of image labels that people confirmed."""
