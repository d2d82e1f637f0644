"""The options of the command search, in groups."""

from __future__ import annotations

import argparse

from driver.options.flag_group import add_flag_options
from driver.options.types import not_negative, positive, share
from mapsight.search.choices import (
    BY,
    FEATURES,
    MAX_TOP_K,
    NEAR_COPIES,
    RANKS,
    READ_LIMIT,
    STYLES,
    TARGET_RECALL,
)

__all__ = [
    "add_filter_options",
    "add_index_options",
    "add_output_options",
    "add_query_options",
]


def add_query_options(parser: argparse.ArgumentParser) -> None:
    """Add the queries."""
    parser.add_argument(
        "query",
        nargs="*",
        help="picture file, URL, image_id or, with an index, words: the name of a label or of what "
        "the model knows, as in 'big cat -tiger'",
    )
    parser.add_argument(
        "--queries",
        metavar="FILE",
        help="file with one query per line; - is standard input (default: none)",
    )
    parser.add_argument(
        "--vector",
        metavar="FILE",
        action="append",
        default=[],
        help="vectors of the model's embedding space, made elsewhere: a .npy file of floats, (d,) "
        "or (n, d), each row a query; may be repeated (default: none)",
    )
    parser.add_argument(
        "--by",
        choices=BY,
        help="index: the most similar pictures in the nearest cells; features: the "
        "most similar of all pictures; label: pictures of the same label, highest "
        "PPI first (default: index if there is one, else features)",
    )
    parser.add_argument(
        "--top-k",
        type=positive,
        default=10,
        metavar="K",
        help=f"answers per query, at most {MAX_TOP_K:,} (default: %(default)s)",
    )
    parser.add_argument("--exclude-self", action="store_true", help="leave out the query itself")


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the form of answers."""
    parser.add_argument(
        "--format",
        choices=["table", "json", "html"],
        default="table",
        help="form of the answers; html needs --out (default: %(default)s)",
    )
    parser.add_argument(
        "--only-ids",
        action="store_true",
        help="write only the ids of the answers, one a line; excludes --format",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="file to write the answers to (default: standard output)"
    )


def add_filter_options(group: argparse._ArgumentGroup) -> None:
    """Add options that say which pictures may be answers."""
    group.add_argument("--label", help="only pictures with this label (default: any)")
    group.add_argument(
        "--min-score",
        type=share,
        metavar="SCORE",
        help="only pictures with this score or more, 0 to 1 (default: any)",
    )
    group.add_argument(
        "--min-ppi",
        type=not_negative,
        default=0.0,
        metavar="PPI",
        help="only pictures with this PPI or more (default: %(default)g)",
    )
    add_flag_options(group)
    group.add_argument(
        "--style",
        choices=STYLES,
        help="pictures of this predicted style; same is the query's "
        "(default: same by the index where a head knows styles, else any)",
    )
    group.add_argument(
        "--license",
        metavar="TEXT",
        help="pictures whose licence address contains this text, as in by/2.0 (default: any)",
    )
    group.add_argument(
        "--subset",
        metavar="NAME",
        help="pictures of this subset, such as train (default: any)",
    )


def add_index_options(group: argparse._ArgumentGroup) -> None:
    """Add options that say how the index is read."""
    group.add_argument(
        "--probe",
        type=positive,
        metavar="N",
        help="cells to read per query, nearest first (default: as many as --recall needs)",
    )
    group.add_argument(
        "--recall",
        type=share,
        metavar="SHARE",
        help="share of the true ten best to find, 0 to 1, as measured when the index "
        f"was built (default: {TARGET_RECALL})",
    )
    group.add_argument(
        "--rank-by",
        choices=RANKS,
        help="score: similarity; ppi: the highest PPI among four times as many pictures;"
        " diverse: near-duplicates are one answer, and answers differ from each other"
        " (default: score)",
    )
    group.add_argument(
        "--mean", action="store_true", help="search once for the mean of all queries"
    )
    group.add_argument(
        "--features",
        choices=FEATURES,
        help="new: embeddings and label scores; plain: embeddings alone (default: new "
        "where a head was fitted)",
    )
    group.add_argument(
        "--near-copies",
        choices=NEAR_COPIES,
        help="fold: near-duplicates are one answer, with their number; show: each is one "
        "(default: fold with --format html and --rank-by diverse, else show)",
    )
    _add_place_options(group)


def _add_place_options(group: argparse._ArgumentGroup) -> None:
    """Add options that say where the search runs."""
    group.add_argument(
        "--read-limit",
        type=positive,
        metavar="MIB",
        help="answer in this process where the cells have no more than this, else by a job "
        f"(default: {READ_LIMIT})",
    )
    group.add_argument(
        "--job", action="store_true", help="answer by a job in any case; the answers are the same"
    )
    group.add_argument(
        "--no-job",
        action="store_true",
        help="never run a job: answer from a copy of the whole index that is made on this "
        "machine at first use, after which a query takes milliseconds; ask many with "
        "--queries -, or from Python (docs/search.md)",
    )
    group.add_argument(
        "--copy",
        metavar="FOLDER",
        help="for --no-job: folder of that copy (default: WORKSPACE/copy, or "
        "~/.cache/mapsight/copies for a workspace elsewhere)",
    )
