"""The tables of results/explore/, from the sums of the explore job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mapsight.explore.column_checks import MICRO
from mapsight.explore.exploration import ALL, Exploration
from mapsight.explore.pictures import MEASURES, boxes_bin_end
from mapsight.explore.rows import END
from mapsight.openimages.columns import FLAGS, KINDS, NAMES
from mapsight.openimages.hierarchy import ancestors, levels
from mapsight.results.predictions import write_csv

__all__ = ["write_tables"]

Rows = Iterator[dict[str, Any]]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _spread(total: int, squares: int, n: int) -> float | None:
    """Standard deviation over mean, exact up to the root."""
    return (n * squares - total**2) ** 0.5 / total if total else None


def split_rows(found: Exploration) -> Rows:
    """Yield the measures of every subset, and what is divided by pictures."""
    for subset in [*found.subsets, ALL]:
        sums = found.split(subset)
        n = sums["pictures"]
        yield {
            "subset": subset,
            **{name: sums[name] for name in MEASURES if not name.endswith("_squared")},
            "sure_share": _ratio(sums["sure"], sums["labelled"]),
            "boxed_share": _ratio(sums["boxed"], n),
            "verified_per_picture": _ratio(sums["verified_labels"], n),
            "verified_spread": _spread(sums["verified_labels"], sums["verified_labels_squared"], n),
            "boxes_per_picture": _ratio(sums["boxes"], n),
            "boxes_per_boxed": _ratio(sums["boxes"], sums["boxed"]),
            "boxes_spread": _spread(sums["boxes"], sums["boxes_squared"], n),
        }


def label_rows(found: Exploration) -> Rows:
    """Yield every label with its pictures by source, most verified first."""
    labels = found.family("label")
    shapes = found.family("shape")
    mids = {mid for mid, _ in labels}

    def row(mid: str) -> dict[str, Any]:
        kinds = ("present", "absent", "machine", "boxed", "boxes")
        counts = {kind: labels.get((mid, kind), 0) for kind in kinds}
        area = _ratio(shapes.get((mid, "area"), 0), shapes.get((mid, "boxes"), 0) * MICRO**2)
        return {"mid": mid, "label": found.label(mid), **counts, "mean_area": area}

    def order(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return -row["present"], -row["boxes"], -row["machine"], -row["absent"], row["mid"]

    yield from sorted(map(row, mids), key=order)


def attribute_rows(found: Exploration) -> Rows:
    """Yield the values of every box attribute: over all boxes, then per label."""
    values = found.family("attribute")
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for (mid, name, value), number in values.items():
        for key in (("", name), (mid, name)):
            row = sums.setdefault(key, dict.fromkeys(("1", "0", "-1", ""), 0))
            row[value] += number
    for (mid, name), row in sorted(sums.items(), key=lambda item: _attribute_order(*item[0])):
        yield {
            "mid": mid,
            "label": found.label(mid) if mid else ALL,
            "attribute": NAMES[name],
            "yes": row["1"],
            "no": row["0"],
            "unknown": row["-1"],
            "empty": row[""],
            "share": _ratio(row["1"], row["1"] + row["0"]),
        }


def _attribute_order(mid: str, name: str) -> tuple[str, int]:
    return mid, FLAGS.index(name)


def histogram_rows(found: Exploration) -> Rows:
    """Yield pictures by how many boxes they have, per subset and over all."""
    counts = {(subset, int(low)): n for (subset, low), n in found.family("boxes").items()}
    for (_, low), number in [*counts.items()]:
        counts[ALL, low] = counts.get((ALL, low), 0) + number
    for subset in [*found.subsets, ALL]:
        lows = sorted(low for name, low in counts if name == subset)
        for low in lows:
            yield {
                "subset": subset,
                "low": low,
                "high": boxes_bin_end(low),
                "pictures": counts[subset, low],
            }


def shape_rows(found: Exploration) -> Rows:
    """Yield boxes by area (share of the picture) and aspect (share of width / of height)."""
    for measure, octaves in (("area", 1), ("aspect", 0.5)):
        bins = {int(number): boxes for (number,), boxes in found.family(measure).items()}
        for number in range(min(bins, default=0), max(bins, default=-1) + 1):
            low = 2.0 ** (number * octaves) if number > -END else 0.0
            high = 2.0 ** ((number + 1) * octaves) if number < END else None
            yield {"measure": measure, "low": low, "high": high, "boxes": bins.get(number, 0)}


def pair_rows(found: Exploration) -> Rows:
    """Yield the labels most often verified in the same pictures."""
    labels = found.family("label")
    for (a, b), pictures in found.family("pair").items():
        either = labels[a, "present"] + labels[b, "present"] - pictures
        yield {
            "mid_a": a,
            "label_a": found.label(a),
            "mid_b": b,
            "label_b": found.label(b),
            "pictures": pictures,
            "jaccard": _ratio(pictures, either),
        }


def text_rows(found: Exploration, family: str) -> Rows:
    """Yield the most frequent texts of a family with their share of all."""
    total = found.family("total").get((family,), 0)
    for (text,), number in found.family(family).items():
        yield {family: text, "number": number, "share": _ratio(number, total)}


def source_rows(found: Exploration) -> Rows:
    """Yield how many label rows and boxes came from which source."""
    for kind in ("labels", "boxes"):
        family = f"{kind}_source"
        yield from (
            {"kind": kind, "source": row.pop(family), **row} for row in text_rows(found, family)
        )


def class_rows(found: Exploration) -> Rows:
    """Yield every class of the hierarchy: pictures that show it, itself or by a class below it."""
    depth = levels(found.parents)
    for mid in sorted(depth, key=lambda mid: (depth[mid], -_pictures(found, mid), mid)):
        yield {"level": depth[mid], "parents": " ".join(found.parents.get(mid, ()))} | _class(
            found, mid
        )


def _pictures(found: Exploration, mid: str, which: str = "below") -> int:
    return found.family("class").get((mid, which), 0)


def _class(found: Exploration, mid: str) -> dict[str, Any]:
    own, pictures = _pictures(found, mid, "own"), _pictures(found, mid)
    return {"mid": mid, "label": found.label(mid), "own": own, "pictures": pictures}


def facet_rows(found: Exploration) -> Rows:
    """Yield of every target label the classes above it, itself, and those below it."""
    above = ancestors(found.parents)
    for target, mid in found.targets.items():
        below = [other for other in above if mid in above[other] and other != mid]
        over = sorted(above.get(mid, frozenset()) - {mid}, key=lambda m: (len(above[m]), m))
        under = sorted(below, key=lambda m: (-_pictures(found, m), m))
        for relation, mids in (("above", over), ("itself", [mid]), ("below", under)):
            for other in mids:
                yield {"target": target, "relation": relation, **_class(found, other)}


def file_rows(found: Exploration) -> Rows:
    """Yield every file with its columns and rows."""
    counts, headers = found.family("file"), found.family("header")
    for kind, name in sorted({key[:2] for key in counts}):
        ((columns, subset),) = headers.get((kind, name), [["", ""]])
        numbers = {what: counts[kind, name, what] for what in ("rows", "unreadable", "unusable")}
        header = "no" if columns.startswith(" ") else "yes"
        about = {"file": name, "kind": kind, "subset": subset, "header": header}
        yield {**about, **numbers, "columns": columns.strip()}


def column_rows(found: Exploration) -> Rows:
    """Yield every column with its empty and malformed cells."""
    counts = found.family("column")
    order = {kind: {name: n for n, name in enumerate(KINDS[kind][-1])} for kind in KINDS}
    keys = {key[:3] for key in counts}
    for key in sorted(keys, key=lambda key: (key[0], order[key[0]].get(key[2], 99), key[2])):
        numbers = {what: counts[(*key, what)] for what in ("cells", "empty", "malformed")}
        yield {"kind": key[0], "column": key[1] or key[2], "published": key[2], **numbers}


def problem_rows(found: Exploration) -> Rows:
    """Yield the first examples of everything that was wrong, with file and byte offset."""
    for (kind, column, problem), examples in sorted(found.family("example").items()):
        for file, offset, cell in examples:
            about = {"kind": kind, "column": NAMES.get(column, column), "problem": problem}
            yield {**about, "file": file, "offset": offset, "cell": cell}


def first_rows(found: Exploration) -> Rows:
    """Yield the first pictures by id that have no label, or that no list has."""
    for (what,), ids in sorted(found.family("first").items()):
        yield from ({"what": what, "image_id": image_id} for image_id in ids)


SPLIT_COLUMNS = (
    "subset",
    *(name for name in MEASURES if not name.endswith("_squared")),
    *("sure_share", "boxed_share", "verified_per_picture", "verified_spread"),
    *("boxes_per_picture", "boxes_per_boxed", "boxes_spread"),
)
CLASS_COLUMNS = ("mid", "label", "own", "pictures")


def write_tables(found: Exploration, folder: Path) -> None:
    """Write every table as CSV into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns, rows in _tables(found):
        names = columns.split() if isinstance(columns, str) else columns
        write_csv(folder / f"{name}.csv", names, rows)


