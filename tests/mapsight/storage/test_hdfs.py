"""HDFS without a cluster: which way is taken, what is said when there is none, and the code above
libhdfs, for which pyarrow's view of a local folder stands in (it is the same interface)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs as arrow

from mapsight.inputs.find import InputError, find_inputs
from mapsight.storage import webhdfs_requests as hdfs_http
from mapsight.storage.hdfs import hdfs_file_system
from mapsight.storage.hdfs_base import HdfsFileSystem, error_of
from mapsight.storage.hdfs_buffers import GrowingCache, Upload
from mapsight.storage.hdfs_command import CommandHdfs
from mapsight.storage.hdfs_native import NativeHdfs, find_library
from mapsight.storage.uri import resolve
from mapsight.storage.webhdfs import WebHdfs
from tests.support.loopback import Answer, reply, serving

QUOTA = "The DiskSpace quota of /q is exceeded: quota = 1 MB\n\tat org.apache.Hadoop"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Hadoop at all."""
    for name in ("HADOOP_HOME", "HADOOP_TOKEN_FILE_LOCATION", "MAPSIGHT_HDFS", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hdfs_http, "FIRST_PATIENCE", 0)


def configure(folder: Path, **properties: str) -> None:
    lines = "".join(
        f"<property><name>{key.replace('_', '.')}</name><value>{value}</value></property>"
        for key, value in properties.items()
    )
    (folder / "core-site.xml").write_text(f"<configuration>{lines}</configuration>")


def add_command(folder: Path, script: str = "exit 1") -> None:
    """A `hadoop` on PATH."""
    (folder / "hadoop").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "hadoop").chmod(0o755)


# ---- which way


def test_without_any_way_each_is_named():
    with pytest.raises(ConnectionError) as refused:
        hdfs_file_system("127.0.0.1:9")
    wanted = r"hdfs://127.0.0.1:9: cannot be reached (libhdfs: no libhdfs.so; webhdfs: no NameNode"
    assert str(refused.value).startswith(wanted)
    assert "command: no hadoop on PATH or in HADOOP_HOME" in str(refused.value)


def test_an_address_without_host_needs_a_configuration():
    with pytest.raises(InputError, match=r"has no core-site\.xml; write hdfs://HOST"):
        list(find_inputs("hdfs:///pictures"))


def test_where_no_namenode_answers_over_http_the_command_is_taken(tmp_path):
    add_command(tmp_path)
    assert isinstance(hdfs_file_system("127.0.0.1:9"), CommandHdfs)


def test_where_webhdfs_is_switched_off_the_command_is_taken(tmp_path):
    add_command(tmp_path)
    configure(tmp_path, fs_defaultFS="hdfs://nn", dfs_webhdfs_enabled="false")
    assert isinstance(hdfs_file_system(""), CommandHdfs)


def test_a_task_of_a_cluster_with_kerberos_takes_the_command(tmp_path, monkeypatch):
    add_command(tmp_path)
    configure(tmp_path, fs_defaultFS="hdfs://nn", hadoop_security_authentication="kerberos")
    monkeypatch.setenv("HADOOP_TOKEN_FILE_LOCATION", "tokens")
    assert isinstance(hdfs_file_system(""), CommandHdfs)


def test_kerberos_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    configure(tmp_path, fs_defaultFS="hdfs://nn", hadoop_security_authentication="kerberos")
    monkeypatch.setenv("MAPSIGHT_HDFS", "webhdfs")
    monkeypatch.setitem(__import__("sys").modules, "requests_kerberos", None)
    with pytest.raises(ImportError, match=r"pip install 'mapsight\[kerberos\]'"):
        hdfs_file_system("")


def test_a_way_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("MAPSIGHT_HDFS", "ftp")
    with pytest.raises(ValueError, match=r"MAPSIGHT_HDFS=ftp: must be one of libhdfs, webhdfs"):
        hdfs_file_system("nn")


