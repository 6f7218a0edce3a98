"""Rows whose answer depends on the last bit of float32 arithmetic in front of a comparison.

A scaler, a projection or a mean in front of a tree computes a float32 whose last bit depends on the order of its
operations. Where that float is within one ulp of a tree's threshold, two correct evaluations may take different branches.
Such rows are found by moving what the trees read by one ulp up and down, one column at a time and all together.
"""

from collections.abc import Callable, Iterator

import numpy as np
import onnx

TREES = {"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"}
#: Operators that hand numbers on as they are.
EXACT = {"Cast", "Concat", "Identity", "Reshape", "Gather", "ArrayFeatureExtractor", "OneHotEncoder", "LabelEncoder", "Imputer",
         "Squeeze", "Unsqueeze", "Transpose", "FeatureVectorizer", "Where", "IsNaN", "Flatten", "Slice", "Split", "Constant",
         "ConstantOfShape", "Shape", "Equal", "Not"}


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Nodes of a graph and of the graphs inside it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes(attribute.g)


def calculated(graph: onnx.GraphProto) -> list[str]:
    """What trees read that is the result of arithmetic."""
    makers = {name: node for node in graph.node for name in node.output}

    def rounds(name: str, seen: set[str]) -> bool:
        node = makers.get(name)
        if node is None or name in seen:
            return False
        seen.add(name)
        return node.op_type not in EXACT or any(rounds(below, seen) for below in node.input)

    read = dict.fromkeys(node.input[0] for node in graph.node if node.op_type in TREES)
    return [name for name in read if rounds(name, set())]


def cut(model: onnx.ModelProto, at: list[str]) -> onnx.ModelProto:
    """The part of the model behind the values `at`, which become its inputs beside the model's own."""
    back = onnx.ModelProto()
    back.CopyFrom(model)
    graph = back.graph
    needed, kept = {output.name for output in graph.output}, []
    for node in reversed(graph.node):
        if any(name in needed and name not in at for name in node.output):
            kept.append(node)
            needed.update(name for inner in nodes_with(node) for name in inner.input)
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(kept)]
    inputs = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in at]
    inputs += [value for value in model.graph.input if value.name in needed]
    del graph.node[:], graph.input[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.input.extend(inputs)
    return back


def nodes_with(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    yield node
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield from nodes(attribute.g)


def moved(values: np.ndarray) -> Iterator[np.ndarray]:
    """The values one ulp up and down: all together, then one column at a time."""
    for end in (np.inf, -np.inf):
        other = np.nextafter(values, values.dtype.type(end))
        yield other
        for column in range(values.shape[1] if values.ndim == 2 and values.shape[1] > 1 else 0):
            one = values.copy()
            one[:, column] = other[:, column]
            yield one


def rows(model: bytes, inputs: dict[str, np.ndarray], expected: list[np.ndarray], tolerance: float, steps: bool,
         session: Callable, answers: Callable) -> list[int]:
    """Indices of the rows to exempt."""
    parsed = onnx.load_from_string(model)
    at = calculated(parsed.graph)
    if steps:
        fed, runtime = dict(inputs), session(model)
        at = [name for name, values in inputs.items() if values.dtype.kind == "f"]
    elif at:
        front = onnx.ModelProto()
        front.CopyFrom(parsed)
        del front.graph.output[:]
        front.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in at)
        values = session(front.SerializeToString()).run(None, inputs)
        back = cut(parsed, at)
        runtime = session(back.SerializeToString())
        own = {value.name for value in runtime.get_inputs()}
        fed = {name: inputs[name] for name in inputs if name in own} | dict(zip(at, values, strict=True))
    else:
        return []
    jumping = np.zeros(len(expected[0]), dtype=bool)
    for name in at:
        for other in moved(fed[name]):
            for before, after in zip(expected, answers(runtime, fed | {name: other}), strict=True):
                jumping |= differs(before, after.reshape(before.shape), tolerance)
    return np.flatnonzero(jumping).tolist()


def differs(before: np.ndarray, after: np.ndarray, tolerance: float) -> np.ndarray:
    if before.dtype.kind != "f":
        return (before != after).any(axis=1)
    with np.errstate(invalid="ignore"):
        allowed = tolerance * np.maximum(1, np.abs(before))
        return (np.abs(before - after) > allowed).any(axis=1)
