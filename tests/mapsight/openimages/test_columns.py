from __future__ import annotations

import pytest

from mapsight.openimages.columns import KINDS, NAMES, checker, read_header, subset_of

ID = "00966a975d566c45"
GENERATIONS = [(kind, columns) for kind, known in KINDS.items() for columns in known]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("kind", "columns"), GENERATIONS)
def test_every_generation_is_known_with_and_without_a_header(tmp_path, kind, columns, end, mark):
    row = ",".join([ID, *("x" for _ in columns[1:])]) + end
    (tmp_path / "a.csv").write_bytes(mark + f"{','.join(columns)}{end}{row}".encode())
    (tmp_path / "b.csv").write_bytes(mark + row.encode())
    for name, is_row in (("a.csv", True), ("b.csv", False)):
        header = read_header(str(tmp_path / name), kind)
        assert (header.columns, header.is_row) == (columns, is_row)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("ImageID,Label,Score", "found the columns ImageID, Label, Score; missing Source, Lab"),
        ("image_id,label", "missing ImageID, Source, LabelName, Confidence"),
        ("ImageID,Source,LabelName,Confidence,Source", "; twice Source"),
        (f"{ID},verification", "no header and rows of 2 columns; without a header .* 4: ImageID,"),
        ('"', "found the columns none (a quote is not closed)"),
        ("\udcfe\udcfd", r"found the columns \udcfe\udcfd; missing"),
    ],
)
def test_a_foreign_file_is_named_with_its_columns(tmp_path, first, message):
    path = tmp_path / "x.csv"
    path.write_bytes(first.encode("utf-8", "surrogateescape") + b"\n")
    with pytest.raises(ValueError) as caught:
        read_header(str(path), "labels", "train-x.csv")
    assert str(caught.value).startswith("train-x.csv: not a file of labels: ")
    assert all(part in str(caught.value) for part in message.split(" .* "))


def test_columns_may_come_in_any_order_with_others(tmp_path):
    (tmp_path / "x.csv").write_text("Mine,Confidence,LabelName,Source,ImageID\n")
    header = read_header(str(tmp_path / "x.csv"), "labels")
    assert [header.place(name) for name in ("ImageID", "Mine", "Title")] == [4, 0, None]


def test_a_torn_first_row_does_not_hide_what_the_file_is(tmp_path):
    (tmp_path / "x.csv").write_text(f"{ID},verif\n{ID},verification,/m/1,1\n")
    assert read_header(str(tmp_path / "x.csv"), "labels").is_row is False


def test_an_empty_file_has_no_header(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\n\n")
    assert read_header(str(tmp_path / "x.csv"), "labels") is None


def test_documented_names_are_all_different():
    assert len(set(NAMES.values())) == len(NAMES) == 32
    assert {"image_id", "mid", "x_min", "is_group_of", "x_click_1_y", "original_md5"} <= set(
        NAMES.values()
    )


@pytest.mark.parametrize(
    ("column", "right", "wrong"),
    [
        ("Confidence", ["0", "1.0", "0.123456"], ["nan", "inf", "-0.1", "1.01", "x"]),
        ("XClick1X", ["-1", "0.5"], ["-1.1", "2"]),
        ("IsInside", ["1", "0", "-1"], ["2", "-0", "true"]),
        ("LabelName", ["/m/096mb", "/g/11c5_x"], ["Lion", "/m/", "/m/a b"]),
        ("ImageID", [ID, "a"], ["a b", "x" * 200]),
        ("OriginalURL", ["https://a.example/b?c=1"], ["ftp://a", "a b"]),
        ("OriginalMD5", ["1B2M2Y8AsgTpgAmY7PhCfg=="], ["d41d8cd98f00b204e9800998ecf8427e"]),
        ("Rotation", ["0", "90.0", "270"], ["45", "-90", "x"]),
        ("Title", ["anything, é"], ["\udcff"]),
        ("Mine", ["anything"], ["\udcff"]),
    ],
)
def test_what_cells_may_be(column, right, wrong):
    problem = checker(column)
    assert [problem(cell) for cell in right] == [""] * len(right)
    assert all(problem(cell) for cell in wrong)


@pytest.mark.parametrize(
    ("name", "subset"),
    [
        ("oidv6-train-annotations-bbox.csv", "train"),
        ("oidv7-val-annotations-human-imagelabels.csv", "validation"),
        ("test/images.csv", ""),
        ("latest-images.csv", ""),
        ("train-and-test-images.csv", ""),
    ],
)
def test_subsets_by_file_name(name, subset):
    assert subset_of(name) == subset
