"""Options of a run alone, in groups: labels and ranking, selection, search index."""

from __future__ import annotations

import argparse

from driver.options.types import labels_in, positive, positive_real, ranks, share
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.records import MEASURES

__all__ = ["add_index_options", "add_label_options", "add_selection_options"]


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add how pictures are labelled and ranked."""
    labels = parser.add_argument_group("labels and ranking")
    labels.add_argument(
        "--target-labels",
        nargs="+",
        type=labels_in,
        default=[],
        metavar="LABEL",
        help="labels to assign, as Open Images names or MIDs; auto: the classes that the pictures"
        " have most of, rolled up the hierarchy until each has enough (default: auto for"
        f" --images without --openimages; else {', '.join(DEFAULT_TARGETS)})",
    )
    labels.add_argument(
        "--no-fit",
        action="store_true",
        help="label by the model's own classes, even where a head could be learned "
        "from verified labels",
    )
    labels.add_argument(
        "--head",
        metavar="FILE",
        help="label by this head (a results/head.npz) and fit none (default: fit one "
        "where there are verified labels)",
    )
    labels.add_argument(
        "--rank-by",
        choices=MEASURES,
        default="ppi",
        help="measure that ranks pictures (default: %(default)s)",
    )
    labels.add_argument(
        "--order",
        choices=["desc", "asc"],
        default="desc",
        help="highest or lowest value first (default: %(default)s)",
    )
    labels.add_argument(
        "--ranks",
        type=ranks,
        metavar="A:B",
        help="keep only ranks A to B of each label, counted from 1 (default: all)",
    )
    labels.add_argument(
        "--near-model",
        action="store_true",
        help="rank by how close the PPI is to that of the model's input",
    )
    labels.add_argument(
        "--screen-diagonal",
        type=positive_real,
        metavar="INCHES",
        help="PPI on a screen of this diagonal, in inches (default: PPI from the "
        "picture's own diagonal)",
    )


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """Add which pictures are left out."""
    group = parser.add_argument_group("selection", "Other pictures are counted and left out.")
    group.add_argument(
        "--only-labels",
        nargs="+",
        type=labels_in,
        default=[],
        metavar="LABEL",
        help="only pictures with one of these labels, given by people or machines (default: all)",
    )
    group.add_argument(
        "--min-confidence",
        type=share,
        default=0.99,
        metavar="C",
        help="for --only-labels: ignore labels at or below this confidence, 0 to 1 "
        "(default: %(default)g)",
    )
    group.add_argument(
        "--subset",
        nargs="+",
        type=str.lower,
        default=[],
        metavar="NAME",
        help="only pictures of these subsets, as in train test (default: all)",
    )
    group.add_argument(
        "--license",
        metavar="TEXT",
        help="only pictures whose licence address contains this text, as in by/2.0 (default: all)",
    )


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Add how the search index is built."""
    group = parser.add_argument_group("search index")
    group.add_argument(
        "--no-index",
        action="store_true",
        help="build no search index: searches then read all pictures",
    )
    group.add_argument(
        "--cells",
        type=positive,
        metavar="K",
        help="number of k-means cells (default: the power of two nearest to 6√n, at "
        "most 16384 and n/16, of n pictures)",
    )
    group.add_argument(
        "--max-iterations",
        type=positive,
        default=10,
        metavar="N",
        help="iterations of k-means at most (default: %(default)s)",
    )
    group.add_argument(
        "--tolerance",
        type=share,
        default=0.001,
        metavar="SHARE",
        help="stop k-means when the inertia improves by this share or less (default: %(default)s)",
    )
    group.add_argument(
        "--index-type",
        choices=["int16", "int8"],
        default="int16",
        help="number format of stored vectors; int8 is half as large and less exact "
        "(default: %(default)s)",
    )
