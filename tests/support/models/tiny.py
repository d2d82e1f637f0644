"""Image models of a layer or two, made without TensorFlow: for files of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

SIDE = 8
KINDS = schema.BuiltinOperator
TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "uint8": schema.TensorType.UINT8,
    "int8": schema.TensorType.INT8,
    "int32": schema.TensorType.INT32,
}


def tiny_model(
    d: int = 16,
    classes: int = 0,
    *,
    shape: Sequence[int] = (1, SIDE, SIDE, 3),
    signature: Sequence[int] | None = None,
    dtype: str = "float32",
    quantisation: tuple[float, int] = (1 / 255, 0),
    softmax: bool = True,
    deep: bool = False,
    inputs: int = 1,
    names: Sequence[str] = ("embedding", "classes"),
    seed: int = 0,
) -> bytes:
    """A picture's numbers times random weights are its embedding, and these its classes.

    Args:
        shape: of the input; `signature` is what the file says, where they differ.
        quantisation: scale and zero of an input that is no float32.
        deep: the embedding is of shape (1, 2, 2, d / 4).
        inputs: how many there are; the others are not used.
        names: of the outputs.
    """
    graph = _Graph(np.random.default_rng(seed), dtype)
    images = [graph.tensor(shape, "image", quantisation, signature) for _ in range(inputs)]
    embedding = graph.connect(images[0], int(np.prod(shape[1:])), d, names[0])
    outputs = [graph.reshape(embedding, (1, 2, 2, d // 4)) if deep else embedding]
    if classes:
        logits = graph.connect(embedding, d, classes, "logits" if softmax else names[1])
        outputs.append(graph.softmax(logits, classes, names[1]) if softmax else logits)
    return graph.content(images, outputs)


class _Graph:
    def __init__(self, rng: np.random.Generator, dtype: str) -> None:
        self._rng, self._dtype = rng, dtype
        self._graph, self._model = schema.SubGraphT(), schema.ModelT()
        self._graph.tensors, self._graph.operators = [], []
        self._model.version, self._model.subgraphs = 3, [self._graph]
        self._model.buffers, self._codes = [schema.BufferT()], []

    def tensor(
        self,
        shape: Sequence[int],
        name: str,
        quantisation: tuple[float, int] | None = None,
        signature: Sequence[int] | None = None,
        data: np.ndarray | None = None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.name, tensor.buffer = list(shape), name.encode(), 0
        tensor.shapeSignature = list(signature) if signature else None
        tensor.type = TYPES[self._dtype if data is None else data.dtype.name]
        if self._dtype != "float32":
            tensor.quantization = schema.QuantizationParametersT()
            scale, zero = quantisation or (0.05, 128 if self._dtype == "uint8" else 0)
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero]
        if data is not None:
            tensor.buffer = len(self._model.buffers)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def connect(self, source: int, n: int, m: int, name: str) -> int:
        """A layer from n to m numbers."""
        weights = (self._rng.normal(size=(m, n)) / np.sqrt(n)).astype(np.float32)
        quantisation = (0.01, 128 if self._dtype == "uint8" else 0)
        if self._dtype != "float32":
            weights = np.rint(weights / 0.01 + quantisation[1]).clip(-127, 255)
            weights = weights.astype(self._dtype)
        inner = self.tensor((m, n), f"{name} weights", quantisation, data=weights)
        inputs = [source, inner, -1]
        if self._dtype == "float32":
            bias = (self._rng.normal(size=m) / 10).astype(np.float32)
            inputs[2] = self.tensor((m,), f"{name} bias", data=bias)
        target = self.tensor((1, m), name, signature=(-1, m))
        options = schema.FullyConnectedOptionsT()
        kind = schema.BuiltinOptions.FullyConnectedOptions
        return self._operator(KINDS.FULLY_CONNECTED, kind, options, inputs, target)

    def softmax(self, source: int, n: int, name: str) -> int:
        quantisation = (1 / 256, -128 if self._dtype == "int8" else 0)
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        target = self.tensor((1, n), name, quantisation)
        kind = schema.BuiltinOptions.SoftmaxOptions
        return self._operator(KINDS.SOFTMAX, kind, options, [source], target)

    def reshape(self, source: int, shape: Sequence[int]) -> int:
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        target = self.tensor(shape, "map")
        kind = schema.BuiltinOptions.ReshapeOptions
        return self._operator(KINDS.RESHAPE, kind, options, [source], target)

    def _operator(self, code: int, kind: int, options: Any, inputs: list[int], target: int) -> int:
        operator = schema.OperatorT()
        if code not in self._codes:
            self._codes.append(code)
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs, operator.outputs = inputs, [target]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._graph.operators.append(operator)
        return target

    def content(self, inputs: list[int], outputs: list[int]) -> bytes:
        import flatbuffers

        self._graph.inputs, self._graph.outputs = inputs, outputs
        self._model.operatorCodes = [_code(one) for one in self._codes]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _code(kind: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 1
    return code


def with_normalization(content: bytes, mean: Sequence[float], std: Sequence[float]) -> bytes:
    """The same model with TFLite Model Metadata that says how pixels are normalised."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers)
    buffer.data = np.frombuffer(_metadata(mean, std), np.uint8)
    model.buffers.append(buffer)
    model.metadata = [entry]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _metadata(mean: Sequence[float], std: Sequence[float]) -> bytes:
    """ModelMetadata, its subgraph, the input tensor, a ProcessUnit, NormalizationOptions."""
    import flatbuffers

    builder = flatbuffers.Builder(256)

    def floats(values: Sequence[float]) -> int:
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            builder.PrependFloat32(value)
        return builder.EndVector()

    def table(fields: int, field: int, offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        only = builder.EndVector()
        builder.StartObject(fields)
        builder.PrependUOffsetTRelativeSlot(field, only, 0)
        return builder.EndObject()

    numbers = [floats(mean), floats(std)]
    builder.StartObject(2)
    for slot, offset in enumerate(numbers):
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    options = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUint8Slot(0, 1, 0)
    builder.PrependUOffsetTRelativeSlot(1, options, 0)
    unit = builder.EndObject()
    tensor = table(7, 4, unit)
    graph = table(5, 2, tensor)
    builder.Finish(table(8, 3, graph), b"M001")
    return bytes(builder.Output())
