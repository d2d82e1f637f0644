"""Options that say which flags pictures may have."""

from __future__ import annotations

import argparse

from mapsight.labels.flags import FLAG_NAMES

__all__ = ["add_flag_options"]


def add_flag_options(group: argparse._ArgumentGroup) -> None:
    """Add which flags pictures may have."""
    group.add_argument(
        "--no-flags",
        action="store_true",
        help="only pictures with which nothing seems wrong"
        " (odd_for_label: as far as the index knows it)",
    )
    for option, which in (("--flag", "with this flag"), ("--without-flag", "without this flag")):
        group.add_argument(
            option,
            action="append",
            default=[],
            choices=FLAG_NAMES,
            metavar="NAME",
            help=f"only pictures {which}; may be repeated (default: any)."
            + (f" Flags: {', '.join(FLAG_NAMES)}" if option == "--flag" else ""),
        )
