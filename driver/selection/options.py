"""The options of select that say which pictures: filters, and a subset of those that fit."""

from __future__ import annotations

import argparse

from driver.options.flag_group import add_flag_options
from driver.options.types import from_zero, labels_in, positive
from mapsight.browse.command_line import option_of
from mapsight.browse.filter_values import DUPLICATES, HIDE, MEASURES
from mapsight.labels.unsure import UNSURE

__all__ = ["FOLDERS", "NAMES", "add_choice_options", "add_filter_options"]

FOLDERS = ("links", "copies", "openimages")
"""Forms of a selection that are a folder."""
TEXTS = {
    "label": ("NAME", "only pictures with this predicted label"),
    "style": ("NAME", "only pictures of this predicted style"),
    "license": (
        "TEXT",
        "only pictures with this licence: a short name, or a part of its address",
    ),
    "subset": ("NAME", "only pictures of this subset"),
    "split": ("NAME", "only pictures of this split of the head: train, validation or test"),
    "format": ("NAME", "only pictures in this file format, such as JPEG"),
    "truth": ("NAME", "only pictures that people verified to show this label"),
    "cell": ("N", "only pictures of this cell of the index"),
}
NAMES = tuple(
    option_of(name)
    for name in (*TEXTS, *(f"{side}_{one}" for one in MEASURES for side in ("min", "max")))
)


def add_choice_options(group: argparse._ArgumentGroup) -> None:
    """Add how many pictures are chosen, and which."""
    group.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="choose N pictures, at random unless --diverse or --near-model is given, always the"
        " same for a seed (default: all)",
    )
    group.add_argument(
        "--balance",
        type=labels_in,
        default=[],
        metavar="NAME,…",
        help="with --count, equal shares (stratified sampling) of the values of these: label,"
        " style, top_label, license, subset, format, author, cell (default: none)",
    )
    group.add_argument(
        "--diverse",
        action="store_true",
        help="with --count, those that are least alike by their features, by a job: farthest-first"
        " (k-center greedy, core-set selection)",
    )
    group.add_argument(
        "--near-model",
        action="store_true",
        help="with --count, those nearest the model's decision boundary: whose label it is least"
        " sure of (active learning by uncertainty sampling, least confidence)",
    )
    group.add_argument(
        "--seed",
        type=from_zero,
        default=0,
        metavar="N",
        help="number of the random order; another gives another choice (default: %(default)s)",
    )


def add_filter_options(group: argparse._ArgumentGroup) -> None:
    """Add what pictures must be."""
    for name, (metavar, text) in TEXTS.items():
        group.add_argument(
            f"--{option_of(name)}",
            action="append",
            default=[],
            metavar=metavar,
            help=f"{text}; again for more (default: any)",
        )
    for name in MEASURES:
        for side, least in (("min", "or more"), ("max", "or less")):
            group.add_argument(
                f"--{side}-{name}",
                metavar="VALUE",
                help=f"only pictures with {name} of VALUE {least} (default: any)",
            )
    group.add_argument(
        "--region",
        metavar="X,Y,…",
        help="only pictures of cells in this polygon on the map (default: anywhere)",
    )
    group.add_argument(
        "--unsure",
        action="store_true",
        help=f"only pictures whose label has a score below {UNSURE:g}",
    )
    add_flag_options(group)
    group.add_argument(
        "--disputed",
        action="store_true",
        help="only pictures for which people verified other labels than the predicted one",
    )
    group.add_argument(
        "--duplicates",
        choices=DUPLICATES,
        default="all",
        help="hide: of duplicates that fit one alone, the best; only: duplicates alone"
        " (default: %(default)s)",
    )
    group.add_argument(
        "--no-duplicates",
        dest="duplicates",
        action="store_const",
        const=HIDE,
        help="as --duplicates hide",
    )
