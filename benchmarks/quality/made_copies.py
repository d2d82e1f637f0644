"""Changed copies of a picture, always the same: what people do before they save one again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

__all__ = ["COPIES", "copies_of", "encoded", "keeper_groups"]

QUALITY = 85
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def encoded(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Return a picture as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def resized(share: float) -> Change:
    """Change the sides to a share of theirs."""

    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = (max(round(side * share), 1) for side in image.size)
        return image.resize((width, height), Image.Resampling.BICUBIC)

    return change


def cropped(share: float) -> Change:
    """Cut out a share of the area, of the picture's shape, somewhere."""

    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = (round(side * share**0.5) for side in image.size)
        left = int(rng.integers(image.width - width + 1))
        top = int(rng.integers(image.height - height + 1))
        return image.crop((left, top, left + width, top + height))

    return change


def transposed(way: Image.Transpose) -> Change:
    """Mirror or turn."""
    return lambda image, rng: image.transpose(way)


def bordered(share: float, colour: str) -> Change:
    """Put a border around, each side a share of the shorter side."""

    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        return ImageOps.expand(image, max(round(share * min(image.size)), 1), colour)

    return change


def captioned(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Put a white strip with a line of text below, an eighth as high as the picture."""
    strip = max(image.height // 8, 12)
    whole = Image.new("RGB", (image.width, image.height + strip), "white")
    whole.paste(image)
    text = " ".join("".join(rng.choice(list("aeinrst"), 5)) for _ in range(6))
    place = (image.width // 20, image.height + strip // 4)
    ImageDraw.Draw(whole).text(place, text, "black", font_size=strip // 2)
    return whole


def watermarked(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Write across the middle in half-transparent white."""
    layer = Image.new("RGBA", image.size)
    size = max(min(image.size) // 8, 8)
    text = "".join(rng.choice(list("AEINRST"), 8))
    place = (image.width // 2, image.height // 2)
    draw = ImageDraw.Draw(layer)
    draw.text(place, text, (255, 255, 255, 128), anchor="mm", font_size=size)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def noisy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add normal noise with a deviation of 12 levels."""
    levels = np.asarray(image) + rng.normal(0, 12, (image.height, image.width, 3))
    return Image.fromarray(np.rint(levels).clip(0, 255).astype(np.uint8))


def greyed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Take the colours away."""
    return image.convert("L").convert("RGB")


def brightened(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Make it a fifth brighter."""
    return ImageEnhance.Brightness(image).enhance(1.2)


def same(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Change nothing: saving again is the change."""
    return image


Way = Image.Transpose
COPIES: dict[str, tuple[Change, int]] = {
    **{f"resized {share:.0%}": (resized(share), QUALITY) for share in (2.0, 0.5, 0.25)},
    **{f"quality {quality}": (same, quality) for quality in (95, 80, 60, 40, 20)},
    "mirrored": (transposed(Way.FLIP_LEFT_RIGHT), QUALITY),
    "upside down": (transposed(Way.FLIP_TOP_BOTTOM), QUALITY),
    "turned 90": (transposed(Way.ROTATE_90), QUALITY),
    "turned 180": (transposed(Way.ROTATE_180), QUALITY),
    "turned 270": (transposed(Way.ROTATE_270), QUALITY),
    "transposed": (transposed(Way.TRANSPOSE), QUALITY),
    **{f"cropped {share:.0%}": (cropped(share), QUALITY) for share in (0.9, 0.8, 0.7, 0.6)},
    "bordered white": (bordered(0.05, "white"), QUALITY),
    "bordered black": (bordered(0.1, "black"), QUALITY),
    "captioned": (captioned, QUALITY),
    "watermarked": (watermarked, QUALITY),
    "brightened": (brightened, QUALITY),
    "greyed": (greyed, QUALITY),
    "noisy": (noisy, QUALITY),
}
"""By kind: what is changed, and the quality of the JPEG."""


def copies_of(image: Image.Image, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (kind, JPEG) for each of COPIES.

    Args:
        image: RGB.
        seed: one for each picture.
    """
    for number, (kind, (change, quality)) in enumerate(COPIES.items()):
        yield kind, encoded(change(image, np.random.default_rng((seed, number))), quality)


def keeper_groups(image: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield (kind, JPEG) of copies that are all worse than the picture they are made of."""
    rng = np.random.default_rng(0)
    half = resized(0.5)(image, rng)
    yield "enlarged twice", encoded(resized(2.0)(image, rng), 90)
    yield "enlarged by half", encoded(resized(1.5)(image, rng), 95)
    yield "half the side", encoded(half, 95)
    yield "halved and enlarged", encoded(half.resize(image.size, Image.Resampling.BICUBIC), 95)
    coarse = encoded(image, 20)
    yield "quality 20", coarse
    yield "quality 40", encoded(image, 40)
    with Image.open(io.BytesIO(coarse)) as again:
        yield "quality 20, then 95", encoded(again, 95)
    yield "blurred", encoded(image.filter(ImageFilter.GaussianBlur(1)), 95)
    yield "cropped to 80 %", encoded(cropped(0.8)(image, rng), 95)
