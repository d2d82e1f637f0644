"""An int8 model whose labels are those of the float32 one, as nearly as can be.

The converter's own int8 is mended in three ways. The head (pooling, classes,
softmax) stays in float32, 0.2 % of the arithmetic. Weights that lie on a grid
already, as those recomputed from a quantised model do, keep that grid as their
scale and so lose nothing; the converter takes a scale that puts the largest
weight at 127, between whose steps all others fall. And each layer's biases take
up the mean error that int8 leaves in its output (the empirical bias correction
of Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
Correction", ICCV 2019, arXiv:1906.04721).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mapsight.features.preprocess import to_model_input

__all__ = ["exact_step", "join", "mend"]

TYPES = {0: np.float32, 2: np.int32, 9: np.int8}
"""Of tensors, by the number that flatbuffers have for them."""

LEVELS = 127
BIAS_LIMIT = 2.0**30
LARGEST_CORRECTION = 0.2
LEAST_FREE = 0.02
"""Of a channel's values, below which its mean tells nothing of its bias."""

RELU6 = 6.0


class _File:
    """A flatbuffer taken apart: its convolutions in order, their arrays to read and to set."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
        self.graph = self.model.subgraphs[0]
        kinds = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
        codes = [code.builtinCode for code in self.model.operatorCodes]
        self.layers = [op for op in self.graph.operators if codes[op.opcodeIndex] in kinds]

    def tensor(self, index: int) -> Any:
        return self.graph.tensors[index]

    def array(self, index: int) -> np.ndarray:
        tensor = self.tensor(index)
        data = np.asarray(self.model.buffers[tensor.buffer].data, np.uint8)
        return np.frombuffer(data.tobytes(), TYPES[tensor.type]).reshape(tensor.shape)

    def set(self, index: int, array: np.ndarray, scale: np.ndarray) -> None:
        tensor = self.tensor(index)
        values = array.astype(TYPES[tensor.type])
        self.model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.quantization.scale = scale.astype(np.float32)

    def content(self) -> bytes:
        import flatbuffers

        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def mend(int8: bytes, float32: bytes, crops: Sequence[np.ndarray]) -> bytes:
    """Return the int8 flatbuffer with other scales of its weights, and biases corrected on crops.

    Args:
        int8, float32: the same convolutions, each but the last followed by ReLU6,
            as the converter made them.
        crops: (r, r, 3) uint8; without any, biases are not corrected.
    """
    file, exact = _File(int8), _File(float32)
    for layer, source in zip(file.layers, exact.layers, strict=True):
        _requantise(file, layer, exact.array(source.inputs[1]), exact.array(source.inputs[2]))
    if crops:
        outputs = [layer.outputs[0] for layer in exact.layers]
        wanted, free = _means(float32, outputs, crops)
        for number, layer in enumerate(file.layers):
            # one after the other, because an error passes on to all that follow
            (found,), _ = _means(file.content(), [layer.outputs[0]], crops)
            moved = (wanted[number] - found) / np.maximum(free[number], LEAST_FREE)
            moved = moved.clip(-LARGEST_CORRECTION, LARGEST_CORRECTION)
            _correct(file, layer, np.where(free[number] > LEAST_FREE, moved, 0))
    return file.content()


def _requantise(file: _File, layer: Any, weights: np.ndarray, bias: np.ndarray) -> None:
    """Set a layer's int8 weights and int32 biases anew from the float32 ones."""
    axis = file.tensor(layer.inputs[1]).quantization.quantizedDimension
    step = float(file.tensor(layer.inputs[0]).quantization.scale[0])
    # a channel without weights must not push its bias out of int32
    least = np.abs(bias) / (step * BIAS_LIMIT)
    scale = np.maximum(_scales(weights, axis), least).astype(np.float32)
    shape = [-1 if dimension == axis else 1 for dimension in range(weights.ndim)]
    whole = np.rint(weights / scale.reshape(shape)).clip(-LEVELS, LEVELS)
    file.set(layer.inputs[1], whole, scale)
    file.set(layer.inputs[2], np.rint(bias / (scale * step)), scale * step)


def _correct(file: _File, layer: Any, correction: np.ndarray) -> None:
    """Add to a layer's biases."""
    index = layer.inputs[2]
    scale = np.asarray(file.tensor(index).quantization.scale)
    file.set(index, file.array(index) + np.rint(correction / scale), scale)


