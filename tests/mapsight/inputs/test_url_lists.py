"""Lists of URLs: text, CSV and TSV as people write them, and worse."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.inputs import text_rows, url_lists
from mapsight.inputs.find import find_inputs
from mapsight.inputs.listings import listed_chunks
from mapsight.inputs.splits import make_plan
from mapsight.inputs.url_lists import chunks, read_url_list

A, B = "http://a.example/1.jpg", "https://b.example/2.png"


@pytest.fixture
def read(tmp_path: Path):
    """Rows of a list with this content, called `list.EXTENSION`."""

    def read_it(content: bytes | str, extension: str = "txt", column: str | None = None):
        path = tmp_path / f"list.{extension}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_url_list(str(path).encode(), f"list.{extension}", column))

    return read_it


def urls(rows) -> list[str]:
    return [row["url"] for row in rows]


def test_a_text_file_has_a_url_a_line(read):
    assert read(f"{A}\n{B}\n") == [{"url": A, "image_id": None}, {"url": B, "image_id": None}]


def test_blank_lines_comments_bom_and_crlf_are_passed_over(read):
    assert urls(read(f"\ufeff# pictures\r\n\r\n  {A}  \r\n#{B}\r\n{B}")) == [A, B]


def test_a_caption_comes_after_a_tab(read):
    assert read(f"{A}\ta lion, asleep\n{B}") == [
        {"url": A, "image_id": None, "caption": "a lion, asleep"},
        {"url": B, "image_id": None},
    ]


def test_commas_and_spaces_belong_to_the_url_of_a_text_file(read):
    assert urls(read("http://a/1,2 3.jpg\n")) == ["http://a/1,2 3.jpg"]


@pytest.mark.parametrize("header", ["url\n", '"url"\n', "IMAGE_URL\r\n", ""])
def test_commas_belong_to_the_url_where_it_is_the_only_column(read, header: str):
    lines = f'{header}{A}\nhttp://a/b,c.jpg\n"{B}"\n'
    assert urls(read(lines, "csv")) == [A, "http://a/b,c.jpg", B]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_extra_columns_travel_along(read, delimiter: str):
    table = [
        ["n", "URL", "Author", "license", "TITLE", "text", "width"],
        ["1", A, 'J. "Jo" Doe', "CC BY", "Lion, 2", "a\nlion", "640"],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    known = {"author": 'J. "Jo" Doe', "license": "CC BY", "title": "Lion, 2", "caption": "a\nlion"}
    assert read(text.getvalue(), "csv") == [{"url": A, "image_id": None, **known}]


def test_open_images_metadata_is_a_list_of_urls(read):
    header = "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title"
    row = f'000026E7EE790996,train,{A},http://l,http://cc,http://p,"Doe, J.",Lion'
    known = {"license": "http://cc", "author": "Doe, J.", "title": "Lion", "subset": "train"}
    assert read(f"{header}\n{row}\n", "csv") == [
        {"url": A, "image_id": "000026e7ee790996", **known}
    ]


def test_every_row_of_the_sample_has_its_id_in_its_url(openimages_dir: Path):
    path = openimages_dir / "images-with-rotation.csv"
    rows = list(read_url_list(str(path).encode(), "i.csv"))
    assert len(rows) == len(path.read_bytes().splitlines()) - 1
    assert all(row["image_id"] in row["url"] for row in rows)


def test_a_column_can_be_named(read):
    table = f"url,thumbnail\n{A},{B}\n"
    assert read(table, "csv", "thumbnail") == [{"url": B, "image_id": None, "original_url": A}]


def test_a_table_without_a_header_is_told_by_its_first_url(read):
    assert urls(read(f"a lion\t{A}\na tiger\t{B}\n", "tsv")) == [A, B]
    assert urls(read(f"{A},a lion\n{B},a tiger\n", "csv")) == [A, B]


@pytest.mark.parametrize(
    ("column", "text", "image_id"),
    [
        ("image_id", "lion-1", "lion-1"),
        ("ImageID", "00ABCDEF00000000", "00abcdef00000000"),
        ("image_id", "no key\u202e", None),
        ("id", "1", None),
        ("key", "00abcdef00000000", "00abcdef00000000"),
    ],
)
def test_ids_are_taken_where_they_are_safe(read, column: str, text: str, image_id: str | None):
    assert read(f"{column},url\n{text},{A}\n", "csv")[0]["image_id"] == image_id


def test_rows_that_are_too_short_or_too_long_are_not_lost(read):
    rows = read(f"title,url\nlion,{A}\ntiger\nzebra,{B},what,else\n,,\nlynx,\n", "csv")
    assert urls(rows) == [A, "list.csv#3", "list.csv#4", "list.csv#6"]
    assert [row.get("title") for row in rows] == ["lion", "tiger", "zebra", "lynx"]


def test_bytes_that_are_not_utf8_are_percent_encoded_as_they_are(read):
    rows = read(b"url,title\nhttp://a/caf\xe9.jpg,\xff\xfe\n", "csv")
    assert rows == [{"url": "http://a/caf%E9.jpg", "image_id": None, "title": "??"}]


def test_nul_bytes_do_not_end_a_list(read):
    assert len(read(f"url,title\nhttp://a/\0.jpg,\0\n{B},b\n".encode(), "csv")) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_tables_as_excel_writes_them(read, encoding: str):
    assert urls(read(f"Title\tURL\nLöwe\t{A}\n".encode(encoding), "txt")) == [A]


@pytest.mark.parametrize("extension", ["txt", "csv"])
def test_a_line_without_an_end_costs_itself(read, extension: str, monkeypatch):
    monkeypatch.setattr(text_rows, "MAX_LINE", 100)
    rows = read(f"url\n{A}\n{'x' * 1000}\n{B}\n", extension)
    assert urls(rows) == [A, f"list.{extension}#3", B]


@pytest.mark.parametrize("before", ["", '"a', '"a"b', '"a"\n"b"'])
def test_a_line_without_an_end_costs_itself_in_a_table_too(read, before: str, monkeypatch):
    monkeypatch.setattr(text_rows, "MAX_LINE", 100)
    rows = read(f"url,title\n{A},{before}\n{'x' * 1000}\n{B},b\n", "csv")
    assert urls(rows)[0] == A
    assert urls(rows)[-2:] == [f"list.csv#{3 + before.count(chr(10))}", B]


@pytest.mark.parametrize(
    "odd", ['"lion,x', 'lion,"x', '"lion"s,x', '"lion,x\n"tiger,y', '"lion,x\ntiger"s,y']
)
def test_quotes_that_are_wrong_cost_their_own_lines(read, odd: str):
    rows = read(f"title,url\n{odd}\n" + f'"a, ""b""\nc",{A}\n' * 99, "csv")
    assert len(rows) == 99 + len(odd.splitlines())
    assert rows[-99:] == [{"url": A, "image_id": None, "title": 'a, "b"\nc'}] * 99


def test_a_url_that_is_too_long_is_none(read):
    assert urls(read(f"{A}\nhttp://a/{'x' * 5000}\n")) == [A, "list.txt#2"]


def test_compressed_lists_are_read(read):
    assert urls(read(gzip.compress(f"{A}\n{B}\n".encode()), "txt.gz")) == [A, B]


def test_a_compressed_list_that_is_cut_short_is_named(read):
    whole = gzip.compress("".join(f"http://a/{n}\n" for n in range(9999)).encode())
    with pytest.raises(ValueError, match=r"^list\.txt\.gz: "):
        read(whole[:-20], "txt.gz")


@pytest.mark.parametrize(
    ("content", "extension", "column", "message"),
    [
        ("", "txt", None, r"list\.txt: holds no address that begins with http"),
        ("url,title\n", "csv", None, r"list\.csv: holds no address"),
        ("url\ns3://bucket/1.jpg\n", "csv", None, r"list\.csv: holds no address"),
        ("\na,b\n1,2\n", "csv", None, r"list\.csv, line 2: no column of URLs; it has 'a', 'b'\. N"),
        (f"a,b\n1,{A}\n", "csv", "link", r"line 1: no column 'link'; it has 'a', 'b'\. Name one"),
        ("Dear reader\n", "txt", None, r"line 1: no column of URLs; it has 'Dear reader'"),
    ],
)
def test_what_is_no_list_of_urls_is_named(read, content, extension, column, message):
    with pytest.raises(ValueError, match=message):
        read(content, extension, column)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["txt", "csv", "tsv", "csv.bz2", "txt.xz"]))
def test_nothing_but_value_errors_comes_of_any_bytes(tmp_path_factory, content, extension):
    path = tmp_path_factory.getbasetemp() / f"any.{extension}"
    path.write_bytes(f"{A}\n".encode() + content if extension == "txt" else content)
    try:
        for row in read_url_list(str(path).encode(), f"any.{extension}"):
            assert row["url"].encode()
            assert all(isinstance(text, str) for name, text in row.items() if name != "image_id")
    except (ValueError, OSError):
        pass


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([A, B]), CELLS), min_size=1, max_size=9))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "back.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("url", "title"), *rows])
    back = read_url_list(str(path).encode(), "back.csv")
    assert [(row["url"], row.get("title", "")) for row in back] == [
        (url, title.strip()) for url, title in rows
    ]


def many(start: int, count: int) -> list[dict]:
    return [{"url": f"http://a/{number}"} for number in range(start, start + count)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 10**6))
def test_chunks_are_consecutive_and_bounded(count: int, start: int):
    cut = list(chunks(many(start, count)))
    assert list(itertools.chain(*cut)) == many(start, count)
    assert all(url_lists.MIN_ROWS <= len(chunk) <= url_lists.MAX_ROWS for chunk in cut[:-1])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 10**6), st.data())
def test_any_run_of_whole_chunks_is_cut_the_same(count: int, start: int, data):
    cut = list(chunks(many(start, count)))
    some = cut[data.draw(st.integers(0, len(cut) - 1)) :]
    assert list(chunks(itertools.chain(*some))) == some


def test_a_row_more_changes_few_chunks():
    before = list(chunks(many(0, 20000)))
    after = list(chunks([*many(7, 500), {"url": "http://new"}, *many(507, 19500)]))
    assert len([chunk for chunk in after if chunk not in before]) <= 8


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 1500), min_size=1, max_size=3), st.integers(1, 9), st.booleans())
def test_tasks_get_the_chunks_that_were_planned(tmp_path_factory, sizes, splits, described):
    folder = tmp_path_factory.mktemp("plan")
    lists = [folder / f"{number}.csv" for number in range(len(sizes))]
    for path, size in zip(lists, sizes, strict=True):
        rows = (f"http://{path.stem}/{n},{'a lion' * described}\n" for n in range(size))
        path.write_text("url,title\n" + "".join(rows))
    found = [file for path in lists for file in find_inputs(str(path))]
    plan = make_plan(found, folder, splits=splits)
    cut = [replace(split, uri=str(folder / split.uri)) for split in plan.splits["urls"]]
    read = [rows for split in cut for _, rows in listed_chunks(split)]
    assert read == [
        rows for path in lists for rows in chunks(read_url_list(str(path).encode(), ""))
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"url,text\n{A}?crop=1,2,x0,y0,a cat\n{B},b\n", ["list.csv#2", B]),
        (f"url,text\n{A},a, b\n", ["list.csv#2"]),
        (f"text,url\na, b,{A}\n{B}\n", ["list.csv#2", "list.csv#3"]),
        (f"{A},a\n{B},1,2\n", [A, "list.csv#2"]),
        (f'url,text\n"{A}?1,2",a\n{B}\n', [f"{A}?1,2", B]),
        (f"url,text\n{A},a,,\n{B},,\n", [A, B]),
        (f"url;text\r\n{A},b;a;c\r\n{B};b\r\n", ["list.csv#2", B]),
    ],
)
def test_a_row_with_more_cells_is_no_shorter_url(read, content, expected):
    assert urls(read(content, "csv")) == expected
