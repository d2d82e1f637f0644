"""The forms in which a word is typed: case, hyphens, apostrophes, plurals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["forms", "singular", "tokens"]

WORD = re.compile(r"[^\W_]+")
IRREGULAR = {
    "calves": "calf", "children": "child", "dice": "die", "dwarves": "dwarf", "elves": "elf",
    "feet": "foot", "geese": "goose", "halves": "half", "hooves": "hoof", "knives": "knife",
    "leaves": "leaf", "lice": "louse", "lives": "life", "loaves": "loaf", "men": "man",
    "mice": "mouse", "oxen": "ox", "people": "person", "scarves": "scarf", "shelves": "shelf",
    "teeth": "tooth", "thieves": "thief", "wives": "wife", "wolves": "wolf",
}  # fmt: skip
ENDINGS = (
    *(("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zes", "z")),
    *(("men", "man"), ("oes", "o"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", "")),
)
SHORTEST = 3


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case; hyphens part them, apostrophes do not.

    >>> tokens("T-shirts, Sprenger's tulip")
    ['t', 'shirts', 'sprengers', 'tulip']
    """
    return WORD.findall(text.casefold().replace("'", "").replace("\u2019", ""))


def singular(word: str) -> str:
    """Return a word without the ending of a plural.

    >>> [singular(word) for word in ("wolves", "buses", "foxes", "ponies", "grass", "women")]
    ['wolf', 'buse', 'fox', 'pony', 'grass', 'woman']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= SHORTEST:
        return word
    pairs = ((word.removesuffix(old) + new, old) for old, new in ENDINGS)
    return next((short for short, old in pairs if word.endswith(old)), word)


def forms(words: Sequence[str]) -> Iterator[str]:
    """Yield what words may stand as in a table: as they are, the last as one, each as one.

    Spaces do not count: who types `teddybear` means a teddy bear.
    """
    yield "".join(words)
    yield "".join((*words[:-1], singular(words[-1])))
    yield "".join(map(singular, words))
