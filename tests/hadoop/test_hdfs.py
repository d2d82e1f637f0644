"""HDFS from Python against a real one; `hadoop fs` and a local disk say what is right.

There is no libhdfs among Hadoop's published jars: tests/mapsight/storage/test_hdfs.py tries the
code above it.
"""

from __future__ import annotations

import errno
import io
import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from driver.workspace.workspace import Workspace
from mapsight.inputs.find import find_inputs
from mapsight.storage.hadoop_conf import namenode_web_addresses, read_conf
from mapsight.storage.hdfs import hdfs_file_system
from mapsight.storage.uri import open_uri
from mapsight.storage.webhdfs import WebHdfs
from tests.support.index_world import indexed, scored
from tests.support.loopback import Answer, reply, serving
from tests.support.paths import ROOT
from tests.support.results import upload
from tests.support.stage_documents import sound

HOME = "/user/tester/hdfs-tests"
ODD = [
    "a b",
    "#1",
    "%20",
    "wh?t",
    "st*r",
    "[x]",
    "{a,b}",
    "ünï",
    "back\\slash",
    "quo'te\"",
    "p|pe",
    "a=b&c+d",
]
MISSING = f"{HOME}/nowhere/file"


@pytest.fixture(scope="module", autouse=True)
def environment(cluster):
    """The shell of somebody who uses the cluster."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.exports().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def web(environment) -> WebHdfs:
    """By WebHDFS, with an empty home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAPSIGHT_HDFS", "webhdfs")
        found = hdfs_file_system("")
    if found.exists(HOME):
        found.rm(HOME, recursive=True)
    found.makedirs(HOME)
    return found


@pytest.fixture(params=["webhdfs", "command"])
def hdfs(request, web, monkeypatch):
    """Each way in turn."""
    monkeypatch.setenv("MAPSIGHT_HDFS", request.param)
    return hdfs_file_system("")


@pytest.fixture
def folder(web, request):
    """An empty folder of the test's own."""
    path = f"{HOME}/{abs(hash(request.node.nodeid)):x}"
    web.makedirs(path)
    return path


# ---- the same for both ways


def test_odd_names_are_themselves(web, hdfs, folder):
    for name in ODD:
        web.pipe_file(f"{folder}/{name}", name.encode())
    assert hdfs.ls(folder, detail=False) == sorted(f"{folder}/{name}" for name in ODD)
    name = f"{folder}/{''.join(ODD)}"
    hdfs.pipe_file(name, b"new")
    assert (hdfs.cat_file(name), hdfs.info(name)["size"]) == (b"new", 3)


def test_a_file_that_is_replaced_and_renamed_is_what_was_written_last(hdfs, folder):
    for data in (b"first and long", b"second"):
        hdfs.pipe_file(f"{folder}/deep/down/a", data)
    hdfs.pipe_file(f"{folder}/b", b"third")
    hdfs.mv(f"{folder}/deep/down/a", f"{folder}/b")
    assert hdfs.find(folder) == [f"{folder}/b"]
    assert hdfs.cat_file(f"{folder}/b") == b"second"


def test_copies_and_empty_files_are_whole(hdfs, folder):
    hdfs.pipe_file(f"{folder}/empty", b"")
    hdfs.cp_file(f"{folder}/empty", f"{folder}/copies/empty")
    assert hdfs.cat_file(f"{folder}/copies/empty") == b""


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (lambda fs: fs.info(MISSING), FileNotFoundError),
        (lambda fs: fs.open(MISSING), FileNotFoundError),
        (lambda fs: fs.ls(MISSING), FileNotFoundError),
        (lambda fs: fs.rm(MISSING), FileNotFoundError),
        (lambda fs: fs.mv(MISSING, f"{HOME}/x"), FileNotFoundError),
        (lambda fs: fs.open(HOME), IsADirectoryError),
    ],
)
def test_what_cannot_be_is_refused_by_name(hdfs, folder, attempt, error):
    with pytest.raises(error) as refused:
        attempt(hdfs)
    assert "\n" not in str(refused.value)
    assert refused.value.filename in (f"hdfs://{MISSING}", f"hdfs://{HOME}")


def test_a_folder_that_is_not_empty_is_not_removed_by_mistake(web, hdfs, folder):
    web.pipe_file(f"{folder}/inside", b"x")
    with pytest.raises(OSError, match=r"not empty|non empty"):
        hdfs.rm(folder)
    hdfs.rm(folder, recursive=True)
    assert not web.exists(folder)


