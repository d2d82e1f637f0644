"""From sums to a head: ridge regression, its strength, principal components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mapsight.labels.fit_sums import ONE, FitSums
from mapsight.labels.head import FIXED, NEW_WEIGHT, UNIT, Head

__all__ = ["LAMBDAS", "principal", "ridge_path", "solve_head"]

LAMBDAS = tuple(round(10 ** (k / 4), 6) for k in range(-14, 9))
"""Strengths of the ridge that are tried: four to a factor of ten, 0.0003 to 100."""
COMPONENTS = 128
MOST_TRIED = 64
"""With more classes the strengths that were not taken are not kept."""


def ridge_path(
    gram: np.ndarray, cross: np.ndarray, energy: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, Callable[[int], np.ndarray]]:
    """Solve weighted ridge regressions from their sums, with generalised cross-validation.

    GCV = (RSS / n) / (1 - df / n)² (Golub, Heath and Wahba 1979), summed over targets;
    RSS = yᵀWy - 2 bᵀβ + βᵀAβ and df = Σ e / (e + λ) over the eigenvalues e of A = XᵀWX.

    Args:
        gram: (d, d) float64 XᵀWX. cross: (C, d) YᵀWX. energy: (C,) yᵀWy. n: examples.

    Returns:
        (GCV, df) of each of LAMBDAS, and a function that gives β (C, d) of one, by its number.
    """
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0)
    turned = cross @ vectors
    squares = np.einsum("cd,cd->d", turned, turned)
    held = values + np.array(LAMBDAS)[:, None]
    rss = energy.sum() - 2 * (squares / held).sum(1) + (squares * values / held**2).sum(1)
    df = (values / held).sum(1)
    gcv = np.maximum(rss, 0) / n / np.maximum(1 - df / n, 1e-9) ** 2
    return gcv, df, lambda number: (turned / held[number]) @ vectors.T


def principal(
    gram: np.ndarray, mean: np.ndarray, most: int = COMPONENTS
) -> tuple[np.ndarray, np.ndarray]:
    """Return (components (p, d), share of variance of each) of XᵀX / n and the mean of X.

    The largest entry of a component is positive, so that its sign is not a matter of chance.
    """
    values, vectors = np.linalg.eigh(gram - np.outer(mean, mean))
    order = np.argsort(values)[::-1][:most]
    rows = vectors.T[order]
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(1)])
    share = np.maximum(values[order], 0) / max(np.maximum(values, 0).sum(), 1e-300)
    return rows * signs[:, None], share


def _fixed(array: np.ndarray) -> np.ndarray:
    most = (1 << 31) - 1
    return np.clip(np.rint(array * FIXED), -most, most).astype(np.int32)


def _ridge(sums: FitSums, name: str) -> tuple[Callable[[int], np.ndarray], dict[str, Any]]:
    """β (C, d) of a strength in fixed point, and the curve of λ with the λ that GCV takes."""
    scale = float(sums.plan.scale)
    gcv, df, beta = ridge_path(
        sums.gram[name] / (scale * UNIT * UNIT),
        sums.cross[name] / (scale * ONE * UNIT),
        sums.energy[name] / (scale * ONE * ONE),
        sums.n[name],
    )
    best = int(gcv.argmin())
    curve = [
        {"lambda": lam, "gcv": round(float(g), 9), "degrees_of_freedom": round(float(f), 3)}
        for lam, g, f in zip(LAMBDAS, gcv, df, strict=True)
    ]
    about = {"n": sums.n[name], "best": best, "lambda": LAMBDAS[best], "curve": curve}
    return lambda number: _fixed(beta(number)), about


def solve_head(sums: FitSums) -> tuple[Head, np.ndarray]:
    """Return the head, and the class weights (lambdas, C, d) of every strength that was tried.

    Beyond MOST_TRIED classes there are none of these: (0, C, d).

    Raises:
        ValueError: no class has examples.
    """
    if not sums.n["class"]:
        raise ValueError("there is no example to fit a head on")
    weights, about = _ridge(sums, "class")
    style, about_style = np.zeros(0, np.int32), None
    if sums.n["style"]:
        styles, about_style = _ridge(sums, "style")
        style = styles(about_style["best"])[0]
    n = sums.n["plain"]
    mean = sums.cross["plain"][0] / (n * UNIT)
    components, share = principal(sums.gram["plain"] / (n * float(UNIT) ** 2), mean)
    facts = {
        "class_ridge": about,
        "style_ridge": about_style,
        "examples": [list(one) for one in sums.plan.classes],
        "style_examples": list(sums.plan.styles),
        "explained_variance": [round(float(value), 6) for value in share],
        "fixed_point": FIXED,
        "score_weight": NEW_WEIGHT,
    }
    classes = [(label, kind) for label, kind, _ in sums.plan.classes]
    best = weights(about["best"])
    head = Head(classes, best, style, _fixed(mean), _fixed(components), sums.seen, facts)
    if len(classes) > MOST_TRIED:
        return head, np.zeros((0, *best.shape), np.int32)
    return head, np.stack([weights(number) for number in range(len(LAMBDAS))])
