"""How fast this machine runs the model in float32 and in int8: measured once, then read.

Only processors with instructions for it (VNNI and its like) gain from int8. What is
timed is all of MobileNet but its head, with made-up weights: they do not change how
long it takes, and so neither weights nor TensorFlow are needed.
"""

from __future__ import annotations

import contextlib
import json
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.features.weights import model_cache_dir
from mapsight.files import fingerprint, write_whole

if TYPE_CHECKING:
    import numpy as np

__all__ = ["BLOCKS", "Speed", "convolutions", "speed"]

BLOCKS = (
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512),) * 5,
    *((2, 1024), (1, 1024)),
)
"""(stride, channels out) of MobileNet's separable convolutions: Howard et al. 2017, table 1."""

SECONDS = 2.0
STEP = 6 / 255  # of activations, which ReLU6 holds between 0 and 6
_WORTH = 1.1


@dataclass(frozen=True)
class Speed:
    """Processor seconds a picture of the model's convolutions, on one core of a processor."""

    processor: str
    float32: float
    int8: float

    @property
    def gain(self) -> float:
        """Return how many times as fast int8 is."""
        return self.float32 / self.int8

    def sentence(self) -> str:
        """Return what to say of it.

        >>> Speed("Zen 3", 0.0184, 0.0177).sentence()
        'int8 is no faster than float32 on this machine (Zen 3: 17.7 and 18.4 ms a picture)'
        """
        times = "no faster than" if self.gain < _WORTH else f"{self.gain:.1f} times as fast as"
        both = f"{1000 * self.int8:.1f} and {1000 * self.float32:.1f} ms a picture"
        return f"int8 is {times} float32 on this machine ({self.processor}: {both})"


def speed(alpha: float, resolution: int, cache: Path | None = None) -> Speed | None:
    """Return how fast this machine is; it takes two seconds, but for the first time.

    Args:
        alpha, resolution: of the model.
        cache: folder that keeps it for this processor; the model cache where it is None.

    Returns:
        None where LiteRT is missing.
    """
    try:
        engine = version("ai-edge-litert")
    except ImportError:
        return None
    processor = _processor()
    facts = fingerprint([processor, platform.machine(), engine, alpha, resolution])
    path = (cache or model_cache_dir()) / f"speed_{alpha}_{resolution}_{facts}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Speed(**json.loads(path.read_text(encoding="utf-8")))
    measured = Speed(processor, **_measured(alpha, resolution))
    with contextlib.suppress(OSError):  # then it is measured again next time
        write_whole(path, json.dumps(asdict(measured), indent=1).encode())
    return measured


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _measured(alpha: float, resolution: int) -> dict[str, float]:
    """Medians of runs in turn, so that a machine that is busy for a while is so for both."""
    import numpy as np

    from mapsight.features.mobilenet import interpreter

    runs = {
        name: interpreter(model_content=convolutions(alpha, resolution, np.dtype(name)))
        for name in ("float32", "int8")
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        for name, run in runs.items():
            started = time.thread_time()
            run.invoke()
            seconds[name].append(time.thread_time() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def convolutions(alpha: float, resolution: int, dtype: np.dtype) -> bytes:
    """Return a LiteRT flatbuffer of MobileNet v1 up to its pooling, with made-up weights.

    Args:
        dtype: float32 or int8, of weights and activations.
    """
    import flatbuffers

    graph = _Graph(dtype)
    place = graph.activation(resolution, 3)
    inputs = [place]
    for kind, stride, channels in _layers(alpha):
        place = graph.convolve(place, kind, stride, channels)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(graph.model(inputs, [place]).Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _layers(alpha: float) -> Iterator[tuple[str, int, int]]:
    """Kind, stride and channels out of every convolution."""
    channels = int(32 * alpha)
    yield "whole", 2, channels
    for stride, wide in BLOCKS:
        yield "depthwise", stride, channels
        channels = int(wide * alpha)
        yield "pointwise", 1, channels


class _Graph:
    """A flatbuffer that grows by a layer at a time."""

    def __init__(self, dtype: np.dtype) -> None:
        import numpy as np
        from ai_edge_litert import schema_py_generated

        self._numpy, self._schema, self._int8 = np, schema_py_generated, dtype == np.int8
        self._random = np.random.default_rng(0)
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._buffers = [self._schema.BufferT()]  # the first one is empty: of what is computed

    def activation(self, side: int, channels: int) -> int:
        return self._tensor((1, side, side, channels), [STEP], -128)

    def convolve(self, source: int, kind: str, stride: int, channels: int) -> int:
        side, wide = self._tensors[source].shape[2:]
        kernel = 1 if kind == "pointwise" else 3
        depthwise = kind == "depthwise"
        shape = (1, 3, 3, wide) if depthwise else (channels, kernel, kernel, wide)
        weights = self._weights(shape, 3 if depthwise else 0)
        bias = self._bias(channels)
        target = self.activation(-(-side // stride), channels)
        options = (
            self._schema.DepthwiseConv2DOptionsT() if depthwise else self._schema.Conv2DOptionsT()
        )
        options.strideH = options.strideW = stride
        options.fusedActivationFunction = self._schema.ActivationFunctionType.RELU6
        if depthwise:
            options.depthMultiplier = 1
        self._add(int(depthwise), options, [source, weights, bias], target)
        return target

    def _add(self, code: int, options: Any, inputs: list[int], output: int) -> None:
        operator = self._schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
        kinds = self._schema.BuiltinOptions
        operator.builtinOptionsType = (kinds.Conv2DOptions, kinds.DepthwiseConv2DOptions)[code]
        operator.builtinOptions = options
        self._operators.append(operator)

    def _weights(self, shape: tuple[int, ...], axis: int) -> int:
        numbers = self._random.integers(-127, 128, shape)
        if not self._int8:
            return self._tensor(shape, data=numbers.astype("f4") / 1000)
        return self._tensor(shape, [0.001] * shape[axis], 0, axis, numbers.astype("i1"))

    def _bias(self, channels: int) -> int:
        zeros = self._numpy.zeros(channels, "i4" if self._int8 else "f4")
        return self._tensor((channels,), [0.001 * STEP] * channels, 0, 0, zeros)

    def _tensor(
        self,
        shape: tuple[int, ...],
        scales: list[float] | None = None,
        zero: int = 0,
        axis: int = 0,
        data: np.ndarray | None = None,
    ) -> int:
        tensor, types = self._schema.TensorT(), self._schema.TensorType
        tensor.shape, tensor.name = list(shape), f"tensor {len(self._tensors)}".encode()
        tensor.type = types.INT8 if self._int8 else types.FLOAT32
        tensor.buffer = 0
        if data is not None:
            tensor.type = types.INT32 if data.dtype == "i4" else tensor.type
            tensor.buffer = len(self._buffers)
            buffer = self._schema.BufferT()
            buffer.data = self._numpy.frombuffer(data.tobytes(), "u1")
            self._buffers.append(buffer)
        if self._int8 and scales:
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = [zero] * len(scales)
            tensor.quantization.quantizedDimension = axis
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def model(self, inputs: list[int], outputs: list[int]) -> Any:
        model, graph = self._schema.ModelT(), self._schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = inputs, outputs
        kinds = self._schema.BuiltinOperator
        model.version, model.subgraphs, model.buffers = 3, [graph], self._buffers
        model.operatorCodes = [
            self._code(kind) for kind in (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D)
        ]
        return model

    def _code(self, kind: int) -> Any:
        code = self._schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 3 if self._int8 else 1
        return code
