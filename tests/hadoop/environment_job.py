"""Tells where a task's libraries come from, and what a model makes of a picture with them.

Input: any lines. Output: `name, fact`, the same from every task.
"""

import io
import os
import sys

from mapsight.job import MapsightJob

PACKAGES = ("numpy", "PIL", "pyarrow", "ai_edge_litert", "fsspec", "mrjob", "yaml")


def encoded_picture():
    """A PNG of 160 × 120 pixels, drawn by arithmetic."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[:120, :160]
    file = io.BytesIO()
    Image.fromarray(np.stack([x, y, x ^ y], -1).astype("uint8")).save(file, "PNG")
    return file.getvalue()


def top_class(model):
    """[class number, probability] that a model gives the picture."""
    from mapsight.features.decode import decode
    from mapsight.features.models.image_model import ImageModel
    from mapsight.features.preprocess import central_crop

    network = ImageModel(str(model))
    image = decode(encoded_picture()).image
    probabilities, _ = network.predict(central_crop(image, network.resolution))
    return [int(probabilities.argmax()), round(float(probabilities.max()), 6)]


class MREnvironment(MapsightJob):
    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--model", needed=True)

    def mapper(self, _, line):
        import importlib

        for name in PACKAGES:
            yield name, importlib.import_module(name).__file__
        yield "working folder", os.path.realpath(".")
        yield "python", [os.path.realpath(sys.executable), *sys.version_info[:2]]
        yield "sys.path", sys.path
        yield "PATH", os.environ["PATH"]
        yield "top class", top_class(self.options.model)

    def reducer(self, name, facts):
        yield name, next(facts)


if __name__ == "__main__":
    MREnvironment.run()
