"""From feature records, joined with annotations or not, to prediction records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mapsight.features.measures import pixels_per_inch
from mapsight.labels.examples import example_of, split_of
from mapsight.labels.flags import flags_of
from mapsight.labels.head import Head, load_head
from mapsight.labels.labeler import Labeler, class_named
from mapsight.labels.picture_quality import quality_of
from mapsight.records import MEASURES, OTHER, PROVENANCE, decode_embedding, is_picture

__all__ = ["Classifier"]

COPIED = (
    "width",
    "height",
    "format",
    "frames",
    "frame",
    "dhash",
    "sha256",
    "source",
    "shard",
    "row",
    "part",
    *MEASURES,
)


class Classifier:
    """Labels pictures: by a head where there is one, else by the classes of the model.

    Target labels that the head had too few examples of keep the model's classes: where the
    model says such a label, it is taken if the head says `other` or is less sure.
    """

    def __init__(
        self,
        labeler: Labeler,
        head: Head | None = None,
        diagonal: float | None = None,
        *,
        own: bool = True,
    ) -> None:
        """Args:
        labeler: knows the target labels.
        head: see mapsight.labels.head.
        diagonal: of the screen, in inches; None keeps the picture's own PPI.
        own: the head was fitted on this collection, by its splits.
        """
        self.labeler, self.head, self.diagonal, self.own = labeler, head, diagonal, own
        known = set(head.labels) if head else set()
        self._by_model = set(labeler.targets) - known

    @classmethod
    def load(
        cls,
        targets: str,
        head: str | None = None,
        diagonal: float | None = None,
        *,
        own: bool = True,
    ) -> Classifier:
        """Return the classifier of a file of targets (see `Labeler.load`) and one with a head."""
        return cls(Labeler.load(targets), load_head(head) if head else None, diagonal, own=own)

    def predict(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the prediction of a feature record; what is no picture stays as it is.

        The scores of all labels go with pictures that tell how good the head is.
        """
        if not is_picture(record):
            return dict(record)
        kept = {name: record[name] for name in (*COPIED, *PROVENANCE) if name in record}
        if self.diagonal is not None:
            ppi = pixels_per_inch(record["width"], record["height"], self.diagonal)
            kept["ppi"] = round(ppi, 6)
        found = kept | {"flags": flags_of(record)} | self.label(record) | self._truth(record)
        found["quality"] = quality_of(found)
        judged = found["truth"] is not None or found["absent"]
        if found["split"] == "train" or not judged:
            found.pop("scores", None)  # 30 bytes a label, of which nobody would learn
        return found

    def label(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a feature record shows: its label and score, class, style."""
        top5: Sequence[Any] = record["top5"]
        label, score = self.labeler.label(top5)
        found = {"label": label, "score": score, **self._first(top5)}
        if self.head:
            found |= self._by_head(record, label, score)
        return found | {"mid": self.labeler.targets.get(found["label"], "")}

    def _first(self, top5: Sequence[Any]) -> dict[str, Any]:
        """Return what is said of the likeliest class, and labels of the five; nothing without."""
        if not top5:
            return {"top5_labels": [], **({} if self.head else {"unlabelled": True})}
        wnid, probability = top5[0]
        best = class_named(wnid)
        return {
            "top_wnid": wnid,
            "top_mid": best.mid,
            "top_label": best.title,
            "top_probability": probability,
            "top5_labels": self.labeler.labels_in(top5),
        }

    def _by_head(self, record: Mapping[str, Any], by_model: str, score: float) -> dict[str, Any]:
        assert self.head is not None
        x = decode_embedding(record["embedding"])
        label, probability, scores = self.head.answer(x)
        found: dict[str, Any] = {"scores": scores}
        if record["top5"]:
            found["model_label"] = by_model
        if by_model in self._by_model and (label == OTHER or score > probability):
            label, probability = by_model, score
        found |= {"label": label, "score": probability}
        style = self.head.style(x)
        return found | ({"style": style[0], "style_score": style[1]} if style else {})

    def _truth(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return what people verified, and on which side the picture was in the fit of the head."""
        example = example_of(record, self.labeler)
        assert example is not None
        present = None if example.present is None else list(example.present)
        found: dict[str, Any] = {"truth": present, "absent": list(example.absent)}
        if self.head and example.style:
            found["style_truth"] = example.style
        return found | {"split": self._split(record)}

    def _split(self, record: Mapping[str, Any]) -> str:
        """train: the head was fitted on it, validation: tuned; test: it is new to us."""
        if self.head is None:
            return "test"
        if self.own:
            return split_of(record)
        return "train" if self.head.has_seen(record["dhash"]) else "test"
