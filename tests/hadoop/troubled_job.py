"""A job that counts, and then gets into the trouble that it is asked for."""

import os
import signal
import sys
import time
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol


class MRTroubledJob(MRJob):
    """One map a line of input; a line that says `fine` stays out of trouble."""

    INPUT_PROTOCOL = OUTPUT_PROTOCOL = RawValueProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"

    def jobconf(self):
        own = {"stream.map.input.ignoreKey": "true", "mapreduce.map.maxattempts": 1}
        return {**super().jobconf(), **own}

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--trouble")

    def mapper(self, _, line):
        self.increment_counter("images", "read", 16)
        self.increment_counter("progress", "rejected", 1)
        if line != "fine":
            getattr(self, f"trouble_{self.options.trouble}")(line)
        yield None, line

    def trouble_none(self, line):
        pass

    def trouble_sleep(self, line):
        for _ in range(600):
            self.set_status("asleep")
            time.sleep(1)

    def trouble_master(self, line):
        if os.environ["CONTAINER_ID"].endswith("_000001"):
            raise ValueError("no container of its own")

    def trouble_silence(self, line):
        time.sleep(600)

    def trouble_error(self, line):
        print("a warning of a library", file=sys.stderr)
        try:
            raise KeyError("7")
        except KeyError as error:
            raise ValueError(f"{line}: 7 is not a picture of zwölf") from error

    def trouble_memory(self, line):
        held = bytearray(10**9)
        held[::4096] = b"1" * len(held[::4096])
        time.sleep(600)

    def trouble_kill(self, line):
        os.kill(os.getpid(), signal.SIGKILL)

    def trouble_term(self, line):
        os.kill(os.getpid(), signal.SIGTERM)

    def trouble_segv(self, line):
        os.kill(os.getpid(), signal.SIGSEGV)

    def trouble_space(self, line):
        Path("/dev/full").write_text(line)

    def trouble_chatter(self, line):
        for number in range(40_000):
            print(f"{number}: {line * 10}", file=sys.stderr)
        raise ValueError("after much talk")

    def trouble_big(self, line):
        for _ in range(3000):
            sys.stdout.write("x" * 1000 + "\n")


if __name__ == "__main__":
    MRTroubledJob.run()