def test_checksums_follow_the_bytes_and_nothing_else(web, hdfs, folder):
    for name, data in (("a", b"1" * 2000), ("b", b"2" * 2000), ("same", b"1" * 2000)):
        web.pipe_file(f"{folder}/{name}", data)
    first, second, same = hdfs.checksums([f"{folder}/{name}" for name in ("a", "b", "same")])
    assert first == same == web.checksum(f"{folder}/a")
    assert first != second


def test_a_full_quota_is_named_and_leaves_the_old_file(run, web, hdfs, folder):
    web.pipe_file(f"{folder}/a", b"old")
    run("hdfs", "dfsadmin", "-setSpaceQuota", "1m", folder)
    with pytest.raises(OSError, match=r"No space: .*quota") as refused:
        hdfs.pipe_file(f"{folder}/a", b"x" * 3_000_000)
    assert refused.value.errno == errno.EDQUOT
    assert refused.value.filename == f"hdfs://{folder}/a"
    assert web.find(folder) == [f"{folder}/a"]
    assert web.cat_file(f"{folder}/a") == b"old"


# ---- WebHDFS


def test_hadoop_reads_what_was_written(run, web, folder, tmp_path):
    data = random.Random(0).randbytes(9_000_000)
    with web.open(f"{folder}/a", "wb") as file:
        for first in range(0, len(data), 100_000):
            file.write(data[first : first + 100_000])
    run("hadoop", "fs", "-get", f"hdfs://{folder}/a", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data


def test_what_hadoop_wrote_is_read(run, web, folder, tmp_path):
    data = random.Random(0).randbytes(3_000_000)
    (tmp_path / "a").write_bytes(data)
    run("hadoop", "fs", "-put", tmp_path / "a", f"hdfs://{folder}/a")
    assert web.cat_file(f"{folder}/a") == data
    web.put_file(tmp_path / "a", f"{folder}/b")
    assert web.checksum(f"{folder}/a") == web.checksum(f"{folder}/b")


@pytest.mark.parametrize("seed", range(3))
def test_random_operations_end_like_those_on_a_local_disk(web, folder, tmp_path, seed):
    chance, local = random.Random(seed), LocalFileSystem(auto_mkdir=True)
    for _ in range(80):
        operation = chance.choice(["pipe", "pipe", "cat", "cp", "mv", "rm"])
        names = [f"{chance.choice('abc')}/{chance.choice('xyz')}" for _ in range(2)]
        data = chance.randbytes(chance.choice((0, 1, 5000)))
        outcomes = [
            perform(fs, base, operation, names, data)
            for fs, base in ((web, folder), (local, str(tmp_path)))
        ]
        assert outcomes[0] == outcomes[1]


def perform(fs, base: str, operation: str, names: list[str], data: bytes) -> object:
    """What an operation gives, and the files after it."""
    first, second = (f"{base}/{name}" for name in names)
    if first == second:
        return None
    calls = {
        "pipe": lambda: fs.pipe_file(first, data),
        "cat": lambda: fs.cat_file(first),
        "cp": lambda: fs.cp_file(first, second),
        "mv": lambda: fs.mv(first, second) if fs.exists(second) else None,
        "rm": lambda: fs.rm_file(first),
    }
    try:
        result = calls[operation]()
    except FileNotFoundError:
        result = "missing"
    return result, {path[len(base) :]: fs.size(path) for path in fs.find(base)}


def test_readers_see_the_old_file_or_the_new_and_never_none(web, folder):
    path, whole = f"{folder}/stage.json", {bytes([65 + n]) * 50_000 for n in range(3)}
    web.pipe_file(path, min(whole))
    with ThreadPoolExecutor() as pool:
        seen = pool.map(lambda _: web.cat_file(path), range(60))
        for data in sorted(whole) * 8:
            web.pipe_file(path, data)
        assert set(seen) <= whole


def test_of_many_who_create_a_file_one_does(web, folder):
    def create(number: int) -> bool:
        try:
            web.pipe_file(f"{folder}/lock", b"%d" % number, mode="create")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert web.cat_file(f"{folder}/lock") == b"%d" % won.index(True)
    assert web.find(folder) == [f"{folder}/lock"]


def test_what_an_error_left_half_written_is_dropped(web, folder):
    with pytest.raises(ZeroDivisionError), web.open(f"{folder}/a", "wb") as file:
        file.write(b"half")
        _ = 1 / 0
    assert web.find(folder) == []


def test_a_row_group_costs_a_row_group(web, folder):
    rows = pa.table({"b": [random.Random(n).randbytes(5000) for n in range(800)]})
    out = io.BytesIO()
    pq.write_table(rows, out, row_group_size=200, compression="none", use_dictionary=False)
    web.pipe_file(f"{folder}/p.parquet", out.getvalue())
    with web.open(f"{folder}/p.parquet") as file:
        cache = file.cache
        group = pq.ParquetFile(file).read_row_group(2)
    assert group == rows.slice(400, 200)
    assert cache.total_requested_bytes < 200 * 5000 + 200_000


def test_many_small_reads_are_few_requests(web, folder):
    data = random.Random(0).randbytes(10_000_000)
    web.pipe_file(f"{folder}/a", data)
    with web.open(f"{folder}/a") as file:
        cache = file.cache
        read = b"".join(iter(lambda: file.read(512), b""))
    assert read == data
    assert (cache.miss_count, cache.total_requested_bytes) == (7, len(data))


def test_seeks_give_the_bytes_of_the_place(web, folder):
    data, chance = random.Random(0).randbytes(700_000), random.Random(1)
    web.pipe_file(f"{folder}/a", data)
    with web.open(f"{folder}/a") as file:
        for _ in range(40):
            at, length = chance.randrange(700_100), chance.choice((0, 1, 1000, 100_000, -1))
            file.seek(at)
            assert file.read(length) == data[at : at + length if length >= 0 else None]


@pytest.mark.parametrize("authority", ["", "by its name"])
def test_addresses_are_those_that_were_typed(environment, web, folder, authority):
    if authority:
        authority = urlsplit(read_conf()["fs.defaultFS"]).netloc
    web.pipe_file(f"{folder}/{ODD[0]}", b"x")
    (found,) = find_inputs(f"hdfs://{authority}{folder}")
    assert found.uri == f"hdfs://{authority}{folder}/{ODD[0]}".encode()
    assert (found.bytes, found.stamp.isdecimal()) == (1, True)


def test_inputs_with_odd_names_are_found_and_opened(web, folder):
    for name in ODD:
        web.pipe_file(f"{folder}/{name}", name.encode())
    found = list(find_inputs(f"hdfs://{folder}"))
    assert [each.source for each in found] == [f"hdfs://{folder}/{name}" for name in sorted(ODD)]
    assert [open_uri(each.uri).read().decode() for each in found] == sorted(ODD)


# ---- what clusters do


def test_a_datanode_killed_in_the_middle_of_a_read_is_not_noticed(cluster, web, folder):
    data = random.Random(0).randbytes(30_000_000)
    web.pipe_file(f"{folder}/a", data)
    with web.open(f"{folder}/a") as file:
        read = file.read(1_000_000)
        for name in ("datanode 0", "datanode 1"):
            cluster.kill(name)
            read += file.read(12_000_000)
            cluster.start(name)
        read += file.read()
    assert read == data


def test_files_are_written_while_a_datanode_is_dead(cluster, web, folder):
    data = random.Random(0).randbytes(5_000_000)
    cluster.kill("datanode 0")
    try:
        for number in range(4):
            web.pipe_file(f"{folder}/{number}", data)
            assert web.cat_file(f"{folder}/{number}") == data
    finally:
        cluster.start("datanode 0")


def standby(request) -> None:
    """What a NameNode that is not the active one says."""
    said = {"RemoteException": {"exception": "StandbyException", "message": "standby"}}
    reply(json.dumps(said).encode(), 403)(request)


def active_at(address: str) -> Answer:
    """Sends everybody on to the real NameNode."""
    return lambda request: reply(b"", 307, Location=address + request.path)(request)


def test_standbys_are_passed_over_also_when_they_change(web, folder):
    (real,) = namenode_web_addresses(read_conf(), "")
    web.pipe_file(f"{folder}/a", b"x")
    first, second = [active_at(real), standby], [standby, active_at(real)]
    with serving(*first) as one, serving(*second) as other:
        hdfs = WebHdfs("pictures", (one, other), "root")
        assert [hdfs.cat_file(f"{folder}/a") for _ in range(3)] == [b"x"] * 3
    assert hdfs.unstrip_protocol(f"{folder}/a") == f"hdfs://pictures{folder}/a"


def test_a_namenode_that_is_gone_is_passed_over(web, folder):
    (real,) = namenode_web_addresses(read_conf(), "")
    hdfs = WebHdfs("", ("http://127.0.0.1:9", real), "root")
    assert hdfs.isdir(folder)


MAPPER = """
import os, sys
from mapsight.storage.hadoop_conf import read_conf
from mapsight.storage.hdfs import hdfs_file_system
os.environ["HADOOP_CONF_DIR"] = "/nowhere"
for line in sys.stdin:
    name = line.split("\\t")[-1].strip()
    hdfs = hdfs_file_system("")
    print(type(hdfs).__name__, hdfs.cat_file(name).decode(), len(dict(read_conf())), sep="\\t")
"""


def test_a_map_task_reads_by_what_its_job_says_without_configuration_files(
    cluster, run, web, folder, tmp_path
):
    (tmp_path / "mapper.py").write_text(MAPPER)
    web.pipe_file(f"{folder}/a", "ünï".encode())
    web.pipe_file(f"{folder}/in/names", f"{folder}/a\n".encode())
    run(
        *("hadoop", "jar", cluster.exports()["HADOOP_STREAMING_JAR"]),
        *("-D", "mapreduce.job.reduces=0", "-D", "mapreduce.job.maps=1"),
        *("-files", tmp_path / "mapper.py", "-mapper", f"{sys.executable} mapper.py"),
        *("-cmdenv", f"PYTHONPATH={ROOT}", "-cmdenv", "PYTHONIOENCODING=utf-8"),
        *("-input", f"{folder}/in", "-output", f"{folder}/out"),
    )
    parts = [web.cat_file(path) for path in web.find(f"{folder}/out")]
    assert b"".join(parts).decode().split() == ["WebHdfs", "ünï", "0"]


# ---- the workspace


@pytest.fixture
def workspace(web, folder) -> Workspace:
    return Workspace(f"hdfs://{folder}/ws")


def commit(workspace: Workspace) -> dict:
    """A stage of two parts."""
    for name, data in (("part-00000", b"a"), ("part-00001", b"bb")):
        workspace.fs.pipe_file(workspace.path("extract", "f", name), data)
    parts = workspace.describe("extract", "f")
    document = sound("extract", "f", parts)
    workspace.commit("extract", document)
    return document


def test_what_is_committed_is_there_by_addresses_that_hadoop_takes(run, workspace):
    commit(workspace)
    first, second = workspace.parts("extract")
    assert first == f"{workspace.location}/extract/f/part-00000"
    assert run("hadoop", "fs", "-cat", first, second) == "abb"


def test_a_part_that_is_another_of_the_same_size_is_noticed(workspace):
    document = commit(workspace)
    workspace.verify(document)
    workspace.fs.pipe_file(workspace.path("extract", "f", "part-00001"), b"cc")
    assert workspace.intact(document)
    with pytest.raises(Exception, match=r"hdfs://.*part-00001 has changed"):
        workspace.verify(document)


def test_published_folders_and_clean_ones_hold_what_they_should(workspace, tmp_path):
    with workspace.locked():
        commit(workspace)
        workspace.publish(["extract"], "results")
        dead = workspace.new_folder("extract", "0123456789abcdef")
        for name in (f"extract/{dead}/part-00000", "extract/mine/notes.txt"):
            workspace.fs.pipe_file(workspace.path(name), b"x")
    workspace.clean()
    names = {path[len(workspace.root) + 1 :] for path in workspace.fs.find(workspace.root)}
    parts = {"extract/f/part-00000", "extract/f/part-00001", "extract/stage.json"}
    own = {name for name in names if not name.startswith("mapsight-")}
    published = {"results/part-00000", "results/part-00001"}
    assert own == {*parts, *published, "extract/mine/notes.txt"}


def test_a_run_that_was_killed_does_not_hold_the_workspace(workspace):
    code = "import sys, time; from driver.workspace.workspace import Workspace\n"
    code += "with Workspace(sys.argv[1]).locked(): print(flush=True); time.sleep(600)"
    command = [sys.executable, "-c", code, workspace.location]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        holder.stdout.readline()
        with pytest.raises(Exception, match=f"process {holder.pid} on"), workspace.locked():
            pytest.fail("held twice")
        holder.kill()
    with workspace.locked():
        assert json.loads(workspace.fs.cat_file(workspace.path("lock.json")))["pid"] == os.getpid()


def test_cells_of_an_index_are_scored_from_hdfs_as_from_here(cluster, tmp_path):
    world = indexed(tmp_path / "w")
    upload(tmp_path / "w", f"hdfs://{HOME}/cells")
    found = scored(f"hdfs://{HOME}/cells", world, tmp_path)
    assert found == scored(str(tmp_path / "w"), world, tmp_path) and len(found) == 3
