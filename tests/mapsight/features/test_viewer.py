"""What a viewer shows: the table of `benchmarks.viewer`, and what is not read by its name."""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.viewer import MAKERS
from benchmarks.viewer.bmps import bmps
from benchmarks.viewer.pngs import pngs
from benchmarks.viewer.profiles import SWAP, through
from benchmarks.viewer.scenes import RGB, fault, saved
from mapsight.features.decode import PictureError, decode
from mapsight.features.formats import colour
from mapsight.features.thumbnails import thumbnail


def result_of(data: bytes):
    """An RGB picture, or code and detail."""
    try:
        return decode(data).image
    except PictureError as error:
        return error.code, error.detail


@pytest.mark.parametrize("maker", MAKERS)
def test_every_cell_is_what_a_viewer_shows(maker):
    faults = {cell.name: fault(cell, result_of(cell.data)) for cell in maker()}
    assert {name: why for name, why in faults.items() if why} == {}


@pytest.mark.parametrize("maker", [maker for maker in MAKERS if "tiffs" in maker.__name__])
def test_another_reader_finds_the_numbers_that_were_written(maker):
    for cell in maker():
        if cell.samples is not None:
            found = tifffile.imread(io.BytesIO(cell.data))
            np.testing.assert_array_equal(found, cell.samples, cell.name)


OWN_WORDS = ("alpha", "transparent", "clear", "cHRM", "gAMA", "cICP")


@pytest.mark.parametrize("maker", [pngs, bmps])
def test_opencv_sees_the_same_where_nothing_is_transparent(maker):
    for cell in maker():
        found = cv2.imdecode(np.frombuffer(cell.data, np.uint8), cv2.IMREAD_COLOR)
        if found is not None and not any(word in cell.kind for word in (*OWN_WORDS, "of 3")):
            colours = Image.fromarray(np.ascontiguousarray(found[..., ::-1]))
            assert fault(cell, colours) == "", cell.name


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.jpg", saved(RGB, "JPEG"))
    return buffer.getvalue()


def box(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + bytes(48)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (zipped(), "ZIP"),
        (b"PK\5\6" + bytes(18), "ZIP"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (b"8BPS\0\1" + bytes(40), "PSD"),
        (b"8BPS\0\2" + bytes(40), "PSD"),
        (box(b"mp42"), "MP4"),
        (box(b"isom"), "MP4"),
        (box(b"qt  "), "QuickTime"),
        (box(b"heic"), "HEIC"),
        (box(b"mif1"), "HEIC"),
        (box(b"M4A "), "MP4 audio"),
        (box(b"crx "), "camera raw (CR3)"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "camera raw (CR2)"),
        (b"IIRO\x08\0\0\0" + bytes(40), "camera raw (ORF)"),
        (b"IIU\0\x08\0\0\0" + bytes(40), "camera raw (RW2)"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw (RAF)"),
        (b"\x1f\x8b\x08\0" + bytes(20), "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\7\1\0", "RAR"),
        (bytes(257) + b"ustar\0" + bytes(300), "tar"),
        (b"%PDF-1.7", "PDF"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "PostScript"),
        (b"\0\0\1\0\2\0" + bytes(30), "ICO"),
        (b"icns\0\0\1\0", "ICNS"),
        (bytes(60) + b"TRUEVISION-XFILE.\0", "TGA"),
        (b"v/1\1\2\0\0\0", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"DDS \x7c\0\0\0", "DDS"),
        (b"SIMPLE  =                    T", "FITS"),
        (bytes(128) + b"DICM" + bytes(40), "DICOM"),
        (b"BPG\xfb" + bytes(20), "BPG"),
        (b"FLIF41" + bytes(20), "FLIF"),
        (b"gimp xcf v011\0", "XCF"),
        (b"\xd7\xcd\xc6\x9a" + bytes(30), "WMF"),
        (b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(8), "EMF"),
        (b"ID3\4" + bytes(30), "MP3"),
        (b"\xff\xfb\x90\x64" + bytes(30), "MP3"),
        (b"\x1aE\xdf\xa3" + bytes(30), "Matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"RIFF\0\0\0\0WAVEfmt ", "WAV"),
        (b"PAR1" + bytes(30), "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x7fELF" + bytes(30), "ELF"),
        (b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(40), "Windows program"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"[1, 2]", "JSON"),
        (b" \n\n\t", "text of blanks"),
        ("\ufeffwords".encode("utf-16-le"), "UTF-16 text"),
        ("\ufeffwords".encode("utf-16-be"), "UTF-16 text"),
        ("Größe".encode("latin-1"), "text"),
        (bytes(500), "nothing but zero bytes"),
        (b"\0\5\x16\7" + bytes(40), "AppleDouble"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE"),
        (b"qoif" + bytes(20), "QOI"),
        (b"P7 332\n", "XV thumbnail"),
        (b"carefree words", "text"),
        (b"MZ is a pair of letters, and this is a text that begins with them, see", "text"),
        (b"ORCHARDS and true,false", "text"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(data: bytes, name: str):
    code, detail = result_of(data)
    assert (code, detail.startswith(f"looks like {name}")) == ("not_an_image", True), detail


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000"])
def test_a_picture_that_is_damaged_is_still_called_so(kind: str):
    data = saved(RGB, kind)
    code, detail = result_of(data[: len(data) // 12])
    assert code in ("corrupt", "truncated"), detail


def test_one_profile_is_built_once_for_all_its_pictures():
    data = saved(RGB, "PNG", icc_profile=SWAP)
    for _ in range(3):
        decode(data)
    assert colour._remembered.cache_info().hits >= 2


@pytest.mark.parametrize("size", [100, 2**21, 5 * 2**20])
def test_a_profile_of_any_size_costs_no_picture(size: int):
    data = saved(RGB, "TIFF", icc_profile=SWAP.ljust(size, b"\0")[:size])
    assert isinstance(result_of(data), Image.Image)


def test_thumbnails_have_the_same_colours():
    small = thumbnail(saved(through(RGB, SWAP), "PNG", icc_profile=SWAP))
    shown = np.asarray(Image.open(io.BytesIO(small)))
    assert np.abs(shown.astype(int) - RGB).mean() < 8
