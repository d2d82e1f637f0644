"""From words to what they mean: things, style, and what is not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mapsight.labels.head import DRAWING, PHOTO
from mapsight.words.forms import singular, tokens
from mapsight.words.meaning import Meaning, Understood
from mapsight.words.vocabulary import Vocabulary

__all__ = ["UnknownWordsError", "understand"]

STYLES = {
    **dict.fromkeys(("photo", "photograph"), PHOTO),
    **dict.fromkeys(
        ("drawing", "drawn", "sketch", "painting", "painted", "cartoon", "illustration"), DRAWING
    ),
}
OPPOSITE = {PHOTO: DRAWING, DRAWING: PHOTO}
NOT = frozenset({"not", "no", "without", "except", "nor"})
OR = frozenset({"or"})
PASSED_OVER = frozenset(
    {"a", "an", "and", "any", "but", "in", "of", "on", "some", "the", "with", "picture", "image"}
)
NEGATED = re.compile(r"(?<!\S)-(?=\w)")
MOST_WORDS, NEAR = 20, 3


class UnknownWordsError(ValueError):
    """Words that mean nothing here, with known ones that are near.

    `hint` is what a message says after a reason of its own: nothing where no word of the text
    means anything, and none is near.
    """

    def __init__(self, why: str, near: Sequence[str] = (), *, whole: bool = False) -> None:
        advice = f"; did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"{why}{advice}")
        self.hint = advice if whole else f"; {why}{advice}"


def understand(text: str, vocabulary: Vocabulary) -> Understood:
    """Return what a text means.

    The longest run of words that names something is taken first. `-` or one of NOT before a name
    leaves it out; names that `or` or a comma joins are one thing. Names side by side mean what is
    of both kinds ("tabby cat"): a coffee table is not coffee and a table.

    Raises:
        UnknownWordsError: a word is none that is known, or none says what to look for.
    """
    reader = _Reader(vocabulary)
    for words in _chunks(text):
        reader.read(words)
    return reader.understood(text)


def _chunks(text: str) -> Iterator[list[str]]:
    """Yield the words of a text in runs that no name goes across; `not` stands for a minus."""
    for number, part in enumerate(re.split("[,;/|]", NEGATED.sub(" ; not ", text))):
        words = tokens(part)
        if words:
            joined = number and words[0] not in NOT
            yield ["or", *words] if joined else words


@dataclass
class _Reader:
    vocabulary: Vocabulary
    things: list[Meaning] = field(default_factory=list)
    without: list[Meaning] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    negated: bool = False
    last_negated: bool = False
    joined: bool = False
    beside: bool = False

    def read(self, words: Sequence[str]) -> None:
        """Read a run of words from its start to its end."""
        place, self.beside = 0, False
        while place < len(words):
            place += self._at(words[place : place + max(self.vocabulary.longest, 1)])

    def _at(self, words: Sequence[str]) -> int:
        """Read what begins with the first of some words; return how many words it has."""
        for count in range(len(words), 1, -1):
            if meaning := self.vocabulary.meaning(words[:count]):
                self._add(meaning)
                return count
        self._one(words[0])
        return 1

    def _one(self, word: str) -> None:
        style, beside, self.beside = STYLES.get(singular(word)), self.beside, False
        if word in NOT:
            self.negated = True
        elif word in OR:
            self.negated, self.joined = self.last_negated, bool(self.things)
        elif style:
            self.styles.append(OPPOSITE[style] if self.negated else style)
            self.negated = False
        elif singular(word) in PASSED_OVER:
            pass
        elif meaning := self.vocabulary.meaning([word]):
            self.beside = beside
            self._add(meaning)
        else:
            self.unknown.append(word)

    def _add(self, meaning: Meaning) -> None:
        if self.negated:
            self.without.append(meaning)
        elif self.joined:
            self.things[-1] = _either(self.things[-1], meaning)
        elif self.beside:
            self._narrow(meaning)
        elif meaning not in self.things:
            self.things.append(meaning)
        self.last_negated, self.beside = self.negated, not self.negated
        self.negated = self.joined = False

    def _narrow(self, meaning: Meaning) -> None:
        """Take what was read last for what is of another kind, too."""
        last = self.things[-1]
        words = f"{last.words} {meaning.words}"
        names = dict(zip(last.classes, last.names, strict=True))
        common = sorted(names.keys() & set(meaning.classes))
        if common:
            self.things[-1] = Meaning(words, tuple(common), tuple(names[c] for c in common))
        else:
            self.unknown.append(words)

    def understood(self, text: str) -> Understood:
        """Return what was read; errors as `understand`."""
        if self.unknown:
            raise self._unknown(text)
        if not self.things:
            raise UnknownWordsError("these words do not say what to look for")
        if len(set(self.styles)) > 1:
            raise UnknownWordsError("photos and drawings exclude each other")
        return Understood(tuple(self.things), tuple(self.without), "".join(self.styles[:1]))

    def _unknown(self, text: str) -> UnknownWordsError:
        unknown = list(dict.fromkeys(self.unknown))[:MOST_WORDS]
        typed = set(tokens(text))
        near = [name for one in (text, *unknown) for name in self.vocabulary.near(one)]
        fresh = [name for name in dict.fromkeys(near) if not typed.issuperset(tokens(name))]
        whole = not (self.things or self.without or self.styles)
        names = ", ".join(unknown)
        why = f"no class or label is called {names}"
        if not self.vocabulary.has_classes:
            why = f"the model has no classes, and no label is called {names}"
        return UnknownWordsError(why, fresh[:NEAR], whole=whole and self.vocabulary.has_classes)


def _either(one: Meaning, other: Meaning) -> Meaning:
    """Return what means one thing or the other."""
    pairs = zip((*one.classes, *other.classes), (*one.names, *other.names), strict=True)
    names = dict(sorted(pairs))
    words = f"{one.words} or {other.words}"
    return Meaning(words, tuple(names), tuple(names.values()))
