"""All words that searches of a workspace understand, and the classes that each stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from mapsight.labels.above import with_above
from mapsight.labels.labeler import Labeler, class_named, names_by_mid, parents
from mapsight.near_names import near_names
from mapsight.words.forms import forms, tokens
from mapsight.words.meaning import Meaning
from mapsight.words.wordnet import synsets, wnids_above

__all__ = ["Vocabulary"]

IN_BRACKETS = re.compile(r"\s*\(.*?\)")
NEAR = 3
Senses = dict[int, set[int]]
"""Numbers of classes by the place of their meaning among those of a word; 0 is always meant."""


class Vocabulary:
    """The words of a model's classes, of the kinds above them, and of labels.

    A word that names classes means all of them ("crane": the bird and the machine), and what Open
    Images calls so; of the kinds of WordNet with that name it means the most usual one.

    Args:
        classes: of the model, in its order: wnids of ImageNet, MIDs or names.
        labeler: knows the target labels.
    """

    def __init__(self, classes: Sequence[str], labeler: Labeler) -> None:
        self._classes, self._labeler = classes, labeler
        self.longest = max((len(tokens(name)) for name in self._names), default=1)

    @property
    def has_classes(self) -> bool:
        """Return whether the model has any; without, labels are all that it understands."""
        return bool(self._classes)

    def meaning(self, words: Sequence[str]) -> Meaning | None:
        """Return what some words in lower case mean together, if they name anything."""
        typed = " ".join(words)
        for form in forms(words):
            if form in self._labels:
                label = self._labels[form]
                return self._meaning(typed, self._of_label(label), label)
            if form in self._senses:
                senses = self._senses[form]
                usual = min((place for place in senses if place), default=0)
                return self._meaning(typed, senses.get(0, set()) | senses.get(usual, set()))
        return None

    def titles(self, classes: Iterable[Iterable[int]]) -> tuple[str, ...]:
        """Return what predictions call some classes (`top_label`), sorted."""
        numbers = {number for some in classes for number in some}
        return tuple(sorted({class_named(self._classes[number]).title for number in numbers}))

    def near(self, text: str) -> list[str]:
        """Return up to three names that are nearly a text, the nearest first."""
        by_case = {name.casefold(): name for name in sorted(self._names)}
        return [by_case[name] for name in near_names(text.casefold(), by_case, NEAR)]

    def _meaning(self, typed: str, classes: set[int], label: str = "") -> Meaning:
        numbers = tuple(sorted(classes))
        names = tuple(self._shown[number] for number in numbers)
        return Meaning(typed, numbers, names, label)

    @cached_property
    def _shown(self) -> Sequence[str]:
        """Return the names of classes as messages have them: fuller ones that tell more."""
        return list(map(_shown_name, self._classes))

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        """Return target labels by each of their forms."""
        return {form: one for one in self._labeler.targets for form in _keys(one)}

    def _of_label(self, label: str) -> set[int]:
        names = enumerate(self._classes)
        return {number for number, name in names if self._labeler.label_of(name) == label}

    @cached_property
    def _names(self) -> Mapping[str, Senses]:
        """Return what each name means, by the name as its table has it."""
        names: dict[str, Senses] = {label: {} for label in self._labeler.targets}
        for number, class_name in enumerate(self._classes):
            for name, place in self._names_of(class_name):
                names.setdefault(name, {}).setdefault(place, set()).add(number)
        return names

    @cached_property
    def _senses(self) -> Mapping[str, Senses]:
        """Return what names mean, by each of their forms."""
        by_form: dict[str, Senses] = {}
        for name, senses in self._names.items():
            for form in _keys(name) if senses else ():
                together = by_form.setdefault(form, {})
                for place, numbers in senses.items():
                    together[place] = together.get(place, set()) | numbers
        return by_form

    def _names_of(self, class_name: str) -> Iterator[tuple[str, int]]:
        """Yield the names of a class and of all kinds above it, with the place of their meaning."""
        match = class_named(class_name)
        yield match.name.replace("_", " "), 0
        mids = filter(None, (match.mid, match.target_mid))
        for mid in with_above(mids, lambda current: parents().get(current, ())):
            yield names_by_mid().get(mid, match.label), 0
        for wnid in wnids_above(match.wnid):
            for lemma, place in synsets()[wnid].lemmas:
                yield lemma, 0 if wnid == match.wnid else place


def _shown_name(class_name: str) -> str:
    match = class_named(class_name)
    name = match.name.replace("_", " ")
    synset = synsets().get(match.wnid)
    fuller = [lemma for lemma, _ in synset.lemmas if lemma.endswith(f" {name}")] if synset else []
    return match.label if match.label.startswith(f"{name.capitalize()} (") else [*fuller, name][0]


def _keys(name: str) -> set[str]:
    """Return the forms of a name of a table, also without what is in brackets."""
    names = (name, IN_BRACKETS.sub("", name))
    return {form for words in map(tokens, names) if words for form in forms(words)}
