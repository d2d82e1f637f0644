"""Pictures worth a look: suspected label errors, and examples of what was taken for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mapsight.labels.ranking import EVERYTHING
from mapsight.records import PROVENANCE

__all__ = ["SUSPECTS", "Noticed"]

SUSPECTS = (
    *("image_id", "reason", "given", "score", "verified", "absent", "split", "source"),
    *(name for name in PROVENANCE if name not in ("caption", "subset")),
)
PAIRS = 8
SHEETS = ("best", "worst", "unsure")
"""Kinds of examples that are shown of all pictures and of the labels with most of them."""
PICTURES = {"best": 12, "worst": 6, "unsure": 6, "flagged": 6}
LABELS = 40
ALIKE = 3
"""Bits in which the dHash of a copy differs at most: of copies the best is shown alone."""
KEPT = ("source", "shard", "row", "ppi", "width", "height", "score", "split", *PROVENANCE)


class Noticed:
    """The examples that the count stage chose, and their records, caught as they stream by.

    Memory: at most 60 suspects, 3 pictures of each of PAIRS confusions, 24 of LABELS labels
    and 6 of each flag.
    """

    def __init__(
        self, counts: Mapping[tuple[str, ...], int], rows: Mapping[tuple[str, ...], list[Any]]
    ) -> None:
        self._suspects = [image_id for *_, image_id in rows.get(("suspects",), [])]
        pairs = sorted(
            (-counts[("truth", *key[1:])], key[1:]) for key in rows if key[0] == "confused"
        )
        self._confused = [
            (truth, label, -n, [image_id for _, image_id in rows["confused", truth, label]])
            for n, (truth, label) in pairs[:PAIRS]
        ]
        self._sheets = _sheets(counts, rows)
        confused = (image_id for *_, ids in self._confused for image_id in ids)
        sheets = (i for kind in self._sheets.values() for ids in kind.values() for i in ids)
        shown = (*confused, *sheets)
        self._records: dict[str, dict[str, Any] | None] = dict.fromkeys([*self._suspects, *shown])

    @property
    def ids(self) -> list[str]:
        """Return the ids of those examples."""
        return list(self._records)

    def passing(
        self, records: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The records, as they are."""
        for image_id, record in records:
            if image_id in self._records and "label" in record:
                self._records[image_id] = {"image_id": image_id, **record}
            yield image_id, record

    def write_suspects(self, target: Path) -> int:
        """suspects.csv, verified negatives first, then by score; the number of rows."""
        from mapsight.results.predictions import write_csv

        return write_csv(target / "suspects.csv", SUSPECTS, map(_suspect, self._found()))

    def _found(self) -> Iterator[dict[str, Any]]:
        return map(self._record, self._suspects)

    def _record(self, image_id: str) -> dict[str, Any]:
        record = self._records[image_id]
        assert record is not None
        return record

    def notes(self) -> dict[str, Any]:
        """What the report shows of them: rows for contact sheets."""
        suspects = [_shown(record, _told(record)) for record in self._found()]
        confused = []
        for truth, label, n, ids in self._confused:
            rows = [_shown(self._record(i), f"{truth} → {label}") for i in ids]
            confused.append({"truth": truth, "label": label, "pictures": n, "rows": rows})
        sheets = {
            kind: {name: [_listed(self._record(i)) for i in ids] for name, ids in groups.items()}
            for kind, groups in self._sheets.items()
        }
        return {"suspects": suspects, "confused": confused, "shown": sheets}


def _sheets(
    counts: Mapping[tuple[str, ...], int], rows: Mapping[tuple[str, ...], list[Any]]
) -> dict[str, dict[str, list[str]]]:
    """Return the ids to show by kind, and label or flag."""
    labels = sorted((-n, key[1]) for key, n in counts.items() if key[0] == "label")[:LABELS]
    groups = {EVERYTHING, *(label for _, label in labels)}
    sheets: dict[str, dict[str, list[str]]] = {kind: {} for kind in PICTURES}
    for (kind, *name), chosen in sorted(rows.items()):
        if kind == "flagged":
            sheets[kind][name[0]] = [image_id for _, image_id in chosen][: PICTURES[kind]]
        elif kind in SHEETS and name[0] in groups:
            sheets[kind][name[0]] = _without_copies(chosen)[: PICTURES[kind]]
    return sheets


def _without_copies(rows: Iterable[list[Any]]) -> list[str]:
    """Return the ids of pictures of which none before is a copy.

    >>> _without_copies([[0, "a", "00"], [1, "b", "07"], [2, "c", "ff"]])
    ['a', 'c']
    """
    seen: dict[str, int] = {}
    for _, image_id, dhash in rows:
        bits = int(dhash, 16)
        if all((bits ^ other).bit_count() > ALIKE for other in seen.values()):
            seen[image_id] = bits
    return list(seen)


def _listed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sheet shows of a picture with its label and finest class."""
    more = {name: record[name] for name in ("top_label", "quality", "flags") if name in record}
    return _shown(record, record["label"]) | more


def _suspect(record: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: record.get(name) for name in SUSPECTS}
    return row | {
        "reason": "absent" if record["label"] in record["absent"] else "missed",
        "given": record["label"],
        "verified": "; ".join(record["truth"] or []),
        "absent": "; ".join(record["absent"]),
    }


def _told(record: Mapping[str, Any]) -> str:
    label = record["label"]
    if label in record["absent"]:
        return f"predicted {label}, verified absent"
    return f"predicted {label}, verified {', '.join(record['truth'])}"


def _shown(record: Mapping[str, Any], label: str) -> dict[str, Any]:
    kept = {name: record[name] for name in KEPT if name in record}
    return {**kept, "image_id": record["image_id"], "label": label, "rank": None}
