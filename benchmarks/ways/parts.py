"""What extract takes for a picture, by part, in this checkout and in others, in one run.

    python -m benchmarks.ways.parts --pictures FOLDER [--checkout FOLDER…] [--count 200]
        [--rounds 3] [--model FILE.tflite] [--resized 1024x768]

Milliseconds of processor time on one core. Each round measures every checkout once, in a
process of its own, so that a machine that is busy for a while is so for all; the median of
the rounds is printed. `bare` is decoding, crop and model in turn in one process, `task` what
a map task does with its decoder, both together.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def each(what: Callable[[Any], object], values: Sequence[Any]) -> float:
    """Milliseconds of processor time for one of some values."""
    what(values[0])
    started = time.process_time()
    for value in values:
        what(value)
    return 1000 * (time.process_time() - started) / len(values)


def measured(pictures: Iterable[Path], model_file: str, size: tuple[int, int] | None) -> dict:
    """Milliseconds by part, of the library that Python finds."""
    from mapsight.features.decode import decode
    from mapsight.features.engines import load_model
    from mapsight.features.measures import dhash, measure
    from mapsight.features.preprocess import central_crop
    from mapsight.records import encode_embedding

    data = [_resized(path, size) if size else path.read_bytes() for path in pictures]
    model = load_model("litert", model_file)
    side = model.resolution
    decoded = [decode(one) for one in data]
    crops = [central_crop(one.image, side) for one in decoded]
    greys = [one.image.convert("L") for one in decoded]
    embeddings = [model.predict(crop)[1] for crop in crops[:20]]
    return {
        "decode": each(decode, data),
        "crop": each(lambda one: central_crop(one.image, side), decoded),
        "measures": each(measure, decoded),
        "of these, hash": each(dhash, greys),
        "of these, flags": _tones([one.image for one in decoded]),
        "model": each(model.predict, crops),
        "encode": each(encode_embedding, embeddings),
        "bare": each(lambda one: model.predict(central_crop(decode(one).image, side)), data),
        "task": _task(data, model),
    }


def _tones(images: Iterable[Any]) -> float:
    """Milliseconds for what flags are made of; 0 where the library has none."""
    from mapsight.features.measures import grey_working

    try:
        from mapsight.features.tones import tones
    except ModuleNotFoundError:
        return 0.0
    return each(lambda one: tones(*one), [(grey_working(image), image) for image in images])


def _resized(path: Path, size: tuple[int, int]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


def _task(data: Sequence[bytes], model: Any) -> float:
    """Milliseconds of a mapper and its decoder together, without their start."""
    from mapsight.features.decoder_process import Decoder
    from mapsight.features.extract import extract_features
    from mapsight.inputs.shards import Image

    def spent(some: Sequence[bytes]) -> float:
        children = _used(resource.RUSAGE_CHILDREN)
        started = _used(resource.RUSAGE_SELF)
        images = (Image(f"{n:016x}", "", n, one) for n, one in enumerate(some))
        with Decoder(side=model.resolution) as decoder:
            for _, record in extract_features(images, model, decoder):
                json.dumps(record)
        return _used(resource.RUSAGE_SELF) - started + _used(resource.RUSAGE_CHILDREN) - children

    few = data[: max(1, len(data) // 10)]
    return 1000 * (spent(data) - spent(few)) / (len(data) - len(few))


def _used(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure_checkout(checkout: Path, arguments: Sequence[str]) -> dict[str, float]:
    """Run `measured` in a process that finds the library of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), **dict.fromkeys(ENVIRONMENT, "1")}
    command = [sys.executable, str(Path(__file__).resolve()), "--child", *arguments]
    done = subprocess.run(command, env=environment, cwd=checkout, stdout=-1, check=True)
    return json.loads(done.stdout)


def table(rounds: Sequence[Sequence[dict[str, float]]], names: Sequence[str]) -> str:
    """Markdown: a line a checkout, medians of the rounds."""
    parts = list(rounds[0][0])
    lines = [f"| checkout | {' | '.join(parts)} |", "|---" * (len(parts) + 1) + "|"]
    for number, name in enumerate(names):
        medians = [statistics.median(one[number][part] for one in rounds) for part in parts]
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in medians)} |")
    return "\n".join(lines) + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.ways.parts")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of loose pictures")
    parser.add_argument("--checkout", type=Path, nargs="+", default=[], help="others, older ones")
    parser.add_argument("--count", type=int, default=200, help="pictures (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--model", help="LiteRT file (default: MobileNet 1.0/224, built)")
    parser.add_argument("--resized", metavar="WxH", help="JPEGs of this size are made of them")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print the table."""
    options = _options()
    files = sorted(options.pictures.iterdir())
    files = files[:: max(1, len(files) // options.count)][: options.count]
    if options.child:
        size = tuple(map(int, options.resized.split("x"))) if options.resized else None
        json.dump(measured(files, options.model, size), sys.stdout)
        return
    if not options.model:
        from driver.stages.model import find_model

        options.model = str(find_model(1.0, 224, "float32").path.resolve())
    arguments = [f"--pictures={options.pictures.resolve()}", f"--count={options.count}"]
    arguments += [f"--model={options.model}"]
    arguments += [f"--resized={options.resized}"] if options.resized else []
    checkouts = [*(path.resolve() for path in options.checkout), ROOT]
    rounds = [
        [measure_checkout(checkout, arguments) for checkout in checkouts]
        for _ in range(options.rounds)
    ]
    sys.stdout.write(table(rounds, [path.name for path in checkouts]))


if __name__ == "__main__":
    main()
