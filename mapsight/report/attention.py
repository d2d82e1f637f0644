"""What needs somebody's attention, each with the command that comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapsight.evaluation.counts import EXAMPLES
from mapsight.records import COPY_KINDS
from mapsight.report.summary import Run, error_rows
from mapsight.text import amount, counted, file_size, percent

__all__ = ["Item", "attention", "workspace_option"]

MAX_NAMED = 12
DEFAULT = "workspace"


@dataclass(frozen=True)
class Item:
    """Hold how many of what there are, a sentence, the section that shows them, and a command.

    `link` is the id of a section, or ""; `before` says what to do before the command is run.
    """

    count: str
    title: str
    text: str
    link: str = ""
    command: str = ""
    before: str = ""


def attention(
    run: Run, suspects: Sequence[Mapping[str, str]], unsure: int | None, labels: Sequence[Run]
) -> list[Item]:
    """Return what needs attention; nothing where all is well.

    Args:
        suspects: the rows of suspects.csv.
        unsure: pictures with a score below one half; None where nobody counted.
        labels: of labels.csv.
    """
    where = workspace_option(run)
    return [
        *_rejected(run),
        *_suspects(suspects, where),
        *_missing(run, labels),
        *_duplicates(run, where),
        *_unsure(run, unsure, where),
        *_unused(run),
    ]


def workspace_option(run: Run) -> str:
    """Return the option that names the run's workspace, as it was typed; "" for the usual one.

    >>> workspace_option({"command": "mapsight --workspace='my ws'"})
    " --workspace 'my ws'"
    """
    try:
        words = shlex.split(run["command"] or "")
    except ValueError:
        return ""
    for word, after in zip(words, [*words[1:], ""], strict=False):
        name, _, value = word.partition("=")
        if name == "--workspace" and (value or after) not in ("", DEFAULT):
            return f" --workspace {shlex.quote(value or after)}"
    return ""


def _rejected(run: Run) -> Iterator[Item]:
    if run["images_rejected"]:
        reasons = ", ".join(f"{code} {amount(n)}" for code, n, _ in error_rows(run["errors"])[:4])
        share = percent(run["images_rejected"] / run["images_read"]) if run["images_read"] else "–"
        yield Item(
            amount(run["images_rejected"]),
            _plural(run["images_rejected"], "rejected picture"),
            f"{share} of all: {reasons}.",
            "rejected",
            run["command"] or "",
            "Mend or replace the files, then run again; only what has changed is done again.",
        )


def _suspects(rows: Sequence[Mapping[str, str]], where: str) -> Iterator[Item]:
    if rows:
        yield Item(
            amount(len(rows)) + ("+" if len(rows) >= EXAMPLES["suspects"] else ""),
            _plural(len(rows), "suspected label error"),
            "The prediction contradicts what people verified; either may be wrong.",
            "suspects",
            f"mapsight select --disputed --format csv{where}",
            "Look at each and mend the wrong one; suspects.csv has the most probable.",
        )


def _missing(run: Run, labels: Sequence[Run]) -> Iterator[Item]:
    missing = run["missing_labels"]
    if missing:
        names = shlex.quote(",".join(missing[:MAX_NAMED]))
        why = ", and the head had too few examples" if run["labelled_by"] == "head" else ""
        them = "this label" if len(missing) == 1 else "these labels"
        yield Item(
            amount(len(missing)),
            _plural(len(missing), "missing label"),
            f"The model has no class for {_named(missing)}{why}. No picture can get {them}.",
            "",
            f"mapsight fetch --labels {names} --to openimages/",
            "Verified examples teach it to a head: a sample of Open Images has some.",
        )
    none = [row["label"] for row in labels if not row["pictures"] and row["label"] not in missing]
    if none and len(none) < len(labels):
        name = _plural(len(none), "label", "without a picture")
        yield Item(amount(len(none)), name, f"No picture has {_named(none)}.", "labels")


def _duplicates(run: Run, where: str) -> Iterator[Item]:
    facts = run["duplicates"]
    if facts is None:
        if run["images_extracted"]:
            text = "Nobody has looked for duplicates in this collection."
            yield Item("?", "duplicates", text, "", f"mapsight duplicates{where}")
        return
    spare = sum(facts.get(kind, 0) for kind in COPY_KINDS)
    if spare:
        yield Item(
            amount(spare),
            _plural(spare, "duplicate"),
            f"In {counted(facts['groups'], 'group')}, each with a picture to keep; without the"
            f" others {file_size(facts['bytes'])} less.",
            "duplicates",
            f"mapsight remove --ids spare.txt{where}",
            "Hide them from searches: spare.txt has the image_ids of duplicates.csv that are"
            " no keeper, one a line.",
        )


def _unsure(run: Run, unsure: int | None, where: str) -> Iterator[Item]:
    if unsure:
        share = percent(unsure / run["images_extracted"]) if run["images_extracted"] else "–"
        yield Item(
            amount(unsure),
            _plural(unsure, "picture", "with a score below 0.5"),
            f"{share} of all. The least sure of each label are among its pictures.",
            "labels",
            f"mapsight select --unsure{where}",
        )


def _unused(run: Run) -> Iterator[Item]:
    options = run["options"]
    names = ("license", "subset", "only_labels")
    limits = [f"--{n.replace('_', '-')} {_text(options[n])}" for n in names if options.get(n)]
    if run["images_not_selected"]:
        why = f"by {' and '.join(limits)}" if limits else "by the annotations"
        yield Item(
            amount(run["images_not_selected"]),
            _plural(run["images_not_selected"], "picture", "not used"),
            f"Left out {why}.",
        )
    if run["images_without_annotation"]:
        yield Item(
            amount(run["images_without_annotation"]),
            _plural(run["images_without_annotation"], "picture", "without metadata"),
            "The image lists and labels do not have them; orphans.csv lists them.",
        )
    if run["annotations_without_picture"]:
        yield Item(
            amount(run["annotations_without_picture"]),
            _plural(run["annotations_without_picture"], "annotation", "without a picture"),
            "The metadata has pictures that are not in this collection; orphans.csv lists them.",
        )


def _plural(count: int, one: str, rest: str = "") -> str:
    return f"{one if count == 1 else one + 's'} {rest}".rstrip()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(map(str, value))


def _named(names: Sequence[str]) -> str:
    rest = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {amount(rest)} more" if rest > 0 else "")
