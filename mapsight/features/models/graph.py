"""What a LiteRT file says of its own inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mapsight.features.mobilenet import open_interpreter

__all__ = ["Graph", "Tensor", "read_graph"]

IDENTIFIER = slice(4, 8), b"TFL3"
DYNAMIC = -1


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Args:
        index: in the interpreter.
        names: by which it can be called.
        shape: where -1 is a side of any length.
        scale, zero: of whole numbers q, which mean scale (q - zero).
    """

    index: int
    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float
    zero: int

    @property
    def width(self) -> int | None:
        """Return how many numbers it has of a picture; None if they are no row."""
        sides = [side for side in self.shape[1:] if side != 1]
        is_row = len(self.shape) > 1 and self.shape[0] in (1, DYNAMIC) and len(sides) == 1
        return sides[0] if is_row and sides[0] != DYNAMIC else None

    def real(self, values: np.ndarray) -> np.ndarray:
        """Return what its values mean: (n,) float32."""
        if self.dtype == np.float32:
            return values
        return (values.astype(np.float32) - np.float32(self.zero)) * np.float32(self.scale)

    def whole(self, values: np.ndarray) -> np.ndarray:
        """Return the values that mean some real numbers, as near as its dtype has them."""
        if self.dtype == np.float32:
            return values
        limits = np.iinfo(self.dtype)
        near = np.rint(values / np.float32(self.scale) + np.float32(self.zero))
        return near.clip(limits.min, limits.max).astype(self.dtype)


@dataclass(frozen=True)
class Graph:
    """Inputs and outputs of a model, and the names of all its tensors."""

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    tensors: Sequence[str]

    @cached_property
    def is_mobilenet(self) -> bool:
        """Return whether its layers are called as those of Keras' MobileNet v1 are."""
        return any("conv_dw_13" in name for name in self.tensors)


def read_graph(path: Path) -> Graph:
    """Read what a file says of itself; it is not run.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no LiteRT file, or is damaged.
    """
    place, expected = IDENTIFIER
    with path.open("rb") as file:
        if file.read(place.stop)[place] != expected:
            raise ValueError("no LiteRT file")
    try:
        run = open_interpreter(model_path=str(path))
    except ValueError as error:
        raise ValueError(f"damaged, or cut short ({error})") from None
    called = _names(run)
    return Graph(
        [_tensor(one, called) for one in run.get_input_details()],
        [_tensor(one, called) for one in run.get_output_details()],
        [one["name"] for one in run.get_tensor_details()],
    )


def _names(run: Any) -> dict[int, tuple[str, ...]]:
    """Names of outputs in signatures by the index of their tensor."""
    found: dict[int, tuple[str, ...]] = {}
    for signature in run.get_signature_list():
        for name, detail in run.get_signature_runner(signature).get_output_details().items():
            found[detail["index"]] = (*found.get(detail["index"], ()), name)
    return found


def _tensor(detail: Mapping[str, Any], called: Mapping[int, tuple[str, ...]]) -> Tensor:
    scale, zero = detail["quantization"]
    return Tensor(
        detail["index"],
        (detail["name"], *called.get(detail["index"], ())),
        tuple(int(side) for side in detail["shape_signature"]),
        np.dtype(detail["dtype"]),
        float(scale),
        int(zero),
    )
