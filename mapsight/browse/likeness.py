"""Places in two dimensions for vectors, such that those that are alike lie near each other.

t-SNE (van der Maaten and Hinton, 2008) from principal components on, with the same weight for
each of some neighbours; repulsion is summed on a grid by Fourier transforms (as FIt-SNE, Linderman
et al., 2019, but bilinear). Nothing is random: the same vectors have the same places.
"""

from __future__ import annotations

import numpy as np

__all__ = ["likeness_places"]

AXES, NEIGHBOURS = 50, 15
ROWS = 512
FEW = 256
EARLY, LATE = 100, 250
EXAGGERATION = 12.0
"""Of attraction in the EARLY rounds, in which groups find each other."""
START = 1e-4
SPACING, LEAST_GRID, MOST_GRID = 0.5, 32, 256
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def likeness_places(x: np.ndarray) -> np.ndarray:
    """Return a place for each vector: (k, 2) float64, of any extent.

    Memory: ROWS × k numbers, and some grids of MOST_GRID² numbers.

    Args:
        x: (k, d) of any numbers.
    """
    k = len(x)
    if k < 3:
        return _sunflower(k)
    axes = _principal(x.astype(np.float64), AXES)
    y = axes[:, :2] + 1e-3 * axes.std() * _sunflower(k)
    y *= START / max(float(y[:, 0].std()), 1e-12)
    ends, weights = _attraction(_neighbours(axes, min(NEIGHBOURS, k - 1)))
    return _descend(y, ends, weights)


def _sunflower(k: int) -> np.ndarray:
    """Return places on a spiral, no two of them equal: (k, 2) within the unit circle."""
    n = np.arange(k)
    return np.sqrt((n + 0.5) / max(k, 1))[:, None] * np.stack(
        [np.cos(n * GOLDEN_ANGLE), np.sin(n * GOLDEN_ANGLE)], axis=1
    )


def _principal(x: np.ndarray, most: int) -> np.ndarray:
    """Return the first principal components: (k, most or fewer, at least 2).

    Signs are such that of the numbers of an axis the one of the greatest size is positive.
    """
    x = x - x.mean(axis=0)
    if len(x) < x.shape[1]:
        values, vectors = np.linalg.eigh(x @ x.T)
        found = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :most]
    else:
        found = x @ np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :most]
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    found = found * np.where(largest < 0, -1.0, 1.0)
    return np.pad(found, [(0, 0), (0, max(0, 2 - found.shape[1]))])


def _neighbours(x: np.ndarray, n: int) -> np.ndarray:
    """Return the n nearest others of each row: (k, n), ties by number."""
    squares = np.einsum("kd,kd->k", x, x)
    nearest = np.empty((len(x), n), np.int64)
    for first in range(0, len(x), ROWS):
        gaps = squares - 2 * (x[first : first + ROWS] @ x.T)
        here = np.arange(len(gaps))
        gaps[here, first + here] = np.inf
        some = np.sort(np.argpartition(gaps, n - 1, axis=1)[:, :n], axis=1)
        order = np.argsort(np.take_along_axis(gaps, some, 1), axis=1, kind="stable")
        nearest[first : first + ROWS] = np.take_along_axis(some, order, 1)
    return nearest


def _attraction(nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (ends (2, e), weights (e,) that sum to 1) of pairs, each in both directions."""
    k, n = nearest.shape
    one, other = np.repeat(np.arange(k), n), nearest.ravel()
    pairs = np.concatenate([one * k + other, other * k + one])
    each, counts = np.unique(pairs, return_counts=True)
    return np.stack([each // k, each % k]), counts / counts.sum()


def _descend(y: np.ndarray, ends: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Move places down the gradient for a fixed number of rounds.

    A step of k, less by the exaggeration, is the largest at which neighbours do not overshoot.
    """
    moves = np.zeros_like(y)
    for round_ in range(EARLY + LATE):
        pulled, momentum = (EXAGGERATION, 0.5) if round_ < EARLY else (1.0, 0.8)
        gradient = _pull(y, ends, weights) * pulled - _push(y)
        moves = momentum * moves - len(y) / pulled * gradient
        y = y + moves
        y -= y.mean(axis=0)
    return y


def _pull(y: np.ndarray, ends: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the attraction of the neighbours of each place: (k, 2)."""
    gaps = y[ends[0]] - y[ends[1]]
    strength = weights / (1 + np.einsum("ed,ed->e", gaps, gaps))
    sums = [np.bincount(ends[0], strength * gaps[:, axis], len(y)) for axis in (0, 1)]
    return np.stack(sums, axis=1)


def _push(y: np.ndarray) -> np.ndarray:
    """Return the repulsion of all other places: (k, 2); of many summed on a grid."""
    return _push_exactly(y) if len(y) <= FEW else _push_on_grid(y)


def _push_exactly(y: np.ndarray) -> np.ndarray:
    gaps = y[:, None] - y[None]
    near = 1 / (1 + np.einsum("ijd,ijd->ij", gaps, gaps))
    return np.einsum("ij,ijd->id", near**2, gaps) / max(float(near.sum()) - len(y), 1e-12)


def _push_on_grid(y: np.ndarray) -> np.ndarray:
    low, extent = y.min(axis=0), float(np.ptp(y, axis=0).max())
    n = int(np.clip(np.ceil(extent / SPACING / 32) * 32, LEAST_GRID, MOST_GRID))
    spacing = max(extent, 1e-12) / (n - 2)
    nodes, shares = _corners((y - low) / spacing, n)
    offsets = np.minimum(np.arange(2 * n), 2 * n - np.arange(2 * n)) * spacing
    kernel = 1 / (1 + offsets[:, None] ** 2 + offsets[None, :] ** 2)
    once, twice = np.fft.rfft2(kernel), np.fft.rfft2(kernel**2)
    charges = [np.ones(len(y)), y[:, 0], y[:, 1]]
    spectra = [_spectrum(one, nodes, shares, n) for one in charges]
    near = _at(spectra[0] * once, nodes, shares, n)
    total = max(float(near.sum()) - len(y), 1e-12)
    weight, at_x, at_y = (_at(one * twice, nodes, shares, n) for one in spectra)
    return (y * weight[:, None] - np.stack([at_x, at_y], axis=1)) / total


def _corners(y: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (numbers of the four nodes around each place (4, k), their shares (4, k))."""
    node = np.minimum(y.astype(np.int64), n - 2)
    (right, up), (x, z) = (y - node).T, node.T
    nodes = np.stack([x * n + z, (x + 1) * n + z, x * n + z + 1, (x + 1) * n + z + 1])
    shares = [(1 - right) * (1 - up), right * (1 - up), (1 - right) * up, right * up]
    return nodes, np.stack(shares)


def _spectrum(charge: np.ndarray, nodes: np.ndarray, shares: np.ndarray, n: int) -> np.ndarray:
    grid = np.bincount(nodes.ravel(), (shares * charge).ravel(), n * n).reshape(n, n)
    return np.fft.rfft2(grid, (2 * n, 2 * n))


def _at(spectrum: np.ndarray, nodes: np.ndarray, shares: np.ndarray, n: int) -> np.ndarray:
    """Return the values at the places of a field on the grid: (k,)."""
    field = np.fft.irfft2(spectrum, (2 * n, 2 * n))[:n, :n]
    return (field.ravel()[nodes] * shares).sum(axis=0)
