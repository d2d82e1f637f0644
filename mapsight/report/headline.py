"""What stands on top of a report: how the run ended, and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapsight.evaluation.accuracy import ALL
from mapsight.report.pages import bounds
from mapsight.report.summary import Run
from mapsight.text import amount, duration, percent

__all__ = ["figures", "heading"]


def heading(run: Run) -> str:
    """Return how the run ended, in a few words."""
    read, used = amount(run["images_read"]), amount(run["images_extracted"])
    if run["images_read"] == run["images_extracted"]:
        return f"{read} pictures classified"
    return f"{used} of {read} pictures classified"


def figures(run: Run, accuracy: Sequence[Run]) -> Iterator[tuple[str, str, str]]:
    """Return the numbers on top of the page: name, value, detail."""
    read = run["images_read"]
    inputs = len(run["inputs"])
    for row in accuracy:
        if row["label"] == ALL and row["n"]:
            detail = f"{bounds(row['top1'])}, n = {amount(row['n'])}"
            yield "Top-1 accuracy", percent(row["top1"][0]), detail
    plural = "input" if inputs == 1 else "inputs"
    yield "Pictures read", amount(read), f"from {amount(inputs)} {plural}"
    for name in ("extracted", "rejected"):
        count = run[f"images_{name}"]
        title = "Classified" if name == "extracted" else "Rejected"
        detail = f"{percent(count / read)} of all" if read else ""
        if name == "extracted" and run["images_not_selected"]:
            detail = f"{amount(run['images_not_selected'])} were not selected"
        yield title, amount(count), detail
    seconds = sum(stage["seconds"] for stage in run["stages"])
    speed = run["pictures_per_second"]
    yield "Pictures per second (extract)", amount(speed, 1), f"all stages: {duration(seconds)}"
