"""Counts words, and tells standard error what a task can see of the world."""

import os
import sys

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol


class MRWordCount(MRJob):
    INTERNAL_PROTOCOL = OUTPUT_PROTOCOL = StandardJSONProtocol

    def mapper_init(self):
        seen = {name: os.environ.get(name) for name in ("PATH", "SECRET_OF_THE_DEVELOPER")}
        sys.stderr.write(f"the task sees {seen}\n")

    def mapper(self, _, line):
        for word in line.split():
            yield word, 1

    def combiner(self, word, counts):
        yield word, sum(counts)

    def reducer(self, word, counts):
        yield word, sum(counts)


if __name__ == "__main__":
    MRWordCount.run()
