"""The options of the commands search and evaluate-index."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from mapsight.search.recall import TARGET

__all__ = [
    "EVALUATE_EXAMPLES",
    "MAX_TOP_K",
    "RANKS",
    "SEARCH_EXAMPLES",
    "STYLES",
    "evaluate_options",
    "search_options",
]

SEARCH_EXAMPLES = """\
examples:
  %(prog)s lion.jpg
  %(prog)s 00966a975d566c45 --top-k 20 --format json
  %(prog)s https://example.org/lion.jpg --by label --min-ppi 20
  %(prog)s --queries queries.txt --exclude-self --format html --out answers.html
  %(prog)s drawing.png --style photo --license by/2.0 --rank-by diverse
  %(prog)s Tiger zebra.jpg --mean --recall .99
  %(prog)s 00966a975d566c45 --no-job --format json
  %(prog)s --queries - --no-job --format json          (answers each line as it comes)
"""
EVALUATE_EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s -r local --queries 1000 --probe 5 --probe 50
"""
MAX_TOP_K = 10_000
RANKS = ("score", "ppi", "diverse")
STYLES = ("same", "photo", "drawing", "any")


def search_options(
    parser: argparse.ArgumentParser,
    positive: Callable[[str], int],
    real: Callable[[str], float],
    share: Callable[[str], float],
) -> None:
    """Add them to a parser; the other arguments turn text into values."""
    parser.add_argument(
        "query", nargs="*", help="picture file, URL, image_id, or with an index the name of a label"
    )
    parser.add_argument(
        "--queries", metavar="FILE", help="file with one query a line; - is standard input"
    )
    parser.add_argument(
        "--by",
        choices=["index", "features", "label"],
        help="the most alike, from the cells of the index that are near, or of all pictures; or"
        " those of the same label, highest PPI first (default: index where there is one, else"
        " features)",
    )
    parser.add_argument(
        "--top-k",
        type=positive,
        default=10,
        metavar="K",
        help="answers to a query (default: %(default)s)",
    )
    parser.add_argument("--exclude-self", action="store_true", help="leave out the query itself")
    parser.add_argument("--format", choices=["table", "json", "html"], default="table")
    parser.add_argument("--out", metavar="FILE", help="write the answers there")
    parser.add_argument("--head", metavar="FILE", help="label by this head, without the index")
    parser.add_argument(
        "--allow-private", action="store_true", help="also fetch queries from private addresses"
    )
    group = parser.add_argument_group("which pictures may answer")
    group.add_argument("--label", help="only those with this label")
    group.add_argument("--min-ppi", type=real, default=0.0, metavar="PPI", help="or more")
    _filter_options(group)
    _index_options(parser.add_argument_group("by the index"), positive, share)


def _filter_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--style",
        choices=STYLES,
        help="by the index: of the query's predicted style (the default, where a head knows"
        " styles), of this one, or of any",
    )
    group.add_argument(
        "--license", metavar="TEXT", help="by the index: a part of its address, as in by/2.0"
    )
    group.add_argument("--subset", metavar="NAME", help="by the index: such as train")


def _index_options(
    group: argparse._ArgumentGroup,
    positive: Callable[[str], int],
    share: Callable[[str], float],
) -> None:
    group.add_argument(
        "--probe",
        type=positive,
        metavar="N",
        help="read the N cells nearest the query (default: as many as --recall needs)",
    )
    group.add_argument(
        "--recall",
        type=share,
        metavar="SHARE",
        help="of the true ten best that are to be found, as measured when the index was built"
        f" (default: {TARGET})",
    )
    group.add_argument(
        "--rank-by",
        choices=RANKS,
        help="likeness, or of four times as many pictures the PPI, or diverse: near-duplicates"
        " are one answer, and answers are unlike each other (default: score)",
    )
    group.add_argument(
        "--mean", action="store_true", help="all queries are one: pictures like their mean"
    )
    group.add_argument(
        "--features",
        choices=["new", "plain"],
        help="compare embeddings joined with label scores, or embeddings alone"
        " (default: new where a head was fitted)",
    )
    group.add_argument(
        "--no-job",
        action="store_true",
        help="answer in this process from a copy of the index on this machine that is made at"
        " first use; the answers are those of the job. Starting takes a second or two, a query"
        " then milliseconds: ask many with --queries -, or from Python (docs/search.md)",
    )
    group.add_argument(
        "--copy",
        metavar="FOLDER",
        help="for --no-job: where to keep that copy (default: WORKSPACE/copy, or"
        " ~/.cache/mapsight/copies for a workspace elsewhere)",
    )


def evaluate_options(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """Add the command's options to a parser."""
    parser.add_argument(
        "--queries",
        type=positive,
        default=1000,
        metavar="N",
        help="pictures of the index, chosen by a hash of their ids (default: %(default)s)",
    )
    parser.add_argument(
        "--probe",
        type=positive,
        action="append",
        default=[],
        metavar="N",
        help="a number of cells to tell of (default: 1, 2, 3, 4, 6, 8, …); may be repeated",
    )