def test_libhdfs_is_found_where_distributions_have_it(tmp_path, monkeypatch):
    assert find_library() is None
    (tmp_path / "lib" / "native").mkdir(parents=True)
    (tmp_path / "lib" / "native" / "libhdfs.so").touch()
    monkeypatch.setenv("HADOOP_HOME", str(tmp_path))
    assert find_library() == tmp_path / "lib" / "native" / "libhdfs.so"


def test_a_libhdfs_that_cannot_be_loaded_is_passed_over(tmp_path, monkeypatch):
    add_command(tmp_path)
    (tmp_path / "libhdfs.so").touch()
    monkeypatch.setenv("ARROW_LIBHDFS_DIR", str(tmp_path))
    monkeypatch.setenv("CLASSPATH", str(tmp_path))
    assert isinstance(hdfs_file_system("127.0.0.1:9"), CommandHdfs)


# ---- names and errors


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("hdfs://nn:8020/a/b", "/a/b"),
        ("hdfs:///a//b/", "/a/b"),
        ("hdfs://nn", "/"),
        ("/a?b#c%20d", "/a?b#c%20d"),
        ("hdfs://nn/a\nb", "/a\nb"),
    ],
)
def test_paths_are_taken_as_they_are(uri, path):
    assert HdfsFileSystem._strip_protocol(uri) == path


@pytest.mark.parametrize("authority", ["", "nn:8020", "pictures"])
def test_addresses_keep_what_was_typed(authority):
    hdfs = WebHdfs(authority, ("http://127.0.0.1:9",), "me")
    assert hdfs.unstrip_protocol("/a b") == f"hdfs://{authority}/a b"


def test_errors_are_one_line_with_the_address():
    error = error_of("DSQuotaExceededException", QUOTA, "hdfs:///q/a")
    wanted = "No space: The DiskSpace quota of /q is exceeded: quota = 1 MB: 'hdfs:///q/a'"
    assert str(error).endswith(wanted)


def test_a_namenode_out_of_reach_is_no_missing_file():
    hdfs = WebHdfs("nn", ("http://127.0.0.1:9",), "me")
    for look in (hdfs.exists, hdfs.isfile, hdfs.find):
        with pytest.raises(ConnectionError, match=r"hdfs://nn/a"):
            look("/a")


def test_a_page_that_is_no_namenodes_is_named():
    with serving(reply(b"hello", 404)) as url, pytest.raises(OSError, match="answers 404; is Web"):
        WebHdfs("nn", (url,), "me").info("/a")


def data_node(data: bytes, breaks_off: bool) -> Answer:
    """Gives the range that is asked, or half of it under the name of the whole."""

    def answer(request) -> None:
        asked = parse_qs(urlsplit(request.path).query)
        start, length = (int(asked[key][0]) for key in ("offset", "length"))
        body = data[start : start + length]
        shown = body[: len(body) // 2] if breaks_off else body
        reply(shown, Content_Length=str(len(body)))(request)

    return answer


def test_an_answer_that_breaks_off_is_asked_for_again():
    data = bytes(range(256)) * 20_000
    broken, whole = data_node(data, True), data_node(data, False)
    with serving(broken, whole, broken, whole) as url:
        hdfs = WebHdfs("nn", (url,), "me")
        hdfs._nodes._answered = True
        assert hdfs._read("/a", 1, len(data)) == data[1:]


def test_who_is_not_allowed_is_told(tmp_path):
    said = {"RemoteException": {"exception": "AccessControlException", "message": "no\nat x"}}
    answer, wanted = reply(json.dumps(said).encode(), 403), r"no: 'hdfs://nn/a'"
    with serving(answer) as url, pytest.raises(PermissionError, match=wanted):
        WebHdfs("nn", (url,), "me").exists("/a")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("stat: `hdfs:///a': No such file or directory", FileNotFoundError),
        ("24/01/01 01:02:03 WARN x: y\nput: Permission denied: user=me", PermissionError),
        ("put: The NameSpace quota (directories and files) of /q is exceeded", OSError),
        ("", OSError),
    ],
)
def test_what_the_command_says_becomes_an_error(tmp_path, said, error):
    add_command(tmp_path, f'echo "{said.replace("`", "")}" >&2; exit 1')
    with pytest.raises(error, match=r"'hdfs://nn/a'"):
        CommandHdfs("nn", str(tmp_path / "hadoop")).info("/a")


