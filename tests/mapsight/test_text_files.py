"""Small text files as editors write them, and what is no file at all."""

from __future__ import annotations

import os
import socket
from argparse import Namespace
from pathlib import Path

import pytest

from driver.commands.remove import _typed
from driver.errors import UsageError
from driver.parser import parse
from driver.search.queries import queries_in, typed_queries
from mapsight.text_files import decoded, read_text, special_kind

TEXT = "lion.jpg\r\n# a remark\r\n\r\ntiger.jpg"
NAMES = ["lion.jpg", "tiger.jpg"]


def queries(path: Path | str) -> list[str]:
    return typed_queries(Namespace(query=[], each=False, queries=str(path)))


def ids(path: Path | str) -> list[str]:
    return _typed(Namespace(image_id=[], ids=str(path)))


def configured(path: Path | str) -> list[str]:
    return parse(["--config", str(path)], "mapsight").images


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_line_ends_of_windows_are_nothing(tmp_path, mark, end):
    path = tmp_path / "own.txt"
    path.write_bytes(mark + end.join(["a.jpg", "", "# b", "c d.jpg", ""]).encode())
    assert queries(path) == ids(path) == ["a.jpg", "c d.jpg"]
    path.write_bytes(mark + end.join(['images = ["x"]', 'workspace = "w"', ""]).encode())
    assert configured(path) == ["x"]


@pytest.mark.parametrize("reads", [queries, ids, configured])
@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "is UTF-16 text; save it as UTF-8"),
        ("utf-16-le", "is UTF-16 text"),
        ("utf-16-be", "is UTF-16 text"),
        ("utf-32", "is UTF-32 text"),
        ("latin-1", "is not UTF-8 text"),
    ],
)
def test_other_encodings_are_called_by_their_names(tmp_path, reads, encoding, message):
    path = tmp_path / "own.txt"
    path.write_bytes('images = ["ü"]\n'.encode(encoding))
    with pytest.raises(UsageError, match=message) as caught:
        reads(path)
    assert "own.txt" in str(caught.value)


@pytest.mark.parametrize("reads", [queries, ids, configured])
def test_what_is_no_file_is_not_waited_for(tmp_path, reads):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"pipe: is a named pipe, not a file"):
        reads(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        with pytest.raises(UsageError, match="is a socket"):
            reads(tmp_path / "s")
    with pytest.raises(UsageError, match="/dev/zero: is a device"):
        reads("/dev/zero")
    with pytest.raises(UsageError, match="Is a directory"):
        reads(tmp_path)


def test_the_output_of_a_program_may_be_queries():
    reading, writing = os.pipe()
    os.write(writing, b"a\nb\n")
    os.close(writing)
    assert queries(f"/dev/fd/{reading}") == ["a", "b"]
    os.close(reading)


def test_a_mark_on_standard_input_is_nothing():
    assert list(queries_in(["\ufefflion.jpg\r\n", "tiger.jpg\n"])) == NAMES
    assert list(queries_in(decoded(b"\xef\xbb\xbf" + TEXT.encode()).splitlines())) == NAMES


def test_kinds_of_what_is_no_file(tmp_path):
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    found = [special_kind(tmp_path / name) for name in ("file", "pipe", "link", "none", "")]
    assert found == ["", "a named pipe", "a named pipe", "", ""]
    assert read_text(tmp_path / "file") == ""
