"""mapsight.features.decoder_process: with real crashes, hangs and allocations in the child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from mapsight.features.decode import PictureError
from mapsight.features.decoder_child import NAME, Decoded, answer
from mapsight.features.decoder_process import Decoder, DecoderError
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

NAUGHTY = """
    import os, signal, sys, time
    from mapsight.features import decoder_child as sandbox

    def work(data, side, resize):
        if data == b"segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif data == b"hang":
            time.sleep(60)
        elif data == b"exit":
            os._exit(3)
        elif data == b"noise":
            os.write(1, b"x" * 1000), os.write(2, b"x" * 1000000)
        elif data == b"allocate":
            try:
                bytearray(1 << 30)
            except MemoryError:
                return sandbox.PictureError("out_of_memory", "1 GiB")
        elif data.startswith(b"once "):
            if not os.path.exists(data[5:]):
                open(data[5:], "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
        return sandbox.answer(data, side, resize)

    sandbox.main(work)
"""


@pytest.fixture
def naughty(tmp_path: Path) -> list[str]:
    script = tmp_path / "naughty.py"
    script.write_text(textwrap.dedent(NAUGHTY))
    return [sys.executable, str(script)]


def good(seed: int) -> bytes:
    return encoded(scribble(seed), "JPEG")


def code(result: Decoded | PictureError) -> str:
    return "ok" if isinstance(result, Decoded) else result.code


def assert_same(found: Decoded | PictureError, expected: Decoded | PictureError) -> None:
    assert isinstance(found, Decoded)
    assert isinstance(expected, Decoded)
    assert found.fields == expected.fields
    np.testing.assert_array_equal(found.crop, expected.crop)


@pytest.mark.parametrize("fork", [False, True])
def test_result_is_that_of_this_process(openimages_dir: Path, fork: bool):
    paths = sorted((openimages_dir / "images").iterdir())[:30]
    with Decoder(fork=fork) as decoder:
        for path, result in decoder.decode_all((path, path.read_bytes()) for path in paths):
            assert_same(result, answer(path.read_bytes(), 224))
        assert decoder.starts == 1


@pytest.mark.parametrize("fork", [False, True])
def test_errors_are_those_of_this_process(bad_dir: Path, fork: bool):
    paths = sorted(path for path in bad_dir.iterdir() if path.suffix != ".csv")
    with Decoder(side=32, fork=fork) as decoder:
        found = {p.name: code(r) for p, r in decoder.decode_all((p, p.read_bytes()) for p in paths)}
    assert found == {path.name: code(answer(path.read_bytes(), 32)) for path in paths}


def test_every_record_is_accounted_for_in_order(naughty: list[str]):
    data = [
        good(0),
        b"segv",
        good(1),
        b"hang",
        good(2),
        b"allocate",
        b"exit",
        b"exit",
        b"",
        good(3),
    ]
    codes = ["ok", "decoder_crashed", "ok", "decoder_timeout", "ok", "out_of_memory"]
    codes += ["decoder_crashed", "decoder_crashed", "empty", "ok"]
    with Decoder(side=32, seconds=1, command=naughty) as decoder:
        found = list(decoder.decode_all(enumerate(data)))
    assert [key for key, _ in found] == list(range(10))
    assert [code(result) for _, result in found] == codes
    assert_same(found[-1][1], answer(good(3), 32))


def test_crash_names_the_signal(naughty: list[str]):
    with Decoder(command=naughty) as decoder:
        assert str(decoder.decode(b"segv")) == "decoder_crashed: SIGSEGV"
        assert str(decoder.decode(b"exit")) == "decoder_crashed: exit status 3"


def test_a_child_killed_from_outside_costs_nothing(naughty: list[str], tmp_path: Path):
    once = b"once " + bytes(tmp_path / "killed")
    with Decoder(command=naughty) as decoder:
        assert code(decoder.decode(once)) == "not_an_image"
        os.kill(decoder._child.pid, signal.SIGKILL)
        assert code(decoder.decode(good(1))) == "ok"
        assert decoder.starts == 3


def test_noise_reaches_neither_the_answer_nor_the_log(naughty: list[str], capfd):
    with Decoder(command=naughty) as decoder:
        assert code(decoder.decode(b"noise")) == "not_an_image"
    assert capfd.readouterr() == ("", "")


def test_next_picture_is_decoded_while_the_caller_is_busy(naughty: list[str]):
    allowed = 3
    with Decoder(seconds=allowed, command=naughty) as decoder:
        results = decoder.decode_all(enumerate([good(0), good(1), b"hang"]))
        assert code(next(results)[1]) == "ok"
        time.sleep(allowed + 0.5)  # longer than allowed, but not by the decoder
        assert code(next(results)[1]) == "ok"
        time.sleep(allowed + 0.5)
        started = time.monotonic()
        assert code(next(results)[1]) == "decoder_timeout"
    assert time.monotonic() - started < allowed  # as it would take if it began now


def test_an_abandoned_answer_is_not_given_to_the_next():
    with Decoder(side=32) as decoder:
        next(decoder.decode_all(enumerate([good(0), good(1)])))
        assert_same(decoder.decode(good(2)), answer(good(2), 32))


def test_a_copy_has_a_name_and_no_file_of_its_parent():
    with Decoder(fork=True) as decoder:
        child = psutil.Process(decoder._child.pid)
        assert (child.name(), child.cmdline()) == (NAME, psutil.Process().cmdline())
        assert child.num_fds() <= 8


def test_a_killed_copy_is_replaced_by_a_new_process():
    with Decoder(fork=True) as decoder:
        os.kill(decoder._child.pid, signal.SIGKILL)
        assert_same(decoder.decode(good(1)), answer(good(1), 224))
        child = psutil.Process(decoder._child.pid)
        assert (decoder.starts, child.name()) == (2, NAME)
        assert "mapsight.features.decoder_child" in child.cmdline()


def test_the_side_may_be_set_when_the_child_runs():
    with Decoder(side=224, fork=True) as decoder:
        decoder.side = 96
        assert_same(decoder.decode(good(1)), answer(good(1), 96))


def test_a_parent_without_standard_streams(tmp_path: Path):
    program = f"""
        import os, sys
        os.closerange(0, 3)
        from mapsight.features.decoder_process import Decoder
        found = [Decoder(fork=fork).decode(b"").code for fork in (False, True)]
        open({str(tmp_path / "said")!r}, "w").write(" ".join(found))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=True)
    assert (tmp_path / "said").read_text() == "empty empty"