def _tables(found: Exploration) -> Iterator[tuple[str, str | Sequence[str], Rows]]:
    yield "files", "file kind subset header rows unreadable unusable columns", file_rows(found)
    yield "columns", "kind column published cells empty malformed", column_rows(found)
    yield "problems", "kind column problem file offset cell", problem_rows(found)
    yield "splits", SPLIT_COLUMNS, split_rows(found)
    yield "labels", "mid label present absent machine boxed boxes mean_area", label_rows(found)
    columns = "mid label attribute yes no unknown empty share"
    yield "attributes", columns, attribute_rows(found)
    yield "boxes_per_picture", "subset low high pictures", histogram_rows(found)
    yield "shapes", "measure low high boxes", shape_rows(found)
    most = ({"image_id": key[0], "boxes": n} for key, n in found.family("most_boxes").items())
    yield "most_boxes", "image_id boxes", most
    yield "pairs", "mid_a label_a mid_b label_b pictures jaccard", pair_rows(found)
    yield "classes", ("level", *CLASS_COLUMNS, "parents"), class_rows(found)
    yield "facets", ("target", "relation", *CLASS_COLUMNS), facet_rows(found)
    yield "sources", "kind source number share", source_rows(found)
    for family in ("license", "author", "rotation"):
        yield f"{family}s", f"{family} number share", text_rows(found, family)
    yield "examples", "what image_id", first_rows(found)
