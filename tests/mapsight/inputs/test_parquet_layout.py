from __future__ import annotations

import io
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.inputs import parquet_layout
from mapsight.inputs.parquet_layout import check_pages, read_layout

COMPRESSIONS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]


def written(table: pa.Table | None = None, **options) -> io.BytesIO:
    if table is None:
        cells = [{"bytes": bytes([n]) * 3000, "path": f"{n}.jpg"} for n in range(40)]
        table = pa.table({"image": cells, "n": range(40)})
    file = io.BytesIO()
    pq.write_table(table, file, **{"row_group_size": 15, **options})
    return file


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_the_layout_is_what_pyarrow_reads(compression, version):
    file = written(compression=compression, data_page_version=version)
    metadata = pq.read_metadata(file)
    for number, group in enumerate(read_layout(file)):
        theirs = metadata.row_group(number)
        columns = [theirs.column(i) for i in range(theirs.num_columns)]
        assert group.rows == theirs.num_rows
        assert group.size == sum(column.total_compressed_size for column in columns)
        assert group.unpacked == sum(column.total_uncompressed_size for column in columns)
        assert [chunk.column for chunk in group.chunks] == ["image", "image", "n"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("dictionary", [True, False])
def test_pages_of_a_sound_file_pass(compression, dictionary):
    file = written(compression=compression, use_dictionary=dictionary, data_page_size=5000)
    for group in read_layout(file):
        check_pages(file, group, ["image", "n"])


def test_statistics_longer_than_the_first_look_are_passed_over():
    table = pa.table({"image": [b"a" * 3000, b"b" * 3000]})
    file = written(table, write_statistics=True, write_page_index=True, compression="gzip")
    check_pages(file, read_layout(file)[0], ["image"])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_footer_is_refused_or_lies_within_the_file(data):
    content = bytearray(written().getvalue())
    size = struct.unpack("<I", content[-8:-4])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(len(content) - 8 - size, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        groups = read_layout(io.BytesIO(content))
    except ValueError:
        return
    chunks = [chunk for group in groups for chunk in group.chunks]
    assert all(0 <= chunk.start <= chunk.start + chunk.size <= len(content) for chunk in chunks)
    assert sum(group.rows for group in groups) <= parquet_layout.FREE_ROWS


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_footer_are_refused_or_read(footer):
    file = io.BytesIO(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    try:
        assert isinstance(read_layout(file), list)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 4, b"PAR1" + b"x" * 100])
def test_what_has_no_footer_is_refused(content):
    with pytest.raises(ValueError, match="footer"):
        read_layout(io.BytesIO(content))


def test_a_struct_without_end_is_refused():
    with pytest.raises(ValueError, match="deep"):
        parquet_layout._Compact(b"\x1c" * 10**5).struct({})


def test_more_rows_than_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(parquet_layout, "FREE_ROWS", 1000)
    nulls = written(pa.table({"image": pa.nulls(10**6, pa.binary())}), row_group_size=10**6)
    with pytest.raises(ValueError, match="1,000,000 rows; refused"):
        read_layout(nulls)


@pytest.mark.parametrize("limit", ["PAGE_BYTES", "SWELL_BYTES"])
def test_a_page_that_declares_too_much_is_refused(monkeypatch, limit):
    file = written(pa.table({"image": [bytes(50_000)] * 4}), use_dictionary=False)
    (group,) = read_layout(file)
    check_pages(file, group, ["image"])
    monkeypatch.setattr(parquet_layout, limit, 40_000)
    with pytest.raises(ValueError, match=r"declares 2.*; refused"):
        check_pages(file, group, ["image"])
