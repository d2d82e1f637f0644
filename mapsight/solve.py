"""From sums to a head: ridge regression, its strength, principal components."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapsight.fit_sums import ONE, FitSums
from mapsight.head import FIXED, UNIT, Head

__all__ = ["LAMBDAS", "principal", "ridge_path", "solve_head"]

LAMBDAS = tuple(round(10 ** (k / 4), 6) for k in range(-14, 9))
"""Strengths of the ridge that are tried: four to a factor of ten, 0.0003 to 100."""
COMPONENTS = 128
MOST_TRIED = 64
"""With more classes the strengths that were not taken are not kept."""


def ridge_path(
    gram: np.ndarray, cross: np.ndarray, energy: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generalised cross-validation of weighted ridge regressions from their sums.

    GCV = (RSS / n) / (1 - df / n)² (Golub, Heath and Wahba 1979), summed over targets;
    RSS = yᵀWy - 2 bᵀβ + βᵀAβ and df = Σ e / (e + λ) over the eigenvalues e of A = XᵀWX.

    Args:
        gram: (d, d) float64 XᵀWX. cross: (C, d) YᵀWX. energy: (C,) yᵀWy. n: examples.

    Returns:
        (GCV, df) of each of LAMBDAS, and β (lambdas, C, d).
    """
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0)
    turned = cross @ vectors
    lambdas = np.array(LAMBDAS)[:, None]
    shrunk = turned[None] / (values + lambdas)[:, None]
    rss = energy.sum() - 2 * (shrunk * turned).sum((1, 2)) + (shrunk**2 * values).sum((1, 2))
    df = (values / (values + lambdas)).sum(1)
    gcv = np.maximum(rss, 0) / n / np.maximum(1 - df / n, 1e-9) ** 2
    return gcv, df, shrunk @ vectors.T


def principal(gram: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(components (p, d), share of variance of each) of XᵀX / n and the mean of X.

    The largest entry of a component is positive, so that its sign is not a matter of chance.
    """
    values, vectors = np.linalg.eigh(gram - np.outer(mean, mean))
    order = np.argsort(values)[::-1][:COMPONENTS]
    rows = vectors.T[order]
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(1)])
    share = np.maximum(values[order], 0) / max(np.maximum(values, 0).sum(), 1e-300)
    return rows * signs[:, None], share


def _fixed(array: np.ndarray) -> np.ndarray:
    most = (1 << 31) - 1
    return np.clip(np.rint(array * FIXED), -most, most).astype(np.int32)


def _ridge(sums: FitSums, name: str) -> tuple[np.ndarray, dict[str, Any]]:
    """β (lambdas, C, d) in fixed point, and the curve of λ with the λ that GCV takes."""
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
    return _fixed(beta), {"n": sums.n[name], "best": best, "lambda": LAMBDAS[best], "curve": curve}


def solve_head(sums: FitSums) -> tuple[Head, np.ndarray]:
    """The head, and the class weights (lambdas, C, d) of every strength that was tried.

    Raises:
        ValueError: no class has examples.
    """
    if not sums.n["class"]:
        raise ValueError("there is no example to fit a head on")
    tried, about = _ridge(sums, "class")
    style, about_style = np.zeros(0, np.int32), None
    if sums.n["style"]:
        styles, about_style = _ridge(sums, "style")
        style = styles[about_style["best"], 0]
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
    }
    classes = [(label, kind) for label, kind, _ in sums.plan.classes]
    head = Head(
        classes, tried[about["best"]], style, _fixed(mean), _fixed(components), sums.seen, facts
    )
    return head, tried if len(classes) <= MOST_TRIED else tried[:0]
