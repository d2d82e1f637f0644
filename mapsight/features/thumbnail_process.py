"""Thumbnails made in a child process, as pictures are decoded in one (decoder_process.py).

    python -m mapsight.features.thumbnail_process SETTINGS

Where a decoder's child answers with a crop, this one answers with the bytes of a JPEG.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mapsight.features.decode import PictureError
from mapsight.features.decoder_child import Decoded, main
from mapsight.features.decoder_process import Decoder
from mapsight.features.thumbnails import made_small
from mapsight.python_child import module_command

__all__ = ["Thumbnailer"]


class Thumbnailer(Decoder):
    """Makes thumbnails in a child process.

    `Decoded.crop` is a JPEG's bytes, (n,) uint8; `fields` is empty. Arguments but `side`, and
    what it raises, are as a Decoder has them.
    """

    def __init__(self, **settings: Any) -> None:
        command = module_command("mapsight.features.thumbnail_process")
        super().__init__(command=command, **settings)

    def thumbnail(self, data: bytes, side: int) -> bytes:
        """Return a JPEG of a picture, no side longer than `side` pixels.

        Raises:
            PictureError: it cannot be used.
        """
        self.side = side
        made = self.decode(data)
        if isinstance(made, PictureError):
            raise made
        return made.crop.tobytes()

    def _decoded(self, fields: dict[str, Any], data: bytearray) -> Decoded:
        return Decoded(fields, np.frombuffer(data, np.uint8))


def answer(data: bytes, side: int, _: int = 0) -> Decoded | PictureError:
    """Do what the child does with a picture."""
    try:
        return Decoded({}, np.frombuffer(made_small(data, side), np.uint8))
    except PictureError as error:
        return error
    except MemoryError:
        return PictureError("out_of_memory", "drawing it small needs more memory than allowed")


if __name__ == "__main__":
    main(answer)
