"""Which output of a model is the embedding, and which says what classes a picture shows."""

from __future__ import annotations

from collections.abc import Sequence

from mapsight.features.models.graph import Tensor
from mapsight.features.models.settings import Settings

__all__ = ["choose_outputs"]

LEAST, MOST = 2, 8192
"""Numbers of an embedding."""
TELLING = ("embed", "feature")
"""In the name of an output."""
DTYPES = ("float32", "uint8", "int8")

Chosen = tuple[int, "int | None", bool, tuple[str, ...]]


def choose_outputs(
    outputs: Sequence[Tensor],
    settings: Settings,
    classes: tuple[str, ...],
    because: dict[str, str],
) -> Chosen:
    """Return the numbers of the embedding and of the scores, whether these are logits, and classes.

    Scores and classes are of one model or of none: without names there are no classes.

    Raises:
        ValueError: one of them cannot be known, or does not fit; says what to write.
    """
    said = settings.logits if settings.probabilities is None else settings.probabilities
    scores = None if said is None else _called(outputs, said, "scores")
    embedding = None
    if settings.embedding is not None:
        embedding = _called(outputs, settings.embedding, "embedding")
    if scores is None:
        scores = _scores(outputs, embedding, classes)
    if embedding is None:
        embedding = _embedding(outputs, scores)
    because["embedding"] = FILE if settings.embedding is None else settings.origin
    if scores is not None:
        because["scores"] = FILE if said is None else settings.origin
    _check(outputs, embedding, scores, classes)
    return embedding, scores, settings.logits is not None, classes


FILE = "the file"


def _called(outputs: Sequence[Tensor], said: int | str, what: str) -> int:
    """Return the number of an output that is called by number or name."""
    fitting = [i for i, one in enumerate(outputs) if said == i or said in one.names]
    if len(fitting) != 1:
        raise ValueError(f"{what}: no output is called {said!r}; {_listed(outputs)}")
    return fitting[0]


def _scores(
    outputs: Sequence[Tensor], embedding: int | None, classes: tuple[str, ...]
) -> int | None:
    """Return the only output with as many numbers as there are names; None without names."""
    if not classes:
        return None
    rest = [i for i, one in enumerate(outputs) if i != embedding and one.width == len(classes)]
    if len(rest) != 1:
        raise ValueError(
            f"{len(classes):,} names of classes, and {len(rest)} outputs of as many numbers"
            f" ({_listed(outputs)}): say probabilities = 0 or logits = 0"
        )
    return rest[0]


def _embedding(outputs: Sequence[Tensor], scores: int | None) -> int:
    rest = [i for i, one in enumerate(outputs) if i != scores]
    rows = [i for i in rest if outputs[i].width]
    named = [i for i in rows if any(t in n.lower() for n in outputs[i].names for t in TELLING)]
    chosen = named if len(named) == 1 else rows if scores is not None else []
    if len(chosen) == 1:
        return chosen[0]
    deep = [i for i in rest if outputs[i].width is None]
    if len(deep) == 1 == len(rest):
        return deep[0]  # which is refused, with the reason
    raise ValueError(
        f"which output is the embedding cannot be known ({_listed(outputs)}): say embedding = 0"
    )


def _check(
    outputs: Sequence[Tensor], embedding: int, scores: int | None, classes: tuple[str, ...]
) -> None:
    """Refuse outputs that are no rows, or not as long as they have to be."""
    if embedding == scores:
        raise ValueError(f"output {embedding} is both embedding and scores")
    for number in (embedding, scores):
        if number is not None:
            _check_row(number, outputs[number])
    width = outputs[embedding].width or 0
    if not LEAST <= width <= MOST:
        raise ValueError(f"an embedding of {width:,} numbers; {LEAST} to {MOST:,} are expected")
    if scores is None:
        return
    count = outputs[scores].width
    if not classes:
        raise ValueError(f'the names of its {count:,} classes are missing: say classes = "FILE"')
    if count != len(classes):
        raise ValueError(f"{len(classes):,} names for the {count:,} classes of output {scores}")


def _check_row(number: int, output: Tensor) -> None:
    what = f"output {number} of shape {output.shape}"
    if output.width is None:
        raise ValueError(f"{what} is no row of numbers; pool it in the model, to (1, d)")
    if output.dtype.name not in DTYPES:
        raise ValueError(f"{what} has numbers of {output.dtype}; {', '.join(DTYPES)} are expected")
    if output.dtype.name != "float32" and not output.scale:
        raise ValueError(f"{what} has whole numbers that do not say what they mean")


def _listed(outputs: Sequence[Tensor]) -> str:
    every = (f"{i}: {one.names[-1]} {one.shape}" for i, one in enumerate(outputs))
    return f"its outputs are {'; '.join(every)}"
