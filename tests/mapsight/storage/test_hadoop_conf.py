from __future__ import annotations

from pathlib import Path

import pytest

from mapsight.storage import hadoop_conf
from mapsight.storage.hadoop_conf import (
    HadoopConfError,
    default_fs,
    hadoop_command,
    history_web_address,
    is_secure,
    namenode_web_addresses,
    read_conf,
    resourcemanager_web_addresses,
)

HA = {
    "fs.defaultFS": "hdfs://pictures",
    "dfs.nameservices": "other, pictures",
    "dfs.ha.namenodes.pictures": "nn1 , nn2",
    "dfs.namenode.http-address.pictures.nn1": "a.example:9870",
    "dfs.namenode.http-address.pictures.nn2": "b.example:9870",
    "dfs.namenode.https-address.pictures.nn1": "a.example:9871",
    "dfs.namenode.https-address.pictures.nn2": "b.example:9871",
    "dfs.namenode.http-address.other": "c.example:9870",
}
SINGLE = {"fs.defaultFS": "hdfs://nn:8020/", "dfs.namenode.http-address": "0.0.0.0:50070"}
RM_HA = {
    "yarn.resourcemanager.ha.enabled": "true",
    "yarn.resourcemanager.ha.rm-ids": "rm1,rm2",
    "yarn.resourcemanager.webapp.address.rm1": "a.example:8188",
    "yarn.resourcemanager.hostname.rm2": "b.example",
    "yarn.resourcemanager.webapp.https.address.rm2": "b.example:8190",
    "yarn.resourcemanager.hostname.rm1": "a.example",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for configuration files, the only one."""
    for name in ("HADOOP_HOME", "mapreduce_task_attempt_id"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    return tmp_path


def write(folder: Path, name: str = "core-site.xml", **properties: str) -> None:
    lines = (
        f"<property><name>{k}</name><value>{v}</value></property>" for k, v in properties.items()
    )
    (folder / name).write_text(
        f"<?xml version='1.0'?><configuration>{''.join(lines)}</configuration>"
    )


def test_all_four_files_are_read(folder):
    for kind in ("core", "hdfs", "mapred", "yarn"):
        write(folder, f"{kind}-site.xml", **{f"{kind}.a": kind})
    assert dict(read_conf()) == {f"{k}.a": k for k in ("core", "hdfs", "mapred", "yarn")}


def test_without_files_nothing_is_known(folder):
    assert dict(read_conf()) == {}
    assert default_fs(read_conf()) == "file:///"


def test_spaces_around_values_do_not_count_and_empty_values_do(folder):
    write(folder, **{" a ": " \n x y\t", "b": ""})
    assert dict(read_conf()) == {"a": "x y", "b": ""}


def test_home_is_looked_into_when_no_folder_is_named(folder, monkeypatch):
    (folder / "etc" / "hadoop").mkdir(parents=True)
    write(folder / "etc" / "hadoop", a="of home")
    monkeypatch.delenv("HADOOP_CONF_DIR")
    monkeypatch.setenv("HADOOP_HOME", str(folder))
    assert read_conf()["a"] == "of home"


def test_variables_are_replaced_also_within_variables(folder):
    write(folder, a="${b}/${b}", b="x${c}", c="1")
    assert read_conf()["a"] == "x1/x1"


def test_variables_of_the_environment_have_defaults(folder, monkeypatch):
    monkeypatch.setenv("WHERE", "here")
    write(folder, a="${env.WHERE} ${env.NOWHERE:-there} ${unknown}")
    assert read_conf()["a"] == "here there ${unknown}"


def test_a_circle_of_variables_ends(folder):
    write(folder, a="${b}", b="${a}", c="${c}${c}")
    assert {*read_conf().values()} >= {"${b}"} or {*read_conf().values()} >= {"${a}"}


def test_a_file_that_is_no_xml_is_named(folder):
    (folder / "hdfs-site.xml").write_text("<configuration>")
    with pytest.raises(HadoopConfError, match=r"hdfs-site\.xml: no XML"):
        read_conf()


def test_a_file_of_absurd_size_is_refused(folder, monkeypatch):
    monkeypatch.setattr(hadoop_conf, "MAX_BYTES", 100)
    write(folder, a="x" * 100)
    with pytest.raises(HadoopConfError, match=r"core-site\.xml: larger than 100 bytes"):
        read_conf()


def test_a_task_goes_by_what_its_job_was_submitted_with(folder, monkeypatch):
    write(folder, **{"fs.defaultFS": "hdfs://node:1", "a": "file"})
    monkeypatch.setenv("mapreduce_task_attempt_id", "attempt_1_0001_m_000000_0")
    monkeypatch.setenv("fs_defaultFS", "hdfs://job:2")
    assert default_fs(read_conf()) == "hdfs://job:2"
    assert read_conf()["a"] == "file"


def test_variables_outside_a_task_are_nobodys(folder, monkeypatch):
    monkeypatch.setenv("fs_defaultFS", "hdfs://job:2")
    assert default_fs(read_conf()) == "file:///"


def test_a_task_without_files_finds_its_namenodes(monkeypatch):
    monkeypatch.setenv("mapreduce_task_attempt_id", "attempt_1_0001_m_000000_0")
    for key, value in HA.items():
        monkeypatch.setenv(key.replace(".", "_").replace("-", "_"), value)
    wanted = ["http://a.example:9870", "http://b.example:9870"]
    assert namenode_web_addresses(read_conf(), "") == wanted


@pytest.mark.parametrize(
    ("conf", "authority", "wanted"),
    [
        (HA, "", ["http://a.example:9870", "http://b.example:9870"]),
        (HA, "pictures", ["http://a.example:9870", "http://b.example:9870"]),
        (HA, "other", ["http://c.example:9870"]),
        (HA, "far.example:8020", ["http://far.example:9870"]),
        (HA | {"dfs.http.policy": "HTTPS_ONLY"}, "far.example", ["https://far.example:9871"]),
        (SINGLE, "", ["http://nn:50070"]),
        (SINGLE, "nn:8020", ["http://nn:50070"]),
        (SINGLE, "[::1]:8020", ["http://[::1]:9870"]),
        ({}, "", []),
        ({"fs.defaultFS": "hdfs://nn"}, "", ["http://nn:9870"]),
    ],
)
def test_namenodes_are_found(conf, authority, wanted):
    assert namenode_web_addresses(conf, authority) == wanted


def test_namenodes_that_speak_https_only_are_asked_so():
    found = namenode_web_addresses(HA | {"dfs.http.policy": "HTTPS_ONLY"}, "pictures")
    assert found == ["https://a.example:9871", "https://b.example:9871"]


@pytest.mark.parametrize(
    ("conf", "wanted"),
    [
        ({}, ["http://localhost:8088"]),
        ({"yarn.resourcemanager.hostname": "rm"}, ["http://rm:8088"]),
        ({"yarn.resourcemanager.webapp.address": "rm:1"}, ["http://rm:1"]),
        (RM_HA, ["http://a.example:8188", "http://b.example:8088"]),
        (
            RM_HA | {"yarn.http.policy": "HTTPS_ONLY"},
            ["https://a.example:8090", "https://b.example:8190"],
        ),
    ],
)
def test_resourcemanagers_are_found(conf, wanted):
    assert resourcemanager_web_addresses(conf) == wanted


@pytest.mark.parametrize(
    ("conf", "wanted"),
    [
        ({}, "http://localhost:19888"),
        ({"mapreduce.jobhistory.address": "h:10020"}, "http://h:19888"),
        ({"mapreduce.jobhistory.webapp.address": "h:2"}, "http://h:2"),
        ({"mapreduce.jobhistory.http.policy": "HTTPS_ONLY"}, "https://localhost:19890"),
    ],
)
def test_the_history_is_found(conf, wanted):
    assert history_web_address(conf) == wanted


def test_kerberos_is_secure_and_simple_is_not():
    assert is_secure({"hadoop.security.authentication": "Kerberos"})
    assert not is_secure({"hadoop.security.authentication": "simple"})
    assert not is_secure({})


def test_the_command_of_home_goes_before_that_on_path(folder, monkeypatch):
    for place in ("home/bin", "path"):
        (folder / place).mkdir(parents=True)
        (folder / place / "hadoop").touch(0o755)
    monkeypatch.setenv("PATH", str(folder / "path"))
    assert hadoop_command() == str(folder / "path" / "hadoop")
    monkeypatch.setenv("HADOOP_HOME", str(folder / "home"))
    assert hadoop_command() == str(folder / "home" / "bin" / "hadoop")


def test_without_a_command_there_is_none(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    assert hadoop_command() is None
