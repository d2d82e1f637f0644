"""Backgrounds: landscapes with noise and haze for photographs, flat ones for drawings."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from catalogue_art.pen import Colour, noise, shade_of, tint

__all__ = ["PLACES", "flat", "grain", "landscape"]

PLACES: dict[str, tuple[tuple[Colour, Colour], tuple[Colour, ...], tuple[Colour, Colour]]] = {
    "savanna": (
        ((96, 150, 205), (222, 226, 214)),
        ((128, 132, 96), (160, 146, 84)),
        ((206, 176, 100), (150, 118, 60)),
    ),
    "dusk": (
        ((96, 66, 96), (246, 172, 92)),
        ((92, 66, 62), (116, 78, 54)),
        ((176, 124, 66), (96, 62, 40)),
    ),
    "jungle": (
        ((66, 104, 62), (150, 176, 110)),
        ((40, 78, 42), (58, 102, 50)),
        ((84, 112, 54), (44, 62, 32)),
    ),
    "meadow": (
        ((110, 168, 222), (218, 232, 236)),
        ((92, 132, 84), (110, 152, 78)),
        ((122, 164, 70), (70, 110, 44)),
    ),
    "wood": (
        ((78, 92, 96), (156, 166, 150)),
        ((56, 66, 52), (72, 80, 58)),
        ((98, 88, 60), (54, 48, 36)),
    ),
    "night": (
        ((16, 22, 48), (54, 66, 104)),
        ((22, 28, 44), (28, 36, 46)),
        ((38, 46, 48), (20, 24, 28)),
    ),
    "ice": (
        ((104, 156, 206), (214, 230, 242)),
        ((176, 202, 224), (206, 222, 236)),
        ((236, 242, 248), (190, 210, 228)),
    ),
    "shore": (
        ((120, 170, 210), (226, 230, 226)),
        ((72, 122, 150), (98, 146, 164)),
        ((172, 166, 154), (118, 112, 104)),
    ),
}
"""Sky (above, below), distant hills (far, near), ground (far, near)."""


def _gradient(colours: tuple[Colour, Colour], height: int) -> np.ndarray:
    """(height, 1, 3) float32 from one colour to the other."""
    top, low = colours
    t = np.linspace(0, 1, max(height, 1), dtype=np.float32)[:, None, None]
    return np.asarray(top, np.float32) * (1 - t) + np.asarray(low, np.float32) * t


def landscape(
    size: tuple[int, int], place: str, horizon: float, rng: np.random.Generator
) -> Image.Image:
    """A background as a camera sees it when what is near is in focus.

    Args:
        size: (width, height), pixels.
        place: a key of PLACES.
        horizon: y of the horizon as a share of the height.
    """
    width, height = size[0] // 2, size[1] // 2  # out of focus: half the pixels will do
    sky, hills, ground = ([tint(rng, colour, 16) for colour in part] for part in PLACES[place])
    at = int(np.clip(horizon, 0.15, 0.95) * height)
    picture = np.empty((height, width, 3), np.float32)
    picture[:at] = _gradient((sky[0], sky[1]), at)
    clouds = noise(rng, width, at)[..., None]
    picture[:at] += clouds * rng.uniform(2, 10) + np.clip(clouds, 0, 1) * rng.uniform(0, 70)
    for far, colour in enumerate(hills):
        _ridge(picture, at, colour, 0.22 - 0.12 * far, rng)
    land = height - at
    rough = noise(rng, width, land) * 14 + noise(rng, width, land, "fur") * 9
    picture[at:] = _gradient((ground[0], ground[1]), land) + rough[..., None]
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    if place in ("jungle", "wood"):
        _foliage(image, hills, at, rng)
    if place in ("savanna", "dusk"):
        _acacias(image, shade_of(hills[0], 0.6), at, rng)
    blur = rng.uniform(0.004, 0.014) * min(width, height)
    return image.filter(ImageFilter.GaussianBlur(blur)).resize(size, Image.Resampling.BILINEAR)


def _ridge(
    picture: np.ndarray, at: int, colour: Colour, high: float, rng: np.random.Generator
) -> None:
    height, width = picture.shape[:2]
    line = noise(rng, width, 1)[0]
    line = np.convolve(np.pad(line, 8, "edge"), np.ones(17) / 17, "valid")
    top = at - high * height * np.clip(0.55 + 0.6 * line, 0.05, 1.2)
    rows = np.arange(height)[:, None]
    hill = (rows >= top) & (rows < at)
    picture[hill] = np.asarray(colour) + noise(rng, width, height)[hill][:, None] * 10


def _foliage(image: Image.Image, hills: list[Colour], at: int, rng: np.random.Generator) -> None:
    draw, side = ImageDraw.Draw(image), min(image.size)
    for _ in range(rng.integers(3, 7)):
        x, wide = rng.uniform(0, image.width), side * rng.uniform(0.02, 0.06)
        draw.rectangle((x, 0, x + wide, at + side * 0.05), fill=tint(rng, (74, 58, 44), 16))
    for _ in range(50):
        x, y, r = (
            rng.uniform(0, image.width),
            rng.uniform(-0.1, 1) * at,
            side * rng.uniform(0.02, 0.09),
        )
        leaf = tint(rng, shade_of(hills[1], rng.uniform(0.7, 1.7)), 20)
        draw.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), fill=leaf)


def _acacias(image: Image.Image, colour: Colour, at: float, rng: np.random.Generator) -> None:
    """Trees with flat crowns on the horizon."""
    draw, side = ImageDraw.Draw(image), min(image.size)
    for _ in range(rng.integers(0, 4)):
        x, high = rng.uniform(0, image.width), side * rng.uniform(0.1, 0.24)
        for lean in (-0.35, 0.3):
            draw.line(
                (x, at + 2, x + lean * high, at - high), fill=colour, width=max(1, side // 60)
            )
        for dx, y, wide in ((-0.3, 1.0, 0.6), (0.35, 1.05, 0.55), (0, 1.15, 0.7)):
            cx, top = x + dx * high, at - y * high
            draw.ellipse((cx - wide * high, top, cx + wide * high, top + 0.3 * high), fill=colour)


def grain(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A photograph's last touches: white balance, exposure, vignette and grain."""
    pixels = np.asarray(picture, np.float32)
    height, width = pixels.shape[:2]
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    dim = 1 - rng.uniform(0, 0.28) * (x**2 + y**2) / 2
    gain = rng.uniform(0.86, 1.12) * (1 + rng.uniform(-0.05, 0.05, 3))
    pixels = pixels * (dim[..., None] * gain).astype(np.float32)
    pixels += (noise(rng, width, height, "grain") * rng.uniform(1, 5))[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


PAPERS = (
    (250, 247, 238),
    (255, 255, 255),
    (244, 232, 208),
    (214, 232, 240),
    (252, 224, 200),
    (222, 238, 214),
    (238, 222, 240),
    (255, 240, 178),
)


def flat(
    size: tuple[int, int], place: str, horizon: float, rng: np.random.Generator
) -> Image.Image:
    """A background as drawn: paper, and mostly a hill, a sun, clouds and tufts of grass."""
    paper = tint(rng, PAPERS[rng.integers(len(PAPERS))], 6)
    big = (size[0] * 2, size[1] * 2)
    image = Image.new("RGB", big, paper)
    if rng.random() < 0.25:
        return image.reduce(2)
    draw, side = ImageDraw.Draw(image), min(big)
    sky, _, ground = PLACES[place]
    if rng.random() < 0.5:
        draw.rectangle((0, 0, *big), fill=_pale(sky[1], rng))
    if rng.random() < 0.6:
        x, y, r = rng.uniform(0.1, 0.9) * big[0], rng.uniform(0.08, 0.25) * big[1], side * 0.09
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tint(rng, (252, 206, 84), 14))
    for _ in range(rng.integers(0, 4)):
        _cloud(draw, rng.uniform(0, 1) * big[0], rng.uniform(0.05, 0.35) * big[1], side * 0.05)
    top, land = horizon * big[1], _pale(ground[0], rng)
    if place in ("savanna", "dusk"):
        _acacias(image, shade_of(land, 0.8), top + 0.06 * side, rng)
    draw.ellipse((-0.4 * big[0], top, 1.4 * big[0], big[1] * 2.2), fill=land)
    for _ in range(rng.integers(0, 14)):
        x, y = rng.uniform(0, big[0]), rng.uniform(top + 0.08 * big[1], big[1])
        for lean in (-0.5, 0, 0.5):
            tip = (x + lean * side * 0.03, y - side * 0.04)
            draw.line((x, y, *tip), fill=shade_of(land, 0.72), width=max(2, side // 150))
    return image.reduce(2)


def _pale(colour: Colour, rng: np.random.Generator) -> Colour:
    return tint(rng, [round(c * 0.7 + 255 * 0.3) for c in colour], 12)


def _cloud(draw: ImageDraw.ImageDraw, x: float, y: float, r: float) -> None:
    for dx, grow in ((-1.2, 0.7), (0, 1), (1.2, 0.75)):
        cx, radius = x + dx * r, r * grow
        draw.ellipse(
            (cx - radius, y - radius * 0.7, cx + radius, y + radius * 0.7), fill=(255, 255, 255)
        )
