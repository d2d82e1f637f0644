"""Archives of arrays that somebody else made cost no more than they may."""

from __future__ import annotations

import io
import json
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from driver.streams import _Harmless
from mapsight.features.models.inside import texts_inside
from mapsight.labels.head import ARRAYS, load_head
from mapsight.npz import read_npz


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


def zeros(path: Path, name: str, size: int) -> Path:
    """A head whose one array is of many zeros: they are packed by a factor of a thousand."""
    rest = {other: npy(np.zeros(0, np.int32)) for other in (*ARRAYS, "about") if other != name}
    archive(path, **rest)
    header = io.BytesIO()
    about = {"descr": "<i4", "fortran_order": False, "shape": (size // 4,)}
    np.lib.format.write_array_header_1_0(header, about)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file,
        file.open(f"{name}.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return path


@pytest.mark.parametrize("name", ["weights", "seen", "about"])
def test_a_head_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path, name):
    path = zeros(tmp_path / "head.npz", name, 300 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"head\.npz: not a class head \(its arrays declare"):
        load_head(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_what_an_archive_declares_is_not_trusted(tmp_path):
    path = archive(tmp_path / "x.npz", a=npy(np.zeros(1 << 18, np.int32)))
    data, small = bytearray(path.read_bytes()), (999).to_bytes(4, "little")
    size = (4 * (1 << 18) + 128).to_bytes(4, "little")
    assert data.count(size)
    path.write_bytes(data.replace(size, small))
    with pytest.raises(ValueError, match=r"damaged|an array"):
        read_npz(path, ["a"], 2000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (npy(np.zeros(9))[:-1], "an array"),
        (npy(np.zeros(9)).replace(b"(9,)", b"(-1,)"), "an array|header"),
        (npy(np.zeros(9)).replace(b"(9,)", b"(999999999999,)"), "an array|header"),
        (npy(np.zeros(9)).replace(b"'<f8'", b"'|O8'"), "objects|header"),
        (b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118, "header"),
        (b"\x93NUMPY\x09\x00\x76\x00", "version"),
        (b"", "magic"),
    ],
)
def test_an_array_is_what_its_header_says(tmp_path, data, reason):
    with pytest.raises(ValueError, match=reason):
        read_npz(archive(tmp_path / "x.npz", a=data), ["a"], 1 << 20)


def test_a_head_nested_too_deeply_is_refused_by_name(tmp_path):
    about = np.frombuffer(b"[" * 200_000, np.uint8)
    rest = {name: npy(np.zeros(0, np.int32)) for name in ARRAYS}
    path = archive(tmp_path / "deep.npz", about=npy(about), **rest)
    with pytest.raises(ValueError, match=r"deep\.npz: not a class head \(nested too deeply\)"):
        load_head(path)


@pytest.mark.parametrize("classes", [[[1, ""]], [["Lion"]], {"Lion": 1}, [[None, None]], "abc", 7])
def test_classes_of_a_head_are_texts(tmp_path, classes):
    about = np.frombuffer(json.dumps({"classes": classes}).encode(), np.uint8)
    rest = {name: npy(np.zeros(0, np.int32)) for name in ARRAYS}
    with pytest.raises(ValueError, match=r"h\.npz: not a class head"):
        load_head(archive(tmp_path / "h.npz", about=npy(about), **rest))


def test_the_class_list_of_a_model_is_bounded(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.tflite", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("labels.txt", b"n" * (2 << 20))
    with pytest.raises(ValueError, match=r"its list of classes .* declares 2,097,152"):
        texts_inside(tmp_path / "m.tflite")


def test_text_from_outside_gives_no_orders_to_a_terminal():
    raw = io.BytesIO()
    stream = _Harmless(raw, encoding="utf-8")
    stream.write("a\x1b[2J\x9b1mb\x07\u202ec\tö\r\n")
    stream.writelines(["\x1b]0;x\x07"])
    stream.flush()
    assert raw.getvalue().decode() == "a[2J1mbc\tö\r\n]0;x"
