"""The cluster for tests and trials: its life, its errors, and that it is a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from devcluster import daemons
from devcluster.addresses import choose_first_port, node_address
from devcluster.cluster import _parser
from devcluster.errors import ClusterError
from devcluster.layout import need_space
from devcluster.lifecycle import NODE_PATH, Cluster
from devcluster.processes import Process
from devcluster.state import State
from tests.support.paths import ROOT

WORD_COUNT = Path(__file__).with_name("word_count.py")
TEXT = "one two two three three three zwölf\n" * 7


def control(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run cluster.py as people do; a variable changed to nothing is unset."""
    environment = {key: value for key, value in {**os.environ, **changes}.items() if value}
    command = [sys.executable, str(ROOT / "devcluster" / "cluster.py"), "--state", str(folder)]
    return subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def fetch(url: str) -> str:
    """What a web page of the cluster says; waits for one that is not there yet."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with daemons.OPENER.open(url, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


# ---- the life of a cluster of one node, once; the tests look at what each step said


class Life:
    """What cluster.py said at each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, dict[str, subprocess.CompletedProcess[str]]()
        self.state = self.broken_state = None

    def step(self, name: str, *arguments: str) -> None:
        self.said[name] = control(self.folder, *arguments)

    def live(self) -> None:
        self.step("up", "up", "--nodes", "1")
        self.state = State.load(self.folder)
        self.step("up again", "up", "--nodes", "1")
        self.step("other number", "up", "--nodes", "2")
        self.step("status", "status")
        self.step("kill", "kill", "nodemanager", "0")
        self.step("status after kill", "status")
        self.step("start", "start", "nodemanager", "0")
        self.step("status after start", "status")
        self.step("kill historyserver", "kill", "historyserver")
        self.step("up after kill", "up", "--nodes", "1")
        self.step("kill another", "kill", "datanode", "0")
        self.client = self.start_client()
        self.step("keep", "down", "--keep")
        self.client_ended = self.client.wait(timeout=60)
        self.left_after_keep = daemons.processes_of(self.state.plan)
        (self.folder / "name" / "current" / "VERSION").write_text("layoutVersion=nonsense\n")
        self.step("broken up", "up", "--nodes", "1")
        self.left_after_broken = daemons.processes_of(self.state.plan)

    def start_client(self) -> subprocess.Popen[bytes]:
        """A command that waits for what is written to it, as one that waits for a job."""
        hadoop = Path(self.state.plan.home, "bin", "hadoop")
        command = [hadoop, "fs", "-put", "-", "/tmp/endless"]
        environment = Cluster(self.folder).exports()
        client = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        while not daemons.clients_of(self.state.plan):
            time.sleep(0.1)
        return client

    def end(self) -> None:
        self.step("down", "down")
        self.step("down again", "down")


@pytest.fixture(scope="module")
def life(tools, tmp_path_factory: pytest.TempPathFactory) -> Life:
    life = Life(tmp_path_factory.mktemp("life") / "cluster")
    try:
        life.live()
    finally:
        life.end()
    return life


def test_up_says_when_it_is_ready(life):
    assert life.said["up"].stdout == f"ready: 1 nodes at {life.folder}\n", life.said["up"].stderr


def test_a_second_up_says_that_it_runs_already(life):
    again = life.said["up again"]
    assert (again.returncode, again.stdout.split(":")[0]) == (0, "running already")


def test_up_with_another_number_of_nodes_is_refused_in_one_line(life):
    other = life.said["other number"]
    assert other.returncode == 1
    assert other.stderr == (
        f"cluster.py: the cluster at {life.folder} has 1 nodes, not 2: end it first, with down\n"
    )


def test_status_finds_all_daemons_ready(life):
    lines = life.said["status"].stdout.splitlines()
    ready = [line[:16].strip() for line in lines if line[17:].startswith("ready")]
    assert ready == daemons.all_names(1)


def test_status_names_a_nodemanager_that_was_killed(life):
    status = life.said["status after kill"]
    assert status.returncode == 1
    assert "nodemanager 0    dead" in status.stdout.splitlines()


def test_start_brings_a_killed_nodemanager_back(life):
    assert life.said["start"].returncode == 0, life.said["start"].stderr
    assert life.said["status after start"].returncode == 0


def test_up_starts_what_was_killed(life):
    again = life.said["up after kill"]
    assert again.stdout == f"ready: 1 nodes at {life.folder}\n", again.stderr


def test_down_leaves_no_process_though_a_daemon_was_dead(life):
    assert life.said["keep"].returncode == 0
    assert life.left_after_keep == set()


def test_down_ends_commands_that_use_the_cluster(life):
    assert life.client_ended == -signal.SIGKILL


def test_an_up_that_fails_gives_the_line_of_the_log_that_says_why(life):
    said = life.said["broken up"].stderr
    log = life.folder / "logs" / "namenode.log"
    assert said.startswith("cluster.py: the namenode ended: ")
    assert said.endswith(f" [{log}]\n")
    assert "layoutVersion" in said or "nonsense" in said
    assert said.count("\n") == 1


