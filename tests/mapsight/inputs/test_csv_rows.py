"""Ranges of a CSV file of every size, against the csv module over the whole file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mapsight.inputs import csv_rows
from mapsight.inputs.csv_rows import read_rows

ID = "00966a975d566c45"
HEADER = b"ImageID,Author,Title\n"


def rows_of(path: Path, size: int) -> list[csv_rows.Row]:
    """The rows of all ranges of `size` bytes, one range after the other."""
    starts = range(0, path.stat().st_size, size)
    return [row for start in starts for row in read_rows(str(path), start, start + size)]


def write(folder, data: bytes) -> Path:
    path = Path(folder) / "x.csv"
    path.write_bytes(data)
    return path


PIECES = ["a", "é", '"', ",", "\n", "\r\n", "😀", "0", " ", "\x85", "\u2028"]
CELL = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
IDS = st.one_of(st.integers(0, 2**64 - 1).map("{:016X}".format), st.just("a"), st.just(""))
TABLES = st.lists(st.tuples(IDS, CELL, CELL), max_size=8)


@settings(max_examples=300)
@given(TABLES, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@example([(ID, "\n" * 70, "")], 1, "\n", False, False)
def test_ranges_give_what_the_csv_module_gives_of_the_whole(
    tmp_path_factory, table, size, end, quoted, bom
):
    text = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator=end, quoting=style).writerows([("ImageID", "A", "T"), *table])
    data = text.getvalue().encode("utf-8-sig" if bom else "utf-8")
    path = write(tmp_path_factory.mktemp("csv"), data)
    found = rows_of(path, size)
    if any(cell.count("\n") >= csv_rows.RECORD_LINES for row in table for cell in row):
        assert any(row.problem for row in found)
        return
    expected = [row for row in csv.reader(io.StringIO(text.getvalue(), newline="")) if row]
    assert [row.cells for row in found] == expected


BYTES = [f"{ID},", f'"{ID}",', '"', ",", "\n", "\r", "\r\n", "a", "\0", "é", "\ufeff", 'a"b', '""']
HOSTILE = st.lists(st.sampled_from([*map(str.encode, BYTES), b"\xff", b"\xe9"]), max_size=40).map(
    b"".join
)


@settings(max_examples=500)
@given(HOSTILE, st.integers(1, 50))
def test_whatever_a_file_holds_ranges_give_the_rows_of_the_whole(tmp_path_factory, data, size):
    path = write(tmp_path_factory.mktemp("csv"), HEADER + data)
    whole = list(read_rows(str(path)))
    assert rows_of(path, size) == whole
    assert [row.offset for row in whole] == sorted({row.offset for row in whole})


@pytest.mark.parametrize("limit", [8, 20])
@given(data=HOSTILE, size=st.integers(1, 30))
def test_lines_that_are_too_long_do_not_depend_on_the_range(tmp_path_factory, limit, data, size):
    path = write(tmp_path_factory.mktemp("csv"), HEADER + data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "LINE_BYTES", limit)
        assert rows_of(path, size) == list(read_rows(str(path)))


def test_a_quote_that_is_not_closed_costs_its_own_row(tmp_path):
    data = f'ImageID,A\n{ID},"x\ny\n{ID},z\n'.encode()
    path = write(tmp_path, data)
    assert [(r.offset, r.cells, r.problem) for r in read_rows(str(path))] == [
        (0, ["ImageID", "A"], ""),
        (10, [], "a quote is not closed"),
        (30, ["y"], ""),
        (32, [ID, "z"], ""),
    ]


def test_a_row_inside_a_quoted_text_ends_it_and_is_told(tmp_path):
    path = write(tmp_path, f'ImageID,A\n{ID},"x\n{ID},y"\n'.encode())
    problems = [row.problem for row in read_rows(str(path))]
    assert problems == ["", "a quote is not closed", ""]
    assert [row.cells for row in read_rows(str(path))][2] == [ID, 'y"']


def test_bytes_that_are_no_utf8_cost_no_row(tmp_path):
    path = write(tmp_path, HEADER + f"{ID},".encode() + b"Fran\xe7ois,\x00\n")
    assert list(read_rows(str(path)))[1].cells == [ID, "Fran\udce7ois", "\ufffd"]


@pytest.mark.parametrize("cell", ["x" * 200_000, '"' + "x" * 200_000 + '"'])
def test_a_cell_that_the_csv_module_refuses_is_a_problem(tmp_path, cell):
    path = write(tmp_path, HEADER + f"{ID},{cell},\n{ID},,\n".encode())
    assert [row.problem[:19] for row in read_rows(str(path))] == ["", "field larger than f", ""]


def test_a_line_without_end_is_one_problem(tmp_path):
    path = write(tmp_path, HEADER + f"{ID},".encode() + b"y" * (3 << 20) + f"\n{ID},,\n".encode())
    found = list(read_rows(str(path)))
    assert [row.problem for row in found] == ["", csv_rows.TOO_LONG, ""]
    assert rows_of(path, 700_000) == found
