"""From pictures to feature records: what an extract task does with its split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mapsight.features.decode import PictureError
from mapsight.features.decoder_child import Decoded
from mapsight.features.decoder_process import Decoder
from mapsight.features.mobilenet import Model, top5
from mapsight.inputs.shards import Image
from mapsight.records import encode_embedding, error_record
from mapsight.task_errors import at

__all__ = ["extract_features", "feature_of"]


def extract_features(
    images: Iterable[Image], model: Model, decoder: Decoder
) -> Iterator[tuple[Image, dict[str, Any]]]:
    """Yield (image without its data, feature record) of every image, in their order.

    None is lost: an image that cannot be used gives a record with `error` and
    `detail` instead of measures. One picture is held and one is being decoded.
    """

    def outcome(image: Image, result: Decoded | PictureError | None) -> dict[str, Any]:
        if image.error is not None:
            return image.error
        if isinstance(result, Decoded):
            return feature_of(result, model)
        assert result is not None and image.data is not None
        return error_record(result.code, result.detail) | {"bytes": len(image.data)}

    for image, result in decoder.decode_all((image, image.data or b"") for image in images):
        with at(f"picture {image.image_id} ({image.source})"):
            found = outcome(image, result)
        common: dict[str, Any] = {"source": image.source, **image.provenance}
        if image.data is not None and "error" not in found:
            common |= {
                "bytes": len(image.data),
                "sha256": hashlib.sha256(image.data).hexdigest(),
                "shard": image.shard,
                "row": image.row,
            }
        yield replace(image, data=None), common | found


def feature_of(decoded: Decoded, model: Model) -> dict[str, Any]:
    """Return measures, top 5 classes and embedding of one decoded picture."""
    probabilities, embedding = model.predict(decoded.crop)
    return {
        **decoded.fields,
        "top5": top5(probabilities, model.classes),
        "embedding": encode_embedding(embedding),
    }
