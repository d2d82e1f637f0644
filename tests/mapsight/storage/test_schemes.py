"""Which addresses are opened, and what one that is not costs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mapsight.inputs.find import InputError, find_inputs
from mapsight.search.query_pictures import _read, question_of
from mapsight.storage.schemes import AddressError, named_errors
from mapsight.storage.uri import open_uri, resolve

REFUSED = [
    *("simplecache::http://127.0.0.1/x", "filecache::file:///etc/passwd", "x::http://127.0.0.1/x"),
    *("dir://x::http://127.0.0.1/x", "tar://x::http://127.0.0.1/x", "s3://b/x::http://127.0.0.1"),
    *("hdfs://x::http://127.0.0.1/x", "webhdfs://127.0.0.1/x", "ftp://127.0.0.1/x", "smb://h/x"),
    *("github://o:r@main/x", "git://x", "zip://x", "reference://x", "dir://", "data://x", "://"),
    *("generic://x", "arrow_hdfs://x", "libarchive://x", "HTTPS://127.0.0.1/x.jpg", "http://h/x"),
    *("s3://key:secret@bucket/x", "sftp://me:secret@h/x", "jupyter://x", "dask://x", "dbfs:///x"),
]


@pytest.mark.parametrize("address", REFUSED)
def test_other_schemes_and_chains_are_refused_by_name(address: str):
    for opens in (resolve, open_uri, lambda uri: resolve(uri.encode())):
        with pytest.raises(AddressError) as caught:
            opens(address)
        assert "secret" not in str(caught.value)
    with pytest.raises(InputError) as refused:
        list(find_inputs(address))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "typed",
    [
        *(a for a in REFUSED if not a.lower().startswith("http")),
        *("data:,x", "a" * 5000, "/" + "a" * 5000, "a\0b", "file://a\0", "/dev/zero", "gs://b/x"),
        *("file:///dev/zero", "/proc/self/mem", "FILE:///dev/zero", "", "[::1]", "\udc80", "/"),
        *(
            "https://",
            "http:///x",
            "http://me:secret@[::1/",
            "http://me:secret/@h/x",
            "http://a:b/",
        ),
    ],
)
def test_an_odd_query_has_one_line(typed: str):
    question = question_of(typed)
    if not (question.error or question.image_id):
        _read(question, allow_private=False)
    assert question.error
    assert "\n" not in question.error
    assert "secret" not in question.error + question.typed


def test_named_pipes_and_links_to_them_are_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        path = str(tmp_path / name)
        for uri in (path, f"file://{path}"):
            assert question_of(uri).error == "is a device or a pipe; name a picture file"
            with pytest.raises(OSError, match="not a file"):
                open_uri(uri)
            with pytest.raises(InputError, match="neither a file nor a folder"):
                list(find_inputs(uri))


@pytest.mark.parametrize("error", [RuntimeError("me:secret@h"), IndexError("x"), KeyError("y")])
def test_what_a_file_system_of_others_raises_is_an_oserror(error: Exception):
    with (
        pytest.raises(OSError, match=type(error).__name__) as caught,
        named_errors("x://me:secret@h/"),
    ):
        raise error
    assert "secret" not in str(caught.value)