def test_an_up_that_fails_leaves_no_process(life):
    assert life.left_after_broken == set()


def test_down_removes_the_folder_and_a_second_one_finds_none(life):
    assert life.said["down"].stdout == "ended\n"
    assert life.said["down again"].stdout == f"no cluster at {life.folder}\n"
    assert not life.folder.exists()


# ---- errors, in one line each


def refused(folder: Path, *arguments: str, **changes: str) -> str:
    """The one line with which a command is refused."""
    done = control(folder, *arguments, **changes)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    return done.stderr.removeprefix("cluster.py: ").rstrip()


def test_without_java_up_says_so_and_leaves_no_folder(tmp_path):
    said = refused(tmp_path / "cluster", "up", PATH=str(tmp_path), JAVA_HOME="")
    assert said == "no java on PATH: Hadoop needs Java 11 or 17"
    assert not (tmp_path / "cluster").exists()


def test_a_java_that_hadoop_does_not_run_on_is_refused(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("""#!/bin/sh\necho 'openjdk version "25.0.1"' >&2\n""")
    java.chmod(0o755)
    said = refused(tmp_path / "cluster", "up", JAVA_HOME=str(tmp_path))
    assert said == f"Hadoop needs Java 11 or 17 and {java} is version 25: set JAVA_HOME"


def test_without_maven_and_without_hadoop_up_says_so(tools, tmp_path):
    (tmp_path / "java").symlink_to(shutil.which("java"))
    changes = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "JAVA_HOME": ""}
    said = refused(tmp_path / "cluster", "up", **changes)
    assert said == "no mvn on PATH: Maven is needed once, to bring Hadoop"


def test_a_wanted_port_that_is_taken_is_named(cluster, tmp_path):
    port = cluster.plan.first_port
    said = refused(tmp_path / "cluster", "up", "--first-port", str(port))
    assert said.startswith(f"port {port} for the namenode cannot be had (")


def test_a_port_that_is_taken_on_a_node_only_is_named_too():
    first = choose_first_port(2)
    refusal = pytest.raises(ClusterError, match=rf"^port {first + 20} for the nodemanager 1 ")
    with socket.create_server((node_address(1), first + 20)), refusal:
        choose_first_port(2, first)


def test_too_small_a_disk_is_named_with_what_is_needed(tmp_path):
    with pytest.raises(ClusterError, match=r"MiB free and 1099511627776 MiB are needed$"):
        need_space(tmp_path, 2**60)


def test_a_folder_with_other_things_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").touch()
    said = refused(tmp_path, "up")
    assert said == f"{tmp_path} is not empty and not a cluster: name another --state"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("words", ["--state here env", "env --state here"])
def test_the_folder_may_be_named_before_and_after_the_command(words):
    assert _parser().parse_args(words.split()).state == Path("here")


def test_env_without_a_cluster_says_how_to_start_one(tmp_path):
    said = refused(tmp_path / "cluster", "env")
    assert said == f"no cluster at {tmp_path / 'cluster'}: up starts one"


def test_a_process_that_has_the_id_of_a_daemon_is_not_taken_for_it():
    assert not Process(os.getpid(), 1).alive


# ---- it is a real one


def test_java_has_hadoops_classes_from_an_archive(cluster):
    options = {**cluster.exports(), "HADOOP_OPTS": "-Xlog:class+load"}
    done = subprocess.run(["hadoop", "fs", "-help"], env=options, capture_output=True, text=True)
    loaded = re.search(r" org\.apache\.hadoop\.fs\.FsShell source: (.+)", done.stdout)
    assert loaded and loaded[1] == "shared objects file", done.stderr