# ---- the code above libhdfs


@pytest.fixture
def native(tmp_path: Path) -> NativeHdfs:
    (tmp_path / "root").mkdir()
    return NativeHdfs(
        "nn", arrow.SubTreeFileSystem(str(tmp_path / "root"), arrow.LocalFileSystem())
    )


def test_natively_files_are_written_replaced_renamed_and_copied(native):
    for data in (b"first", b"second"):
        native.pipe_file("/a/b/c d#", data)
    native.cp_file("/a/b/c d#", "/copies/c")
    native.mv("/a/b/c d#", "/a/d")
    assert native.find("/") == ["/a/d", "/copies/c"]
    assert (native.cat_file("/copies/c"), native.info("/a/d")["size"]) == (b"second", 6)


def test_natively_seeks_read_and_folders_are_listed(native):
    native.pipe_file("/a/b", b"0123456789")
    with native.open("/a/b") as file:
        file.seek(4)
        assert file.read(3) == b"456"
    assert [(each["name"], each["type"]) for each in native.ls("/")] == [("/a", "directory")]
    assert native.ls("/a/b", detail=False) == ["/a/b"]


def test_natively_what_is_not_there_is_missing(native):
    native.pipe_file("/a/b", b"x")
    for attempt in (native.info, native.open, native.rm, native.ls):
        with pytest.raises(FileNotFoundError, match="hdfs://nn/no"):
            attempt("/no")
    with pytest.raises(OSError, match="not empty"):
        native.rm("/a")
    native.rm("/a", recursive=True)
    assert not native.exists("/a")


def test_natively_a_changed_file_has_another_checksum(native):
    native.pipe_file("/a", b"x")
    before = native.checksum("/a")
    native.pipe_file("/a", b"xy")
    assert native.checksum("/a") != before


# ---- files while they are read and written


@given(st.binary(max_size=3000), st.lists(st.tuples(st.integers(0, 3100), st.integers(0, 900))))
def test_the_cache_gives_the_bytes_of_any_range(data, ranges):
    cache = GrowingCache(256, lambda start, end: data[start:end], len(data))
    for start, length in ranges:
        assert cache._fetch(start, start + length) == data[start : start + length]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))))
def test_the_cache_holds_a_block_and_what_was_asked(ranges):
    cache = GrowingCache(100_000, lambda start, end: bytes(end - start), 10**6)
    for start, length in ranges:
        cache._fetch(start, start + length)
        assert len(cache._data) <= 3 * 100_000


def test_an_upload_that_is_forgotten_is_dropped():
    puts = []
    upload = Upload(puts.append)
    upload.write(b"x")
    del upload
    assert puts == []


def test_hdfs_addresses_are_resolved_with_every_character(tmp_path):
    add_command(tmp_path)
    file_system, path = resolve("hdfs://127.0.0.1:9/a?b#c d")
    assert (file_system.unstrip_protocol(path), path) == ("hdfs://127.0.0.1:9/a?b#c d", "/a?b#c d")


def test_a_folder_without_core_site_is_named_where_no_host_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    with pytest.raises(ValueError, match=f"which one\\? {tmp_path} has no core-site.xml; write"):
        hdfs_file_system("")
    (tmp_path / "core-site.xml").write_text("<configuration/>")
    with pytest.raises(ValueError, match=r"which one\? fs.defaultFS is file:///"):
        hdfs_file_system("")
