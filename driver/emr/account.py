"""What the driver asks of an AWS account: is all there, which clusters run, and end them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from driver.errors import Failure, UsageError

__all__ = ["LIVING", "Account"]

LIVING = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
ROLES_ADVICE = (
    "make the default ones once with `aws emr create-default-roles`, or name yours in --mrjob-conf"
)


@contextlib.contextmanager
def _asking(what: str) -> Iterator[None]:
    """Say in one line what AWS refused.

    Raises:
        Failure: the service answered with an error, or cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        line = f"{answer.get('Code', '')}: {answer.get('Message', '')}".strip(": ")
        advice = f"; {ROLES_ADVICE}" if "role" in line.lower() or "profile" in line.lower() else ""
        raise Failure(f"EMR: {what}: {line or error}{advice}", str(error)) from error
    except BotoCoreError as error:
        raise Failure(f"EMR: {what}: {error}", repr(error)) from error


class Account:
    """An account as boto3 finds it: by its variables, files, or the role of the machine."""

    def __init__(self, region: str | None) -> None:
        """`region` of the configuration; None takes what AWS's own settings say.

        Raises:
            UsageError: neither says.
        """
        import boto3

        session = boto3.session.Session()
        self.region = region or session.region_name
        if not self.region:
            raise UsageError("-r emr: no region; set AWS_DEFAULT_REGION, or region in --mrjob-conf")
        self._session = session

    def _client(self, service: str) -> Any:
        return self._session.client(service, region_name=self.region)

    @contextlib.contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Say in one line what AWS refused of a call that somebody else makes."""
        with _asking(what):
            yield

    def check_roles(self, service_role: str | None, profile: str | None) -> None:
        """Refuse to go on without the roles of clusters: mrjob would make some, and leave them.

        Raises:
            Failure: one is not named or not there. One that may not be looked at passes.
        """
        from botocore.exceptions import ClientError

        if not (service_role and profile):
            wanted = "iam_service_role and iam_instance_profile"
            raise Failure(f"EMR: {wanted} must be named in mrjob.conf; {ROLES_ADVICE}")
        iam = self._client("iam")
        for kind, name, ask, key in (
            ("role", service_role, iam.get_role, "RoleName"),
            ("instance profile", profile, iam.get_instance_profile, "InstanceProfileName"),
        ):
            with _asking("the roles cannot be looked up"):
                try:
                    ask(**{key: name})
                except ClientError as error:
                    code = error.response.get("Error", {}).get("Code")
                    if code == "NoSuchEntity":
                        raise Failure(f"EMR: no {kind} {name}; {ROLES_ADVICE}") from error
                    if code not in ("AccessDenied", "AccessDeniedException"):
                        raise

    def clusters(self, prefix: str) -> list[str]:
        """Return the clusters that cost something now, with names that begin so."""
        with _asking("clusters cannot be listed"):
            pages = self._client("emr").get_paginator("list_clusters")
            answers = list(pages.paginate(ClusterStates=LIVING))
        return [
            each["Id"]
            for page in answers
            for each in page["Clusters"]
            if each["Name"].startswith(prefix)
        ]

    def state(self, cluster: str) -> str:
        """Return the state of a cluster, in EMR's words."""
        with _asking(f"cluster {cluster}"):
            description = self._client("emr").describe_cluster(ClusterId=cluster)
        return description["Cluster"]["Status"]["State"]

    def terminate(self, clusters: list[str]) -> None:
        """End clusters; what they cost ends with them."""
        if clusters:
            with _asking(f"{', '.join(clusters)} cannot be ended"):
                self._client("emr").terminate_job_flows(JobFlowIds=clusters)

    def cancel(self, cluster: str, prefix: str) -> list[str]:
        """Cancel the steps of a cluster with names that begin so; return their ids."""
        emr = self._client("emr")
        with _asking(f"steps of {cluster} cannot be cancelled"):
            pages = emr.get_paginator("list_steps")
            states = ["PENDING", "RUNNING"]
            steps = [
                step["Id"]
                for page in pages.paginate(ClusterId=cluster, StepStates=states)
                for step in page["Steps"]
                if step["Name"].startswith(prefix)
            ]
            if steps:
                emr.cancel_steps(ClusterId=cluster, StepIds=steps)
        return steps
