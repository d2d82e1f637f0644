"""An AWS account on loopback: moto plays its services, a thread the machines of EMR's clusters."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

REGION = "eu-west-1"
BUCKET = "pictures-of-mine"
PROGRAMS = ("hadoop-streaming", "aws", "yarn")
TICK = 0.2


class Account:
    """What an account has, and what its clusters did: `log` has a line for each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, list[str]()
        # with the other import of moto the dearest of all tests: not before it is needed
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._done = threading.Event()
        self._machines = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Account:
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        self._furnish()
        self._machines.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._machines.join()
        self._server.stop()

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def _furnish(self) -> None:
        # moto keeps what an earlier account of this process had
        reset = f"{self.environment['AWS_ENDPOINT_URL']}/moto-api/reset"
        urllib.request.urlopen(urllib.request.Request(reset, method="POST")).close()
        self.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        iam = self.client("iam")
        for role in ("EMR_DefaultRole", "EMR_EC2_DefaultRole"):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="EMR_EC2_DefaultRole")
        master, node = self.folder / "master", self.folder / "node"
        for place in (master, node):
            place.mkdir(parents=True)
        for name in PROGRAMS:
            program = master / name
            tool = Path(__file__).with_name("streaming.py")
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tool}" {name} "$@"\n')
            program.chmod(0o755)
        base = Path(sys._base_executable)  # type: ignore[attr-defined]
        for name in ("python3", f"python3.{sys.version_info.minor}"):
            (master / name).symlink_to(base)
            (node / name).symlink_to(base)

    @property
    def clusters(self) -> list[Any]:
        """All that were ever started, in order; moto keeps them under a region of its choice."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.emr.models import emr_backends

        regions = emr_backends[DEFAULT_ACCOUNT_ID].values()
        return [cluster for region in list(regions) for cluster in region.clusters.values()]

    def _serve(self) -> None:
        while not self._done.wait(TICK):
            for cluster in self.clusters:
                for application in cluster.applications:  # moto knows no versions
                    application.version = "3.4.2-amzn-0"
                for step in list(cluster.steps):
                    if step.state in ("PENDING", "RUNNING") and cluster.state != "TERMINATED":
                        self._perform(cluster, step)

    def _perform(self, cluster: Any, step: Any) -> None:
        """Run a step as EMR's master does, in a folder of its own."""
        step.start()
        step.state = "RUNNING"
        assert step.hadoop_jar_step["Jar"] == "command-runner.jar"
        place = self.folder / "steps" / step.id
        place.mkdir(parents=True)
        path = f"{self.folder / 'master'}:/usr/bin:/bin"
        played = {"PATH": path, "EMR_PLAYED": str(self.folder), **self.environment}
        done = subprocess.run(
            step.hadoop_jar_step["Args"], cwd=place, env=played, capture_output=True, text=True
        )
        step.state = "FAILED" if done.returncode else "COMPLETED"
        self.log.append(f"{cluster.id} {step.id} {step.state} {step.name}\n{done.stderr[-2000:]}")
        logs = f"logs/{cluster.id}/steps/{step.id}/stderr"
        self.client("s3").put_object(Bucket=BUCKET, Key=logs, Body=done.stderr.encode())

    def cluster(self, name: str) -> str:
        """Start one as others do; its id."""
        machine = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
        instances = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceGroups": [machine]}
        return self.client("emr").run_job_flow(
            Name=name,
            ReleaseLabel="emr-7.13.0",
            Instances=instances,
            Applications=[{"Name": "Hadoop"}],
        )["JobFlowId"]

    def state(self, name: str) -> str:
        """The state of a cluster."""
        return next(cluster.state for cluster in self.clusters if cluster.id == name)

    def standing(self) -> dict[str, list[str]]:
        """Buckets and roles."""
        buckets = self.client("s3").list_buckets()["Buckets"]
        roles = self.client("iam").list_roles()["Roles"]
        profiles = self.client("iam").list_instance_profiles()["InstanceProfiles"]
        return {
            "buckets": sorted(each["Name"] for each in buckets),
            "roles": sorted(each["RoleName"] for each in roles),
            "profiles": sorted(each["InstanceProfileName"] for each in profiles),
        }

    def keys(self, prefix: str = "") -> dict[str, int]:
        """What the bucket holds, with sizes."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = [
            each
            for page in pages.paginate(Bucket=BUCKET, Prefix=prefix)
            for each in page.get("Contents", ())
        ]
        return {each["Key"]: each["Size"] for each in found}


def start(folder: Path) -> Account:
    """An account that has nothing but a bucket and EMR's default roles."""
    return Account(folder)
