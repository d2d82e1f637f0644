"""PPM, JPEG, JPEG 2000, first frames, and light pictures on transparent grounds."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from benchmarks.viewer.scenes import ALPHA, GREY, RGB, SIZE, Cell, over_white, rgb_of, saved

__all__ = ["animations", "jpeg2000s", "jpegs", "light_on_transparent", "netpbm"]


def netpbm() -> Iterator[Cell]:
    """Every kind, with several maxima."""
    for top in (255, 15, 1000, 65535):
        form = ">u2" if top > 255 else "u1"
        step = 255 / top / 2 + 0.6
        for magic, array in (("P5", GREY), ("P6", RGB)):
            levels = np.rint(array / 255 * top).astype(form)
            head = f"{magic}\n{SIZE[0]} {SIZE[1]}\n{top}\n".encode()
            yield Cell(
                "PPM",
                f"{magic}, maximum {top}",
                head + levels.tobytes(),
                array if magic == "P6" else rgb_of(array),
                step,
            )
        for magic, array in (("P2", GREY), ("P3", RGB)):
            levels = np.rint(array / 255 * top).astype(int)
            body = f"{magic}\n# by hand\n{SIZE[0]} {SIZE[1]}\n{top}\n" + " ".join(
                map(str, levels.ravel())
            )
            yield Cell(
                "PPM",
                f"{magic}, maximum {top}",
                body.encode(),
                array if magic == "P3" else rgb_of(array),
                step,
            )
    bits = GREY > 128
    yield Cell(
        "PPM",
        "P4",
        f"P4\n{SIZE[0]} {SIZE[1]}\n".encode() + np.packbits(~bits, axis=1).tobytes(),
        rgb_of(bits.astype(np.uint8) * 255),
    )
    for scale, form in ((-1.0, "<f4"), (1.0, ">f4")):
        unit = (GREY / 255).astype(form)[::-1]
        yield Cell(
            "PPM",
            f"Pf, scale {scale}",
            f"Pf\n{SIZE[0]} {SIZE[1]}\n{scale}\n".encode() + unit.tobytes(),
            rgb_of(GREY),
        )
        odd = unit.copy()
        odd[3, 3] = np.nan
        yield Cell(
            "PPM",
            f"Pf with NaN, scale {scale}",
            f"Pf\n{SIZE[0]} {SIZE[1]}\n{scale}\n".encode() + odd.tobytes(),
            rgb_of(GREY),
        )
    colour = f"PF\n{SIZE[0]} {SIZE[1]}\n-1.0\n".encode() + (RGB / 255).astype("<f4")[::-1].tobytes()
    yield Cell("PPM", "PF in colour", colour, "PFM in colour")
    size = f"WIDTH {SIZE[0]}\nHEIGHT {SIZE[1]}\nDEPTH 3"
    pam = f"P7\n{size}\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode()
    yield Cell("PPM", "P7 (PAM)", pam + RGB.tobytes(), "PAM")


def jpegs() -> Iterator[Cell]:
    """Colour spaces, scans and the processes that are not read."""
    yield Cell("JPEG", "grey", saved(GREY, "JPEG", quality=95), rgb_of(GREY), 4)
    for name, options in (
        ("4:4:4", {"subsampling": 0}),
        ("4:2:0", {"subsampling": 2}),
        ("progressive", {"progressive": True}),
        ("RGB", {"keep_rgb": True}),
    ):
        yield Cell("JPEG", name, saved(RGB, "JPEG", quality=95, **options), RGB, 8)
    cmyk = Image.merge(
        "CMYK", [*map(Image.fromarray, np.moveaxis(255 - RGB, 2, 0)), Image.new("L", SIZE)]
    )
    yield Cell("JPEG", "CMYK (Adobe)", saved(cmyk, "JPEG", quality=95), RGB, 6)
    yield Cell("JPEG", "YCCK (Adobe)", ycck(RGB), RGB, 6)
    lossless = imagecodecs.jpeg8_encode(GREY, lossless=True)
    yield Cell("JPEG", "lossless", lossless, rgb_of(GREY))
    deep = imagecodecs.jpeg8_encode(GREY.astype("u2") * 16, bitspersample=12)
    yield Cell("JPEG", "12-bit", deep, "12-bit JPEG")
    yield Cell("JPEG", "JPEG-LS", imagecodecs.jpegls_encode(RGB), "JPEG-LS")
    mpo = saved(RGB, "MPO", quality=95, save_all=True, append_images=[Image.fromarray(255 - RGB)])
    yield Cell("JPEG", "MPO, the first picture", mpo, RGB, 8)


def ycck(colours: np.ndarray) -> bytes:
    """A CMYK JPEG coded as YCCK: libjpeg's own conversion, by Adobe's mark."""
    ycc = np.asarray(Image.fromarray(255 - colours).convert("YCbCr"))
    four = Image.merge(
        "CMYK", [*map(Image.fromarray, np.moveaxis(255 - ycc, 2, 0)), Image.new("L", SIZE)]
    )
    data = bytearray(saved(four, "JPEG", quality=95))
    at = data.index(b"Adobe")
    data[at + 11] = 2
    return bytes(data)


def jpeg2000s() -> Iterator[Cell]:
    """Depths, signs, alpha and both wrappers."""
    for wrapper in ("jp2", "j2k"):
        options = {"codecformat": wrapper, "level": 0}
        for name, array, shown in (
            ("grey 8-bit", GREY, rgb_of(GREY)),
            ("grey 16-bit", GREY * np.uint16(257), rgb_of(GREY)),
            ("grey 12-bit", GREY.astype("u2") * 16, rgb_of(GREY)),
            ("RGB 8-bit", RGB, RGB),
            ("RGB 16-bit", RGB * np.uint16(257), RGB),
            ("grey signed 8-bit", (GREY.astype(int) - 128).astype("i1"), rgb_of(GREY)),
            ("grey signed 16-bit", (GREY.astype(int) * 257 - 32768).astype("i2"), rgb_of(GREY)),
            ("RGB + alpha", np.dstack([RGB, ALPHA]), over_white(RGB)),
        ):
            more = {"bitspersample": 12} if "12-bit" in name else {}
            yield Cell(
                "JPEG 2000",
                f"{name}, {wrapper}",
                imagecodecs.jpeg2k_encode(array, **options, **more),
                shown,
                1.5,
            )
    few = Image.fromarray(RGB).quantize(64)
    yield Cell(
        "JPEG 2000", "palette, two entries alike", jp2_palette(few), np.asarray(few.convert("RGB"))
    )
    yield Cell(
        "JPEG 2000",
        "grey + alpha",
        saved(Image.fromarray(np.dstack([GREY, ALPHA])), "JPEG2000"),
        over_white(rgb_of(GREY)),
        1.5,
    )


def jp2_palette(few: Image.Image) -> bytes:
    """A grey JP2 that names its colours in a box; entries 64 and 0 are alike, and both are used."""
    numbers = np.asarray(few).copy()
    zero = numbers == 0
    zero[:, ::2] = False
    table = np.array(few.getpalette()[:192], np.uint8).reshape(-1, 3)
    table = np.vstack([table[:1], table])  # entry 1 is entry 0 again
    numbers = np.where(np.asarray(few) == 0, zero.astype(np.uint8), numbers + 1).astype(np.uint8)
    data = saved(Image.fromarray(numbers), "JPEG2000", irreversible=False)
    at = data.index(b"colr") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    colr = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 16)
    pclr = (
        struct.pack(">I4sHB3B", 8 + 6 + table.size, b"pclr", len(table), 3, 7, 7, 7)
        + table.tobytes()
    )
    cmap = struct.pack(">I4s", 20, b"cmap") + b"".join(
        struct.pack(">HBB", 0, 1, n) for n in range(3)
    )
    boxes = colr + pclr + cmap
    head = data.index(b"jp2h") - 4
    size = int.from_bytes(data[head : head + 4], "big") + len(boxes) - length
    return data[:head] + struct.pack(">I", size) + data[head + 4 : at] + boxes + data[at + length :]


def animations() -> Iterator[Cell]:
    """First frames, transparent grounds, frames smaller than the screen."""
    other = Image.fromarray(255 - RGB)
    few = Image.fromarray(RGB).quantize(200)
    shown = np.asarray(few.convert("RGB"))
    yield Cell("GIF", "palette", saved(few, "GIF"), shown)
    yield Cell(
        "GIF", "first of two frames", saved(few, "GIF", save_all=True, append_images=[other]), shown
    )
    numbers = np.asarray(few)
    key = int(np.bincount(numbers.ravel()).argmax())
    clear = np.where((numbers == key)[..., None], 255, shown).astype(np.uint8)
    for disposal in (0, 1, 2, 3):
        data = saved(
            few, "GIF", transparency=key, disposal=disposal, save_all=True, append_images=[other]
        )
        yield Cell("GIF", f"a transparent entry, disposal {disposal}", data, clear)
    for name, options, ground in (
        ("opaque", {}, None),
        ("transparent", {"transparency": key}, clear),
    ):
        data = bytearray(saved(few, "GIF", **options))
        data[6:10] = struct.pack("<HH", SIZE[0] + 20, SIZE[1] + 10)
        wide = np.full((SIZE[1] + 10, SIZE[0] + 20, 3), 255, np.uint8)
        wide[: SIZE[1], : SIZE[0]] = shown if ground is None else ground
        yield Cell("GIF", f"{name} frame smaller than its screen", bytes(data), wide)
    rgba = Image.fromarray(np.dstack([RGB, ALPHA]))
    for kind, options, loss in (
        ("WEBP", {"lossless": True, "exact": True}, 1.5),
        ("PNG", {}, 1.5),
        ("AVIF", {"quality": 95}, 8),
    ):
        yield Cell(kind, "RGB, one frame", saved(RGB, kind, **options), RGB, loss)
        yield Cell(kind, "alpha, one frame", saved(rgba, kind, **options), over_white(RGB), loss)
        for name, first, then, seen in (
            ("RGB", Image.fromarray(RGB), other, RGB),
            ("alpha", rgba, other.convert("RGBA"), over_white(RGB)),
        ):
            data = saved(first, kind, save_all=True, append_images=[then], duration=100, **options)
            yield Cell(kind, f"{name}, first of two frames", data, seen, loss)
    data = saved(RGB, "PNG", save_all=True, default_image=True, append_images=[other, other])
    yield Cell("PNG", "the picture that stands for an animation", data, RGB)
    deep = imagecodecs.avif_encode(RGB.astype("u2") * 4, bitspersample=10, level=95)
    yield Cell("AVIF", "RGB 10-bit", deep, RGB, 8)


def light_on_transparent() -> Iterator[Cell]:
    """Pictures that would be blank on white, and their neighbours that would not."""
    shape = np.zeros(SIZE[::-1], np.uint8)
    shape[10:40, 20:70] = 255
    for name, colour, ground in (
        ("white", 255, 128),
        ("nearly white", 240, 128),
        ("black", 0, 255),
        ("grey", 128, 255),
    ):
        shown = rgb_of(np.where(shape > 0, colour, ground).astype(np.uint8))
        levels = np.full_like(GREY, colour)
        for kind, options in (
            ("PNG", {}),
            ("WEBP", {"lossless": True, "exact": True}),
            ("TIFF", {}),
        ):
            image = Image.fromarray(np.dstack([rgb_of(levels), shape]))
            yield Cell(kind, f"a {name} logo", saved(image, kind, **options), shown)
    both = np.full_like(GREY, 255)
    both[20:24, 25:65] = 0
    data = saved(Image.fromarray(np.dstack([rgb_of(both), shape])), "PNG")
    yield Cell(
        "PNG",
        "a white logo with black letters",
        data,
        rgb_of(np.where(shape > 0, both, 255).astype(np.uint8)),
    )
    nothing = saved(Image.fromarray(np.dstack([RGB, np.zeros_like(GREY)])), "PNG")
    yield Cell("PNG", "nothing visible", nothing, np.full_like(RGB, 255))
