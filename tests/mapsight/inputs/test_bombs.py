"""Small files that declare or unpack to much: refused before they cost time or memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapsight.inputs.parquet_layout import read_layout
from mapsight.inputs.shards import read_images
from mapsight.inputs.url_lists import read_url_list
from mapsight.records import Split

ROW = b"http://a.example/1.jpg\n"


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", None)],
)
@pytest.mark.parametrize("text", [ROW + b"\n" * (2 << 20), ROW + b"x" * (2 << 20)])
def test_a_list_that_grows_as_no_text_does_is_refused(tmp_path, monkeypatch, ending, pack, text):
    monkeypatch.setattr("mapsight.inputs.decompress.SWELL_BYTES", 1 << 20)
    path = tmp_path / f"list.csv.{ending}"
    path.write_bytes(pack(text) if pack else pa.compress(text, "zstd", asbytes=True))
    with pytest.raises(ValueError, match=r"^list: .* have grown to "):
        for _ in read_url_list(str(path).encode(), "list"):
            pass


@pytest.mark.parametrize("line", ["", "#", "x", "   ", '"', ","])
@pytest.mark.parametrize("begin", ["", "url\n", "url\nhttp://a.example/1.jpg\n"])
def test_a_list_of_many_lines_without_an_address_is_refused(tmp_path, monkeypatch, begin, line):
    monkeypatch.setattr("mapsight.inputs.url_lists.LINES_WITHOUT", 100)
    (tmp_path / "list.csv").write_text(begin + f"{line}\n" * 300 + ROW.decode())
    with pytest.raises(
        ValueError, match=r"lines, and nearly none with an address|no column of URLs"
    ):
        list(read_url_list(str(tmp_path / "list.csv").encode(), "list"))


def test_a_list_of_which_few_rows_have_addresses_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("mapsight.inputs.url_lists.LINES_WITHOUT", 100)
    (tmp_path / "list.csv").write_text("url\n" + ("http://a.example/1.jpg\n" + "x\n" * 50) * 20)
    assert len(list(read_url_list(str(tmp_path / "list.csv").encode(), "list"))) == 20 * 51


@pytest.mark.parametrize("line", ["\n", "#\n", "x\n", "\r", "http://a\n"])
def test_a_compressed_list_has_no_more_lines_than_bytes(tmp_path, monkeypatch, line):
    monkeypatch.setattr("mapsight.inputs.text_rows.FREE_LINES", 1000)
    path = tmp_path / "list.txt"
    path.write_bytes(gzip.compress(ROW + line.encode() * 5000))
    with pytest.raises(ValueError, match=r"bytes have grown to [0-9,]+ lines"):
        list(read_url_list(str(path).encode(), "list"))


def errors_of(path) -> list[str]:
    with path.open("rb") as handle:
        groups = read_layout(handle)
    rows = sum(group.rows for group in groups)
    split = Split(str(path), path.name, 0, len(groups), rows, 0, 0)
    return [(image.error or {"detail": ""})["detail"] for image in read_images(split)]


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy", "brotli"])
@pytest.mark.parametrize("rows", [30, 1000])
def test_a_dictionary_that_swells_in_every_row_is_refused(tmp_path, compression, rows):
    array = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [bytes(8 << 20)])
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"image": array}), path, compression=compression)
    details = errors_of(path)
    assert len(details) == rows
    assert all("a dictionary of" in detail for detail in details)


def test_a_value_of_a_dictionary_may_stand_in_many_rows_but_not_in_any_number(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("mapsight.inputs.shards.GROWN_BYTES", 1 << 20)
    data = random.Random(1).randbytes(1000)
    table = pa.table({"image": [data] * 2000})
    pq.write_table(table, tmp_path / "x.parquet")
    details = errors_of(tmp_path / "x.parquet")
    assert details.count("") == (1 << 20) // 1000
    assert "have grown to" in details[-1]


def test_pictures_that_compress_well_are_no_bomb(tmp_path):
    rows = [bytes([n]) * 50_000 for n in range(200)]
    pq.write_table(pa.table({"image": rows}), tmp_path / "x.parquet", compression="zstd")
    assert errors_of(tmp_path / "x.parquet") == [""] * 200


WITHOUT = {
    "urls": (
        pa.table({"URL": ["https://x.example/1.jpg"]}),
        None,
        "write the column of URLs as CSV",
    ),
    "list": (pa.table({"images": [[b"x"]]}), "images", "a row for each picture"),
    "lists": (pa.table({"images": [[{"bytes": b"x"}]]}), None, "a row for each picture"),
    "base64": (pa.table({"image": ["aGVsbG8="]}), "image", "base64"),
    "paths": (pa.table({"file": ["a/b.jpg"]}), None, "paths"),
    "numbers": (pa.table({"image": [1]}), None, "no column is binary"),
    "binary": (pa.table({"photo": [b"x"]}), None, "--image-column: photo"),
    "typo": (pa.table({"photo": [b"x"]}), "foto", "--image-column: photo"),
    "path": (pa.table({"image": [{"bytes": None, "path": "a.jpg"}]}), None, "has a path and no b"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_messages_say_what_can_help(tmp_path, name):
    table, wanted, reason = WITHOUT[name]
    if name == "path":
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.table({"image": pa.array([{"bytes": None, "path": "a.jpg"}], kind)})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    (image,) = read_images(Split(str(path), "x", 0, 1, 1, 0, 0), wanted)
    assert reason in image.error["detail"]
