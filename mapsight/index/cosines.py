"""Cosine similarity of vectors of whole numbers."""

from __future__ import annotations

import numpy as np

__all__ = ["cosines", "cosines_from", "exact_type", "squares", "squares_name"]


def cosines(xq: np.ndarray, xb: np.ndarray) -> np.ndarray:
    """Return cosines, exact up to the last rounding in whatever order sums are taken.

    Args:
        xq: (nq, d) int16, or int8 within ±127; or such numbers as floats.
        xb: (nb, d) of the same.

    Returns:
        (nq, nb) float64. Dot products of int16 vectors stay below 2**53 for d < 2**22, so they
        are exact in float64; a zero vector is like nothing (0).
    """
    dots = _as_floats(xq) @ _as_floats(xb).T
    return cosines_from(dots.astype(np.float64, copy=False), squares(xq), squares(xb))


def squares(x: np.ndarray) -> np.ndarray:
    """Return the squared length of each row of whole numbers, exact: (n,) float64."""
    return np.einsum("nd,nd->n", x, x, dtype=np.float64)


def squares_name(d: int) -> str:
    """Return the column in which rows may say the squared length of their first d numbers."""
    return f"squares_{d}"


def exact_type(d: int) -> type[np.floating]:
    """Return the float type in which dot products of d pairs within ±127 are exact.

    Below 2**24 whole numbers are exact in float32: d <= 1040.
    """
    return np.float32 if d * 127**2 < 1 << 24 else np.float64


def _as_floats(x: np.ndarray) -> np.ndarray:
    """Return vectors in a type in which their dot products are exact; floats as they are."""
    if np.issubdtype(x.dtype, np.floating):
        return x
    return x.astype(exact_type(x.shape[1]) if x.dtype == np.int8 else np.float64)


def cosines_from(dots: np.ndarray, lengths: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return (nq, nb) cosines from dot products and the squared lengths (nq,) and (nb,)."""
    norms = np.sqrt(np.multiply.outer(lengths, others))
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)