@pytest.mark.parametrize("fork", [False, True])
def test_memory_cap_on_a_real_picture(tmp_path: Path, fork: bool):
    (tmp_path / "data").write_bytes(encoded(scribble(1, 5000, 4000), "PNG", compress_level=1))
    program = f"""
        from mapsight.features.decoder_process import Decoded, Decoder
        data = open({str(tmp_path / "data")!r}, "rb").read()
        for memory in (120, 400):
            result = Decoder(memory=memory * 2**20, fork={fork}).decode(data)
            print("ok" if isinstance(result, Decoded) else result.code)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    assert subprocess.check_output(command, cwd=ROOT, text=True).split() == ["out_of_memory", "ok"]


def test_memory_is_left_after_a_picture_that_needed_too_much():
    data = encoded(scribble(1, 5000, 4000), "PNG", compress_level=1)
    with Decoder(memory=120 * 2**20) as decoder:
        assert [code(decoder.decode(one)) for one in (data, good(1))] == ["out_of_memory", "ok"]


def test_largest_allowed_pictures_fit_under_the_cap():
    data = encoded(np.zeros((8100, 8100, 3), np.uint8), "PNG", compress_level=1)
    with Decoder() as decoder:
        assert code(decoder.decode(data)) == "ok"


def test_a_file_too_large_to_hand_over():
    with Decoder(memory=100 * 2**20) as decoder:
        found = [r for _, r in decoder.decode_all(enumerate([bytes(26 * 2**20), good(1)]))]
    assert [code(result) for result in found] == ["too_many_bytes", "ok"]


@pytest.mark.parametrize("words", ["raise SystemExit('no luck')", "print('x' * 100, flush=True)"])
def test_a_child_that_cannot_start_is_no_pictures_fault(words: str):
    with pytest.raises(DecoderError, match="does not start: exit status"):
        Decoder(command=[sys.executable, "-c", words]).decode(good(1))


def test_a_first_child_that_is_killed_while_it_starts_is_replaced(tmp_path: Path):
    words = (
        "import os, sys; from mapsight.features.decoder_child import main;"
        "first = not os.path.exists(sys.argv[1]); open(sys.argv[1], 'w').close();"
        "sys.exit('killed') if first else main()"
    )
    with Decoder(command=[sys.executable, "-c", words, str(tmp_path / "mark")]) as decoder:
        assert code(decoder.decode(good(1))) == "ok"


def test_a_missing_program_is_named():
    with pytest.raises(DecoderError, match="no/such/program"):
        Decoder(command=["no/such/program"]).__enter__()


def test_a_child_that_cannot_start_again_is_given_up(naughty: list[str]):
    decoder = Decoder(command=naughty)
    assert code(decoder.decode(good(1))) == "ok"
    decoder.command = [sys.executable, "-c", "raise SystemExit(7)"]
    with pytest.raises(DecoderError, match="exit status 7"):
        decoder.decode(b"segv")


def test_any_working_folder_will_do(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert code(Decoder().decode(good(1))) == "ok"


def gone(pid: int) -> bool:
    """Whether a process ends within five seconds (an unreaped one has ended)."""
    status = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            if status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("data", "fork"), [(b"hang", False), (b"idle", False), (b"idle", True)])
def test_child_dies_with_a_killed_parent(naughty: list[str], data: bytes, fork: bool):
    program = f"""
        from mapsight.features.decoder_process import Decoder
        with Decoder(command={naughty!r}, fork={fork}) as decoder:
            print(decoder._child.pid, flush=True)
            decoder.decode({data!r})
            input()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    assert gone(child)


def test_closing_ends_the_child():
    with Decoder() as decoder:
        child = decoder._child.pid
    assert gone(child)


def test_large_picture_and_answer_cross_the_pipes():
    image = Image.effect_noise((1500, 1500), 90).convert("RGB")
    data = encoded(np.asarray(image))
    assert len(data) > 1_000_000
    with Decoder(side=512) as decoder:
        assert_same(decoder.decode(data), answer(data, 512))
