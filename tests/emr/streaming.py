"""What is a program on EMR's master, played on one machine: `hadoop-streaming`, `aws`, `yarn`.

    python tests/emr/streaming.py PROGRAM ARGUMENTS…

Jobs run task by task: each in a folder of its own with the job's files and unpacked archives, and
with no variables but those that EMR's containers have. $EMR_PLAYED is a folder that outlives them.
"""

from __future__ import annotations

import gzip
import html
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zlib
from collections import Counter
from pathlib import Path
from urllib.parse import quote

PLAYED = Path(os.environ["EMR_PLAYED"])
GIVEN = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
COUNTER = re.compile(r"^reporter:counter:([^,]*),([^,]*),(-?\d+)$")
NLINE = "org.apache.hadoop.mapred.lib.NLineInputFormat"
COMBINED = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"


def split_address(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


class Store:
    """S3, asked without boto3, which takes longer to import than a step to run."""

    def __init__(self) -> None:
        scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_DEFAULT_REGION']}/s3"
        self.headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request",
            "Content-Type": "application/octet-stream",  # as a form moto would store nothing
        }

    def ask(self, path: str, data: bytes | None = None) -> bytes:
        url = f"{os.environ['AWS_ENDPOINT_URL']}/{path}"
        method = "GET" if data is None else "PUT"
        request = urllib.request.Request(url, data, self.headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def read(self, address: str) -> bytes:
        return self.ask(quote("/".join(split_address(address))))

    def write(self, address: str, data: bytes) -> None:
        self.ask(quote("/".join(split_address(address))), data)

    def files(self, address: str) -> list[str]:
        """A file, or those of a folder that Hadoop does not hide, by name."""
        bucket, key = split_address(address)
        listing = self.ask(f"{bucket}?list-type=2&prefix={quote(key, safe='')}").decode()
        assert "<IsTruncated>true" not in listing
        keys = [html.unescape(name) for name in re.findall("<Key>(.*?)</Key>", listing)]
        inside = [name for name in keys if name == key or name.startswith(f"{key.rstrip('/')}/")]
        shown = [name for name in inside if Path(name).name[0] not in "_."]
        return [f"s3://{bucket}/{name}" for name in sorted(shown)]


def parsed(arguments: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Options by name, and the job's configuration."""
    options: dict[str, list[str]] = {}
    for flag, value in zip(arguments[::2], arguments[1::2], strict=True):
        assert flag.startswith("-"), flag
        options.setdefault(flag, []).append(value)
    return options, dict(pair.split("=", 1) for pair in options.get("-D", ()))


class Job:
    """One run of `hadoop-streaming`."""

    def __init__(self, arguments: list[str]) -> None:
        self.options, self.conf = parsed(arguments)
        known = {"-files", "-archives", "-D", "-input", "-output", "-mapper", "-reducer"}
        known |= {"-inputformat", "-partitioner", "-cmdenv", "-combiner"}
        assert self.options.keys() <= known, self.options.keys() - known
        self.store, self.counters = Store(), Counter[tuple[str, str]]()
        self.application = f"application_{os.getpid()}_0001"
        self.tasks = 0

    def one(self, flag: str) -> str:
        return self.options.get(flag, [""])[0]

    def said(self, text: str) -> None:
        sys.stderr.write(f"2026-01-01 12:00:00,000 INFO mapreduce.Job: {text}\n")
        sys.stderr.flush()

    def run(self) -> int:
        if self.store.files(self.one("-output")):
            self.said(f"Output directory {self.one('-output')} already exists")
            return 1
        self.said(f"Submitted application {self.application}")
        try:
            self.write(self.reduced([self.task("-mapper", split) for split in self.splits()]))
        except subprocess.CalledProcessError as error:
            self.said(f"Task Id : attempt_{self.tasks}, Status : FAILED")
            self.said(f"PipeMapRed: subprocess failed with code {error.returncode}")
            return 1
        self.tell()
        return 0

    def tell(self) -> None:
        self.said("map 100% reduce 100%")
        lines = [f"Counters: {len(self.counters)}"]
        for group in sorted({group for group, _ in self.counters}):
            lines.append(f"\t{group}")
            lines += [f"\t\t{n}={v}" for (g, n), v in sorted(self.counters.items()) if g == group]
        self.said("\n".join(lines))

    def splits(self) -> list[list[bytes]]:
        """Lines for each map task: those of one line each, or all in one."""
        assert self.conf["stream.map.input.ignoreKey"] == "true"
        assert self.one("-inputformat") in (NLINE, COMBINED)
        files = [file for address in self.options["-input"] for file in self.store.files(address)]
        lines = [line for file in files for line in self.lines(file)]
        return [[line] for line in lines] if self.one("-inputformat") == NLINE else [lines]

    def lines(self, address: str) -> list[bytes]:
        data = self.store.read(address)
        return (gzip.decompress(data) if address.endswith(".gz") else data).splitlines(True)

    def reduced(self, mapped: list[bytes]) -> list[bytes]:
        """The output, by partition."""
        if not self.one("-reducer"):
            return mapped
        count = int(self.conf.get("mapreduce.job.reduces", 1))
        parts: list[list[bytes]] = [[] for _ in range(count)]
        for line in b"".join(mapped).splitlines(True):
            parts[zlib.crc32(line.split(b"\t", 1)[0]) % count].append(line)
        return [self.task("-reducer", sorted(part)) for part in parts]

    def write(self, outputs: list[bytes]) -> None:
        packed = self.conf.get("mapreduce.output.fileoutputformat.compress", "").lower() == "true"
        for number, data in enumerate(outputs):
            name = f"{self.one('-output').rstrip('/')}/part-{number:05d}"
            body = gzip.compress(data) if packed else data
            self.store.write(f"{name}.gz" if packed else name, body)
        self.store.write(f"{self.one('-output').rstrip('/')}/_SUCCESS", b"")

    def task(self, flag: str, lines: list[bytes]) -> bytes:
        """The output of a mapper or reducer that reads these lines."""
        self.tasks += 1
        with tempfile.TemporaryDirectory(prefix="container-", dir=PLAYED) as folder:
            self.furnish(Path(folder))
            done = subprocess.run(
                shlex.split(self.one(flag)),
                input=b"".join(lines),
                capture_output=True,
                cwd=folder,
                env=self.environment(folder),
            )
        self.listen(done.stderr.decode("utf-8", "replace"))
        self.counters["Map-Reduce Framework", "Launched tasks"] += 1
        if done.returncode:
            log = PLAYED / "logs" / self.application
            log.parent.mkdir(exist_ok=True)
            log.write_bytes(done.stderr)
            raise subprocess.CalledProcessError(done.returncode, flag)
        return done.stdout

    def environment(self, folder: str) -> dict[str, str]:
        """Nothing of the developer's; the variables stand for the role of the machine."""
        clean = {"PATH": f"{PLAYED / 'node'}:/usr/bin:/bin", "HOME": folder, "LANG": "C"}
        given = {name: os.environ[name] for name in GIVEN}
        conf = {name.replace(".", "_"): value for name, value in self.conf.items()}
        named = dict(pair.split("=", 1) for pair in self.options.get("-cmdenv", ()))
        return {**conf, **named, **given, **clean}

    def furnish(self, folder: Path) -> None:
        """Put the job's files and what is in its archives where the task sees them."""
        for flag in ("-files", "-archives"):
            for item in filter(None, self.one(flag).split(",")):
                address, name = item.split("#")
                if flag == "-files":
                    (folder / name).write_bytes(self.store.read(address))
                    (folder / name).chmod(0o500)
                else:
                    (folder / name).symlink_to(self.unpacked(address))

    def unpacked(self, address: str) -> Path:
        """An archive's folder, as YARN's cache keeps it."""
        folder = PLAYED / "cache" / f"{zlib.crc32(address.encode()):08x}"
        if not folder.exists():
            archive = folder.with_suffix(".tar.gz")
            archive.parent.mkdir(exist_ok=True)
            archive.write_bytes(self.store.read(address))
            with tarfile.open(archive) as tar:
                tar.extractall(folder)
        return folder

    def listen(self, stderr: str) -> None:
        for line in stderr.splitlines():
            if found := COUNTER.match(line):
                self.counters[found[1], found[2]] += int(found[3])


def aws(arguments: list[str]) -> int:
    """`aws s3 cp --only-show-errors FROM TO`, one of them on S3."""
    *how, source, target = arguments
    assert how == ["s3", "cp", "--only-show-errors"], how
    if source.startswith("s3://"):
        Path(target).write_bytes(Store().read(source))
    else:
        Store().write(target, Path(source).read_bytes())
    return 0


def yarn(arguments: list[str]) -> int:
    """`yarn logs -applicationId ID -log_files stderr`."""
    assert arguments[:2] == ["logs", "-applicationId"], arguments
    assert arguments[3:] == ["-log_files", "stderr"], arguments
    sys.stdout.buffer.write((PLAYED / "logs" / arguments[2]).read_bytes())
    return 0


if __name__ == "__main__":
    programs = {"hadoop-streaming": lambda given: Job(given).run(), "aws": aws, "yarn": yarn}
    sys.exit(programs[sys.argv[1]](sys.argv[2:]))
