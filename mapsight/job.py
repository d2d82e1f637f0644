"""What every job shares: the library sent along, options, side files, counters, forms of records.

The one module of the library that knows mrjob. Only jobs import it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep

from mapsight.application import without_pandas

__all__ = ["MRStep", "MapsightJob", "RecordsJob", "SplitsJob"]

LIBRARY = Path(__file__).resolve().parent


class MapsightJob(MRJob):
    """A job whose records are JSON, between its steps and at the end.

    Attributes:
        counts: how much to add to each counter, by (group, name). They are reported when a
            task ends; one that takes long calls `report_counts` in between.
    """

    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol

    def __init__(self, args: Sequence[str] | None = None) -> None:
        super().__init__(args)
        self.counts: Counter[tuple[str, str]] = Counter()

    @classmethod
    def run(cls) -> None:
        """Run what the command line asks for, in this process, which is the job's or a task's."""
        without_pandas()
        super().run()

    def dirs(self) -> list[str]:
        """Return the folders that tasks get: those of DIRS, and the library as `mapsight`.

        mrjob takes DIRS relative to the job's file; the library is where this file is.
        """
        return [*super().dirs(), f"{LIBRARY}#mapsight"]

    def configure_args(self) -> None:
        """Declare options; subclasses add theirs."""
        self._needed: list[str] = []
        super().configure_args()

    def add_file_arg(self, name: str, *, needed: bool = False, **settings: Any) -> None:
        """Add an option for a file that is sent along; `needed`: the job does not start without."""
        super().add_file_arg(name, **settings)
        self._needed += [name] if needed else []

    def add_passthru_arg(self, name: str, *, needed: bool = False, **settings: Any) -> None:
        """Add an option that tasks get too; `needed`: the job does not start without."""
        super().add_passthru_arg(name, **settings)
        self._needed += [name] if needed else []

    def load_args(self, args: Sequence[str]) -> None:
        """Read the options; end with status 2 and a line that names those that are missing."""
        super().load_args(args)
        # with argparse's own `required`, mrjob's --help would ask for them too
        given = vars(self.options)
        missing = [one for one in self._needed if not given[one[2:].replace("-", "_")]]
        if missing:
            self.arg_parser.error(f"the following arguments are required: {', '.join(missing)}")

    def read_json(self, option: str) -> Any:
        """Return the JSON document in the file that an option names; {} if it was not given."""
        path = getattr(self.options, option)
        return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}

    def report_counts(self) -> None:
        """Add `counts` to the job's counters, and begin anew."""
        for (group, name), count in sorted(self.counts.items()):
            self.increment_counter(group, name, count)
        self.counts.clear()

    def execute(self) -> None:
        """Run the task (or, where it is none, the job), and report what it counted."""
        super().execute()
        self.report_counts()


class RecordsJob(MapsightJob):
    """A job over `key, value` lines of JSON, as other jobs write them; small files share a task."""

    INPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF: ClassVar[dict[str, Any]] = {"stream.map.input.ignoreKey": "true"}


class SplitsJob(MapsightJob):
    """A job over a manifest, each line of which is a map task: a share of the input, in JSON."""

    INPUT_PROTOCOL = RawValueProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF: ClassVar[dict[str, Any]] = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
    }
