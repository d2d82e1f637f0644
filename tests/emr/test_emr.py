"""The pipeline and a search on EMR, as far as that can be driven without a cloud.

What EMR's machines do is played (tests/emr/streaming.py); what the driver asks of AWS, uploads,
submits and reads is real. Bootstrap actions never run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

if not os.environ.get("CI"):
    pytest.importorskip("moto")

from tests.emr.account import BUCKET, Account, start
from tests.support.pictures import encoded, make_pictures, scribble
from tests.support.program import Program

WORKSPACE = f"s3://{BUCKET}/mapsight"


@pytest.fixture(scope="module")
def account(tmp_path_factory) -> Iterator[Account]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    with start(tmp_path_factory.mktemp("emr")) as account:
        yield account


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twenty pictures, one of them broken, one twice, and settings for a cluster that is near."""
    folder = tmp_path_factory.mktemp("run")
    pictures = make_pictures(folder)
    for seed in range(12, 18):
        (pictures / f"{seed:016x}.png").write_bytes(encoded(scribble(seed, 50, 30 + seed)))
    (pictures / f"{18:016x}.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (pictures / f"{0:016x}.png").write_bytes(encoded(scribble(99)))
    (folder / "near.conf").write_text("runners: {emr: {check_cluster_every: 1}}\n")
    return folder


@pytest.fixture(scope="module")
def program(environment, account: Account, folder: Path) -> Program:
    return Program({**environment, **account.environment}, folder)


def on_emr(program: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return program(*arguments, "-r", "emr", "--mrjob-conf", "near.conf")


class Finished:
    """A run on EMR, and what it left."""

    def __init__(self, program: Program, account: Account) -> None:
        self.before = account.standing()
        arguments = ("--images", "pictures", "--workspace", WORKSPACE, "--results", "cloud")
        self.done = on_emr(program, *arguments)
        self.after, self.keys = account.standing(), account.keys()
        self.clusters, self.steps = account.clusters[:], account.log[:]


@pytest.fixture(scope="module")
def finished(program: Program, account: Account) -> Finished:
    run = Finished(program, account)
    assert run.done.returncode == 0, "\n".join([run.done.stderr, *run.steps])
    return run


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every result, but for the summary, which has times, and the list of digests."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".")]
    kept = [p for p in files if p.name != "summary.json" and "report" not in p.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def test_results_are_those_of_one_machine(program: Program, finished: Finished, folder: Path):
    arguments = ("--images", "pictures", "--results", "here")
    program.ok("-r", "local", *arguments)
    assert hashes(folder / "cloud") == hashes(folder / "here") != {}


def test_all_jobs_of_a_run_share_one_cluster(finished: Finished):
    (cluster,) = finished.clusters
    assert [step.state for step in cluster.steps] == ["COMPLETED"] * len(finished.steps)
    assert len(finished.steps) >= 4


def test_the_cluster_ends_with_the_run(finished: Finished):
    (cluster,) = finished.clusters
    assert cluster.state == "TERMINATED"
    assert "which this run started" in finished.done.stderr


def test_the_cluster_is_pinned_tagged_and_has_hadoop_alone(finished: Finished):
    (cluster,) = finished.clusters
    assert cluster.release_label == "emr-7.13.0"
    assert {"mapsight-run", "mapsight-workspace", "program"} <= {tag["Key"] for tag in cluster.tags}
    assert cluster.keep_job_flow_alive_when_no_steps


def test_no_bucket_and_no_role_is_made(finished: Finished):
    assert finished.before == finished.after


def test_nothing_temporary_stays_in_the_workspace(finished: Finished):
    assert not [key for key in finished.keys if "/.jobs/" in key or key.endswith("lock.json")]


def test_a_second_run_needs_no_cluster(program: Program, finished: Finished, account: Account):
    again = on_emr(program, "--images", "pictures", "--workspace", WORKSPACE)
    assert again.returncode == 0, again.stderr
    assert account.clusters == finished.clusters


def test_a_search_on_a_cluster_of_ones_own_answers_as_here_and_leaves_it(
    program: Program, finished: Finished, account: Account
):
    mine, known = account.cluster("mine"), len(account.clusters)
    query = ["search", f"{3:016x}", "--format", "json", "--top-k", "5", "--workspace", WORKSPACE]
    asked = [["-r", "local"], ["-r", "local", "--job"], ["--no-job", "--copy", "copy"]]
    here = {program.ok(*query, *how) for how in asked}
    cloud = on_emr(program, *query, "--job", "--cluster-id", mine)
    assert cloud.returncode == 0, cloud.stderr
    assert here == {cloud.stdout}
    needless = on_emr(program, *query)
    assert (needless.stdout, len(account.clusters)) == (cloud.stdout, known)
    assert (account.state(mine), len(account.clusters)) == ("RUNNING", known)


class Failed:
    """A run whose tasks all fail: what Python imports first raises."""

    def __init__(self, program: Program, account: Account) -> None:
        self.before, known = account.standing(), len(account.clusters)
        fire = """echo 'raise RuntimeError("the disk is on fire")' > pyarrow.py"""
        settings = {"runners": {"emr": {"check_cluster_every": 1, "setup": [fire]}}}
        (program.folder / "ill.conf").write_text(json.dumps(settings))
        arguments = ("--images", "pictures", "--workspace", f"s3://{BUCKET}/ill")
        self.done = program(*arguments, "-r", "emr", "--mrjob-conf", "ill.conf")
        self.after, self.clusters = account.standing(), account.clusters[known:]


@pytest.fixture(scope="module")
def failed(program: Program, account: Account) -> Failed:
    return Failed(program, account)


def test_a_failed_step_says_what_python_said(failed: Failed):
    (line,) = [x for x in failed.done.stderr.splitlines() if x.startswith("mapsight: error")]
    assert "extract_features.py: " in line and "RuntimeError: the disk is on fire" in line
    assert failed.done.returncode == 1


def test_nothing_is_billed_on_after_a_failure(failed: Failed):
    assert [cluster.state for cluster in failed.clusters] == ["TERMINATED"]
    assert failed.before == failed.after


def test_sigterm_ends_the_cluster(program: Program, account: Account):
    known = len(account.clusters)
    arguments = ("--images", "pictures", "--workspace", f"s3://{BUCKET}/stopped")
    run = program.start(*arguments, "-r", "emr", "--mrjob-conf", "near.conf")
    while run.poll() is None and len(account.clusters) == known:
        time.sleep(0.1)
    run.terminate()
    _, said = run.communicate(timeout=60)
    assert [cluster.state for cluster in account.clusters[known:]] == ["TERMINATED"], said


def test_a_cluster_that_a_killed_run_left_is_ended_by_the_next(
    program: Program, finished: Finished, account: Account
):
    where = hashlib.sha256(WORKSPACE.encode()).hexdigest()[:16]
    left, other = account.cluster(f"mapsight-{where}-killed.me"), account.cluster("mapsight-mine")
    again = on_emr(program, "--images", "pictures", "--workspace", WORKSPACE)
    assert f"ended EMR cluster {left}, which an earlier run left" in again.stderr
    assert (account.state(left), account.state(other)) == ("TERMINATED", "WAITING")


def test_a_role_that_is_not_there_is_named_and_none_is_made(program: Program, account: Account):
    before, known = account.standing(), len(account.clusters)
    (program.folder / "role.conf").write_text("runners: {emr: {iam_service_role: nobody}}\n")
    arguments = ("--images", "pictures", "--workspace", f"s3://{BUCKET}/role")
    done = program(*arguments, "-r", "emr", "--mrjob-conf", "role.conf")
    assert "no role nobody" in done.stderr
    assert (account.standing(), len(account.clusters)) == (before, known)


def test_a_bucket_that_is_not_there_is_named_and_not_made(program: Program, account: Account):
    before = account.standing()
    done = on_emr(program, "--images", "pictures", "--workspace", "s3://no-such-bucket/x")
    assert done.returncode == 1 and "bucket no-such-bucket does not exist" in done.stderr
    assert account.standing() == before


def test_a_dry_run_names_cluster_and_jobs_and_asks_nobody(program: Program):
    nobody = {**program.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    elsewhere = Program(nobody, program.folder)
    told = elsewhere.ok(
        *("--images", "pictures", "--workspace", WORKSPACE, "-r", "emr", "--dry-run"),
        *("--num-core-instances", "4", "--spot", "0.1"),
    )
    assert "emr-7.13.0, 1 MASTER m5.xlarge on demand, 1 CORE m5.xlarge on demand, 3 TASK" in told
    assert "extract: mr_jobs/extract_features.py" in told
    size = sum(path.stat().st_size for path in (program.folder / "pictures").iterdir())
    assert f"upload: the pictures that are packed here, about {size:,} bytes" in told
    (model,) = Path(program.environment["MAPSIGHT_MODEL_CACHE"]).glob("*_0.25_128_float32.tflite")
    assert f"upload once: {model}, {model.stat().st_size:,} bytes" in told
