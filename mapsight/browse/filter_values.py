"""The values of filters: read from texts, checked, and written as texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mapsight.labels.flags import FLAG_NAMES

__all__ = [
    "DUPLICATES",
    "FLAGS",
    "FLAG_LISTS",
    "HIDE",
    "MEASURES",
    "TEXTS",
    "FilterError",
    "Point",
    "checked",
    "read",
    "written",
]

Point = tuple[float, float]

TEXTS = ("label", "style", "license", "subset", "split", "format", "truth")
FLAG_LISTS = ("flag", "without_flag")
"""Fields of names of mapsight.labels.flags."""
MEASURES = ("ppi", "sharpness", "pixels", "score", "entropy", "gradient", "bytes", "quality")
FLAGS = ("unsure", "disputed", "no_flags")
HIDE = "hide"
DUPLICATES = ("all", HIDE, "only")
MOST_VALUES, MOST_LETTERS, MOST_POINTS = 100, 300, 256
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
LARGEST = 1e15


class FilterError(ValueError):
    """A filter is not one that is allowed.

    Args:
        field: its name.
        value: what was asked for.
        allowed: what may be.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} {value!r}: {allowed}")
        self.field = field


def read(name: str, values: str | Sequence[str]) -> Any:
    """Return what the texts of a query say of a field."""
    texts = [values] if isinstance(values, str) else list(values)
    if name in (*TEXTS, *FLAG_LISTS):
        return tuple(texts)
    if name == "cell":
        return tuple(_whole(name, text) for text in texts)
    if len(texts) != 1:
        raise FilterError(name, ", ".join(texts[:3]), "once")
    return _READERS.get(name, _number)(name, texts[0])


def _number(name: str, text: str) -> float:
    if not NUMBER.fullmatch(text.strip()):
        raise FilterError(name, text, "a number in plain digits")
    return float(text)


def _whole(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text.strip()):
        raise FilterError(name, text, "a whole number, 0 or more")
    return int(text)


def _flag(name: str, text: str) -> bool:
    flag = {"1": True, "true": True, "0": False, "false": False}.get(text.strip().lower())
    if flag is None:
        raise FilterError(name, text, "1 or 0")
    return flag


def _points(name: str, text: str) -> tuple[Point, ...]:
    numbers = [_number(name, one) for one in text.split(",")]
    if len(numbers) % 2:
        raise FilterError(name, text, "x1,y1,x2,y2,…: as many x as y")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


_READERS: dict[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(FLAGS, _flag),
    "region": _points,
    "duplicates": lambda _, text: text,
}


def written(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the words of a field."""
    if name == "region":
        if value:
            yield name, ",".join(_digits(number) for point in value for number in point)
    elif isinstance(value, tuple):
        yield from ((name, str(one)) for one in value)
    elif value is True:
        yield name, "1"
    elif isinstance(value, float):
        yield name, _digits(value)
    elif name == "duplicates" and value != DUPLICATES[0]:
        yield name, value


def _digits(number: float) -> str:
    return repr(number).removesuffix(".0")


def _check_texts(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else tuple(value)
    for text in texts:
        if not isinstance(text, str) or not 0 < len(text) <= MOST_LETTERS:
            raise FilterError(name, text, f"a text of 1 to {MOST_LETTERS} letters")
    return _few(name, texts)


def _check_flags(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else tuple(value)
    for text in texts:
        if text not in FLAG_NAMES:
            raise FilterError(name, text, f"one of {', '.join(FLAG_NAMES)}")
    return _few(name, texts)


def _few(name: str, values: Iterable[Any]) -> Any:
    one_each = tuple(sorted(set(values)))
    if len(one_each) > MOST_VALUES:
        raise FilterError(name, len(one_each), f"at most {MOST_VALUES} values")
    return one_each


def _check_cells(name: str, value: int | Iterable[int]) -> tuple[int, ...]:
    cells = (value,) if isinstance(value, int) else tuple(value)
    for cell in cells:
        if not isinstance(cell, int) or isinstance(cell, bool) or cell < 0:
            raise FilterError(name, cell, "a whole number, 0 or more")
    return _few(name, cells)


def _check_number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FilterError(name, value, "a number, or None")
    if not -LARGEST <= value <= LARGEST:
        raise FilterError(name, value, f"a number up to {LARGEST:g}")
    return float(value) + 0.0


def _check_region(name: str, value: Iterable[Point]) -> tuple[Point, ...]:
    points = tuple((_coordinate(name, x), _coordinate(name, y)) for x, y in value)
    if points and not 3 <= len(points) <= MOST_POINTS:
        raise FilterError(name, len(points), f"3 to {MOST_POINTS} corners")
    return points


def _coordinate(name: str, value: Any) -> float:
    number = _check_number(name, value)
    if number is None:
        raise FilterError(name, value, "a number")
    return number


def _check_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FilterError(name, value, "True or False")
    return value


def _check_duplicates(name: str, value: Any) -> str:
    if value not in DUPLICATES:
        raise FilterError(name, value, f"one of {', '.join(DUPLICATES)}")
    return value


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(TEXTS, _check_texts),
    **dict.fromkeys(FLAG_LISTS, _check_flags),
    **dict.fromkeys(FLAGS, _check_flag),
    "cell": _check_cells,
    "region": _check_region,
    "duplicates": _check_duplicates,
}


def checked(name: str, value: Any) -> Any:
    """Return the value of a field, of several values each once and sorted.

    Raises:
        FilterError: it is not allowed.
    """
    return _CHECKS.get(name, _check_number)(name, value)