def test_env_makes_hadoop_usable_in_a_shell(cluster):
    script = f'eval "$({sys.executable} devcluster/cluster.py --state {cluster.folder} env)"'
    script += " && hadoop version"
    done = subprocess.run(["sh", "-ec", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "Hadoop 3.3.4", done.stderr


def test_files_come_back_from_hdfs_as_they_went(run, tmp_path):
    there, back = tmp_path / "zwölf.bin", tmp_path / "back.bin"
    there.write_bytes(os.urandom(3_000_001))
    run("hadoop", "fs", "-put", there, "/tmp/")
    run("hadoop", "fs", "-get", "/tmp/zwölf.bin", back)
    assert back.read_bytes() == there.read_bytes()


def test_every_node_has_a_replica(run, cluster, tmp_path):
    (tmp_path / "replicas").write_bytes(b"x" * 1000)
    run("hadoop", "fs", "-put", tmp_path / "replicas", "/tmp/")
    assert "Live_repl=2\n" in run("hdfs", "fsck", "/tmp/replicas", "-files", "-blocks")


def test_webhdfs_reads_without_any_java(run, cluster, tmp_path):
    (tmp_path / "web").write_text("by the web\n")
    run("hadoop", "fs", "-put", tmp_path / "web", "/tmp/")
    assert fetch(f"{cluster.plan.master_url('namenode')}/webhdfs/v1/tmp/web?op=OPEN") == (
        "by the web\n"
    )


@pytest.fixture(scope="module")
def counted(run, tmp_path_factory) -> tuple[str, str]:
    """The output of a word count through mrjob, which finds all by itself, and what it said."""
    text = tmp_path_factory.mktemp("text") / "text"
    text.write_text(TEXT)
    process = subprocess.run(
        [sys.executable, WORD_COUNT, "-r", "hadoop", str(text)],
        env=run.environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return process.stdout, process.stderr


def test_mrjob_counts_words_on_the_cluster(counted):
    rows = (line.split("\t") for line in counted[0].splitlines())
    assert {json.loads(word): int(count) for word, count in rows} == Counter(TEXT.split())


def first_attempt(cluster: Cluster, said: str) -> dict[str, Any]:
    """What the history server knows of the first map attempt of the job that a client told of."""
    job = re.search(r"job_\d+_\d+", said)[0]
    tasks = f"{cluster.plan.master_url('historyserver')}/ws/v1/history/mapreduce/jobs/{job}/tasks"
    attempts = f"{tasks}/{job.replace('job', 'task')}_m_000000/attempts"
    return json.loads(fetch(attempts))["taskAttempts"]["taskAttempt"][0]


def test_the_history_server_has_what_a_task_said_and_saw(counted, cluster):
    container = first_attempt(cluster, counted[1])["assignedContainerId"]
    history = cluster.plan.master_url("historyserver")
    seen = {"PATH": NODE_PATH, "SECRET_OF_THE_DEVELOPER": None}
    deadline = time.monotonic() + 60  # they are gathered when the job has ended
    stderr = ""
    while f"the task sees {seen}" not in stderr.splitlines() and time.monotonic() < deadline:
        stderr = fetch(f"{history}/ws/v1/history/containerlogs/{container}/stderr")
        time.sleep(0.5)
    assert f"the task sees {seen}" in stderr.splitlines()


def streaming(cluster: Cluster, name: str, program: str, *settings: str) -> list[str]:
    """The command of a job with one map task that runs a Python program."""
    jar = cluster.environment()["HADOOP_STREAMING_JAR"]
    options = [f"-D{setting}" for setting in (*settings, "mapreduce.job.maps=1")]
    options += [f"-Dmapreduce.job.name={name}", "-Dmapreduce.map.maxattempts=1"]
    where = ["-input", f"/tmp/{name}.in", "-output", f"/tmp/{name}.out"]
    mapper = ["-mapper", f"python3 -c '{program}'", "-reducer", "NONE"]
    return ["hadoop", "jar", jar, *options, *where, *mapper]


@pytest.fixture
def line(run, tmp_path):
    """Puts a file of one line into HDFS, the input of a job."""

    def put(name: str) -> None:
        (tmp_path / name).write_text("line\n")
        run("hadoop", "fs", "-put", "-f", tmp_path / name, f"/tmp/{name}.in")

    return put


def test_a_container_that_takes_more_memory_than_it_has_is_killed(cluster, run, line):
    line("greedy")
    program = 'import time; a = bytearray(10**9); a[::4096] = b"1" * len(a[::4096]); time.sleep(60)'
    command = streaming(cluster, "greedy", program, "mapreduce.map.memory.mb=768")
    process = run.start(*command)
    said = process.communicate(timeout=180)[1]
    diagnostics = first_attempt(cluster, said)["diagnostics"]
    assert re.search("beyond the 'PHYSICAL' memory limit.*of 768 MB", diagnostics)


def test_a_nodemanager_is_killed_with_its_containers(cluster, run, line):
    line("sleepy")
    process = run.start(*streaming(cluster, "sleepy", "import time; time.sleep(600)"))
    found = _sleepers(cluster)
    for index in (0, 1):
        cluster.kill(f"nodemanager {index}")
    alive = [sleeper for sleeper in found if sleeper.alive]
    for index in (0, 1):
        cluster.start(f"nodemanager {index}")
    application = urllib.parse.quote(_running(cluster))
    run("yarn", "application", "-kill", application)
    process.communicate(timeout=120)
    assert (bool(found), alive) == (True, [])


def _sleepers(cluster: Cluster) -> list[Process]:
    """The Python processes of the containers, once there are some."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        everything = daemons.processes_of(cluster.plan)
        commands = {p: Path(f"/proc/{p.pid}/cmdline") for p in everything}
        if found := [p for p, path in commands.items() if b"time.sleep(600)" in _read(path)]:
            return found
        time.sleep(0.2)
    return []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _running(cluster: Cluster) -> str:
    url = f"{cluster.plan.master_url('resourcemanager')}/ws/v1/cluster/apps?states=RUNNING,ACCEPTED"
    return json.loads(fetch(url))["apps"]["app"][0]["id"]