def _scales(weights: np.ndarray, axis: int) -> np.ndarray:
    """For each channel the scale with the least squared error: the grid's, or largest / 127."""
    channels = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1).astype(float)
    largest = np.abs(channels).max(axis=1)
    scales = np.maximum(largest / LEVELS, 1e-12)
    step = exact_step(weights)
    if step is None:
        return scales
    coarse = np.maximum(np.ceil(largest / step / (LEVELS + 0.5)), 1) * step
    return np.where(_error(channels, coarse) < _error(channels, scales), coarse, scales)


def _error(channels: np.ndarray, scales: np.ndarray) -> np.ndarray:
    whole = np.rint(channels / scales[:, None]).clip(-LEVELS, LEVELS)
    return np.square(whole * scales[:, None] - channels).sum(axis=1)


def exact_step(weights: np.ndarray) -> float | None:
    """Return the step of the grid with at most 255 steps each way that all weights lie on, if any.

    Within 2 % of a step, which is more than folding a batch normalisation in
    float32 moves them.

    >>> round(exact_step(np.array([-0.3, 0.1, 0.7, 0.0])), 6)
    0.1
    """
    magnitudes = np.abs(weights).astype(float).ravel()
    largest = magnitudes.max(initial=0.0)
    values = np.unique(np.round(magnitudes / largest, 5)) * largest if largest > 0 else np.zeros(0)
    values = values[values > largest * 1e-3]
    if not 0 < len(values) <= 512:
        return None
    gaps = np.diff(values, prepend=0.0)
    for step in sorted({*values[:3], *gaps[gaps > largest / 300]}, reverse=True):
        for _ in range(4):
            steps = np.rint(values / step)
            step = float(values @ steps / (steps @ steps))
        if largest / step < 256 and np.abs(values / step - np.rint(values / step)).max() < 0.02:
            return round(step, 12)
    return None


def _means(
    content: bytes, tensors: Sequence[int], crops: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each tensor, by channel: its mean value, and the share of values ReLU6 leaves alone."""
    rows = list(_activations(content, tensors, crops))
    count = len(rows)
    means = [sum(mean for mean, _ in column) / count for column in zip(*rows, strict=True)]
    free = [sum(share for _, share in column) / count for column in zip(*rows, strict=True)]
    return means, free


def _activations(
    content: bytes, tensors: Sequence[int], crops: Sequence[np.ndarray]
) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    run = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    run.allocate_tensors()
    (source,) = run.get_input_details()
    details = {detail["index"]: detail["quantization"] for detail in run.get_tensor_details()}
    for crop in crops:
        run.set_tensor(source["index"], to_model_input(crop))
        run.invoke()
        found = (_value(run.get_tensor(tensor), *details[tensor]) for tensor in tensors)
        yield [(value.mean((0, 1)), _free(value)) for value in found]


def _value(array: np.ndarray, scale: float, zero: int) -> np.ndarray:
    """(h, w, channels) floats of an activation, quantised or not."""
    value = array[0].astype(np.float64)
    return (value - zero) * scale if scale else value


def _free(value: np.ndarray) -> np.ndarray:
    return ((value > 0) & (value < RELU6)).mean((0, 1))


def join(body: bytes, head: bytes) -> bytes:
    """Return one flatbuffer of two: the first one's output is the second one's input."""
    first, second = _File(body), _File(head)
    tensors = {second.graph.inputs[0]: first.graph.outputs[0], -1: -1}
    for index, tensor in enumerate(second.graph.tensors):
        if index not in tensors:
            tensors[index] = len(first.graph.tensors)
            tensor.buffer += len(first.model.buffers)
            tensor.name = b"head/" + tensor.name
            first.graph.tensors.append(tensor)
    for operator in second.graph.operators:
        operator.opcodeIndex += len(first.model.operatorCodes)
        operator.inputs = [tensors[index] for index in operator.inputs]
        operator.outputs = [tensors[index] for index in operator.outputs]
        first.graph.operators.append(operator)
    first.graph.outputs = [tensors[index] for index in second.graph.outputs]
    first.model.operatorCodes += second.model.operatorCodes
    first.model.buffers += second.model.buffers
    first.model.signatureDefs, first.model.metadata = [], []  # they name the first one's outputs
    return first.content()
