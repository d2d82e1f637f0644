"""How a model file is understood: by the TOML beside it, by what it says itself, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapsight.features.mobilenet import CLASSES, wnids
from mapsight.features.models.form import (
    NCHW,
    NHWC,
    RGB,
    SYMMETRIC,
    Form,
    Scaling,
)
from mapsight.features.models.graph import DYNAMIC, Graph, Tensor
from mapsight.features.models.inside import (
    LABELS,
    SETTINGS,
    are_ids,
    class_names,
    normalization,
    texts_inside,
)
from mapsight.features.models.outputs import choose_outputs
from mapsight.features.models.settings import IMAGENET, LARGEST, Settings, read_settings
from mapsight.features.preprocess import usual_resize
from mapsight.text_files import read_text

__all__ = ["settings_beside", "understand"]

DTYPES = ("float32", "uint8", "int8")
RANGES = (Scaling(0.0, 1.0), SYMMETRIC, Scaling(0.0, 255.0))
FILE = "the file"
MOBILENET = "MobileNet v1 of Keras, by the names of its layers"


def settings_beside(path: Path) -> Path:
    """Return where the TOML of a model file is, if there is one."""
    return path.with_suffix(".toml")


def understand(path: Path, graph: Graph) -> Form:
    """Return how a model file is understood.

    Raises:
        OSError: the TOML or a file of classes cannot be read.
        ValueError: something cannot be known; says what, and what to write into the TOML.
    """
    try:
        return _understood(path, graph)
    except ValueError as error:
        advice = f", in {settings_beside(path).name}" if ": say " in str(error) else ""
        raise ValueError(f"{error}{advice}") from None


def _understood(path: Path, graph: Graph) -> Form:
    texts = texts_inside(path)
    settings, beside = Settings(), settings_beside(path)
    if beside.is_file():
        settings = read_settings(read_text(beside), beside.name)
    elif SETTINGS in texts:
        settings = read_settings(texts[SETTINGS], f"its own {SETTINGS}")
    image = _image(graph)
    because: dict[str, str] = {}
    layout = _layout(image, settings, because)
    size = _size(image, layout, settings, because)
    classes = _classes(path, graph, settings, texts, because)
    is_ours = not settings.origin and LABELS in texts and are_ids(classes)
    ours = f"{LABELS} of ids, as models of this project have it"
    usual = MOBILENET if graph.is_mobilenet else ours if is_ours else ""
    scaling = _scaling(path, image, settings, usual, because)
    embedding, scores, logits, classes = choose_outputs(graph.outputs, settings, classes, because)
    return Form(
        size,
        _said(settings, "resize", because) or usual_resize(size),
        scaling,
        layout,
        _said(settings, "channels", because) or RGB,
        embedding,
        scores,
        logits,
        classes,
        because,
    )


def _said(settings: Settings, name: str, because: dict[str, str]) -> Any:
    value = getattr(settings, name)
    because[name] = "usual" if value is None else settings.origin
    return value


def _image(graph: Graph) -> Tensor:
    if len(graph.inputs) != 1:
        raise ValueError(f"{len(graph.inputs)} inputs; one is expected, a picture")
    (image,) = graph.inputs
    if len(image.shape) != 4 or image.shape[0] not in (1, DYNAMIC):
        raise ValueError(f"an input of shape {image.shape}; one picture in colour is expected")
    if image.dtype.name not in DTYPES:
        raise ValueError(f"an input of {image.dtype}; {', '.join(DTYPES)} are expected")
    return image


def _layout(image: Tensor, settings: Settings, because: dict[str, str]) -> str:
    fitting = [name for name, axis in ((NHWC, 3), (NCHW, 1)) if image.shape[axis] == 3]
    if settings.layout:
        if settings.layout not in fitting:
            raise ValueError(f"layout {settings.layout}, but an input of shape {image.shape}")
        because["layout"] = settings.origin
        return settings.layout
    if not fitting:
        raise ValueError(f"an input of shape {image.shape}; three channels are expected")
    if len(fitting) > 1:
        raise ValueError(f'which axis is colour cannot be known: say layout = "{NHWC}"')
    because["layout"] = FILE
    return fitting[0]


def _size(image: Tensor, layout: str, settings: Settings, because: dict[str, str]) -> int:
    height, width = image.shape[1:3] if layout == NHWC else image.shape[2:4]
    sides = {side for side in (height, width) if side != DYNAMIC}
    if len(sides) > 1:
        raise ValueError(f"an input of {width} × {height} pixels; a square is expected")
    side = next(iter(sides), settings.size)
    if side is None:
        raise ValueError("the size of its input is open: say size = 224, in pixels")
    if settings.size not in (None, side):
        raise ValueError(f"size = {settings.size}, but an input of {side} × {side} pixels")
    if side > LARGEST:
        raise ValueError(f"an input of {side} × {side} pixels; at most {LARGEST}")
    because["size"] = FILE if sides else settings.origin
    return side


def _classes(
    path: Path,
    graph: Graph,
    settings: Settings,
    texts: Mapping[str, str],
    because: dict[str, str],
) -> tuple[str, ...]:
    """Return names of classes, if any are known."""
    named = settings.classes
    if isinstance(named, tuple):
        because["classes"] = settings.origin
        return class_names("\n".join(named), settings.origin)
    if named == IMAGENET:
        because["classes"] = settings.origin
        return wnids()
    if named is not None:
        return _listed(path, named, texts, because)
    lists = [LABELS] if LABELS in texts else [name for name in texts if name.endswith(".txt")]
    if len(lists) > 1:
        raise ValueError(
            f"several lists of classes ({', '.join(lists)}): say classes = {lists[0]!r}"
        )
    if lists:
        because["classes"] = f"{lists[0]} in the file"
        return class_names(texts[lists[0]], lists[0])
    if graph.is_mobilenet and CLASSES in [output.width for output in graph.outputs]:
        because["classes"] = MOBILENET
        return wnids()
    return ()


def _listed(
    path: Path, name: str, texts: Mapping[str, str], because: dict[str, str]
) -> tuple[str, ...]:
    """Return the classes of a file that the TOML names: in the model, or beside it."""
    if name in texts:
        because["classes"] = f"{name} in the file"
        return class_names(texts[name], name)
    because["classes"] = name
    try:
        return class_names(read_text(path.parent / name), name)
    except OSError as error:
        raise ValueError(f"classes = {name!r}: {error.strerror or error}") from None


def _scaling(
    path: Path, image: Tensor, settings: Settings, usual: str, because: dict[str, str]
) -> Scaling:
    if settings.range:
        because["scaling"] = settings.origin
        black, white = map(float, settings.range)
        some = {name: getattr(settings, name) for name in ("mean", "std")}
        return Scaling(black, white, **{k: tuple(map(float, v)) for k, v in some.items() if v})
    if usual:
        because["scaling"] = usual
        return SYMMETRIC
    if found := normalization(path.read_bytes()):
        because["scaling"] = "its TFLite metadata"
        return found
    if found := _by_quantisation(image):
        because["scaling"] = "the quantisation of its input"
        return found
    raise ValueError(
        "what black and white become cannot be known: say range = [-1, 1], [0, 1] or [0, 255]"
    )


def _by_quantisation(image: Tensor) -> Scaling | None:
    """Return the usual range that the numbers of a quantised input reach, if they reach one."""
    if image.dtype.name == "float32" or not image.scale:
        return None
    limits = image.scale * (0 - image.zero), image.scale * (255 - image.zero)
    if image.dtype.name == "int8":
        limits = image.scale * (-128 - image.zero), image.scale * (127 - image.zero)
    for one in RANGES:
        wanted = one.black, one.white
        if all(abs(a - b) <= image.scale for a, b in zip(limits, wanted, strict=True)):
            return one
    return None
