"""Cases of the suite: what exports a model, and how onnxruntime's answers are recorded beside it."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd

import jumps
import tables

FOLDER = Path(__file__).parent / "exported"
#: Differences that count as equal: absolute for probabilities, relative for values.
TOLERANCE = {"probability": 1e-6, "value": 1e-5}


@dataclasses.dataclass
class Export:
    """A model as its exporter writes it."""

    graph: onnx.ModelProto
    #: Columns of the table that each input takes, in the order of the input's memory.
    inputs: dict[str, list[str]]
    exporter: str
    #: `probability` or `value`: what the numbers are compared as.
    tolerance: str
    #: What a registration must say beyond the file.
    declaration: dict = dataclasses.field(default_factory=dict)
    #: The library's own numbers for a table, to see that the export is faithful.
    native: Callable[[pd.DataFrame], np.ndarray] | None = None
    #: Rows whose answer jumps when an input moves by one ulp are exempt: nearest neighbours, bins behind a scaler.
    steps: bool = False
    note: str = ""


CASES: dict[str, tuple[str, Callable[[], Export]]] = {}


def case(table: str, name: str | None = None) -> Callable:
    """Registers a function that trains and exports a model."""

    def register(build: Callable[[], Export]) -> Callable[[], Export]:
        key = name or build.__name__
        if key in CASES:
            raise ValueError(f"two cases are named {key}")
        CASES[key] = (table, build)
        return build

    return register


def serialize(graph: onnx.ModelProto) -> bytes:
    """The checked model's bytes, the same from every run: exporters write their operator sets in no fixed order, and some
    a new graph name or a date."""
    opsets = sorted(graph.opset_import, key=lambda opset: opset.domain)
    del graph.opset_import[:]
    graph.opset_import.extend(opsets)
    graph.graph.name = "model"
    kept = [item for item in graph.metadata_props if item.key == "feature_names"]
    del graph.metadata_props[:]
    graph.metadata_props.extend(kept)
    onnx.checker.check_model(graph)
    return graph.SerializeToString(deterministic=True)


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def constants(declaration: dict, frame: pd.DataFrame) -> pd.DataFrame:
    """The declared replacements of NULL."""
    frame = frame.copy()
    for column, policy in declaration.get("missing", {}).items():
        if isinstance(policy, dict):
            (value,) = policy.values()
            frame[column] = [value if cell is None or cell != cell else cell for cell in frame[column]]
    return frame


KINDS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(int32)": np.int32,
         "tensor(bool)": np.bool_, "tensor(string)": object}


def feeds(runtime: onnxruntime.InferenceSession, export: Export, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """All rows as the runtime takes them."""
    frame = constants(export.declaration, frame)
    out = {}
    for declared in runtime.get_inputs():
        values = frame[export.inputs[declared.name]].to_numpy()
        shape = [len(frame), *declared.shape[1:]]
        out[declared.name] = values.astype(KINDS[declared.type]).reshape(shape)
    return out


def answers(runtime: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """One array [rows, ...] per output; a ZipMap's dictionaries become columns in their own order."""
    out = []
    for values in runtime.run(None, inputs):
        if isinstance(values, list) and isinstance(values[0], dict):
            values = np.array([list(row.values()) for row in values], dtype=np.float32)
        out.append(np.asarray(values))
    return out


def row_by_row(runtime: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    rows = len(next(iter(inputs.values())))
    parts = [answers(runtime, {name: values[i:i + 1] for name, values in inputs.items()}) for i in range(rows)]
    return [np.concatenate([part[k].reshape(1, -1) for part in parts]) for k in range(len(parts[0]))]


def is_label(outputs: list[np.ndarray], i: int) -> bool:
    """Texts, and a first output of one integer in front of others."""
    return outputs[i].dtype.kind in "OUS" or (outputs[i].dtype.kind == "i" and i == 0 and len(outputs) > 1 and outputs[i].shape[1] == 1)


def ties(outputs: list[np.ndarray], label: int | None, tolerance: float) -> list[int]:
    """Rows whose label hangs on a difference within the tolerance: the best two of a row, or one number beside 0 or 1/2."""
    found = [values for values in outputs if values.dtype.kind == "f"]
    if label is None or not found:
        return []
    numbers = np.hstack(found) if all(values.shape[1] == 1 for values in found) else found[0]
    if numbers.shape[1] > 1:
        best = np.sort(numbers.astype(np.float64), axis=1)
        gap = best[:, -1] - best[:, -2]
    else:
        gap = np.minimum(np.abs(numbers[:, 0]), np.abs(numbers[:, 0] - 0.5))
    return np.flatnonzero(gap <= 2 * tolerance).tolist()


def write(name: str) -> str:
    """Exports, runs and records one case; returns a line about it."""
    table, build = CASES[name]
    export = build()
    model = serialize(export.graph)
    runtime = session(model)
    frame = tables.table(table)
    inputs = feeds(runtime, export, frame)
    outputs = row_by_row(runtime, inputs)
    tolerance = TOLERANCE[export.tolerance]
    label = next((i for i in range(len(outputs)) if is_label(outputs, i)), None)
    described, blocks = [], []
    for i, (declared, values) in enumerate(zip(runtime.get_outputs(), outputs, strict=True)):
        if is_label(outputs, i):
            texts = sorted({str(text) for text in values[:, 0]})
            index = {text: i for i, text in enumerate(texts)}
            described.append({"name": declared.name, "type": "label", "width": 1, "texts": texts})
            blocks.append(np.array([index[str(text)] for text in values[:, 0]], dtype=np.uint8))
        else:
            kind = {"f4": "f32", "f8": "f64", "i8": "i64", "i4": "i32", "b1": "u8"}[values.dtype.str[1:]]
            described.append({"name": declared.name, "type": kind, "width": values.shape[1]})
            if values.shape[1] == 2 and kind == "f32" and np.array_equal(np.float32(1) - values[:, 1], values[:, 0]):
                described[-1]["complement"] = True
                values = values[:, 1]
            blocks.append(values)
    jumping = jumps.rows(model, inputs, outputs, tolerance, export.steps, session, answers)
    operators = sorted({f"{node.domain or 'ai.onnx'}.{node.op_type}".removeprefix("ai.onnx.") for node in jumps.nodes(export.graph.graph)})
    opsets = {opset.domain or "ai.onnx": opset.version for opset in export.graph.opset_import}
    document = {
        "table": table, "exporter": export.exporter, "opsets": opsets, "operators": operators, "note": export.note,
        "inputs": [{"name": key, "columns": columns} for key, columns in export.inputs.items()],
        "declaration": export.declaration, "tolerance": export.tolerance, "outputs": described,
        "ties": ties(outputs, label, tolerance), "jumps": jumping, "unsteady": unsteady(runtime, inputs, outputs, tolerance),
        "inexact": inexact(export, frame, outputs, tolerance),
    }
    if not export.note:
        del document["note"]
    tables.write(table)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.onnx").write_bytes(model)
    (FOLDER / f"{name}.bin").write_bytes(b"".join(np.ascontiguousarray(block).tobytes() for block in blocks))
    (FOLDER / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False) + "\n")
    numbers = [values for values in outputs if values.dtype.kind == "f"]
    odd = sum(int((~np.isfinite(values)).any(axis=1).sum()) for values in numbers)
    native = difference(export, frame, numbers)
    return (f"{name}: {len(model)} bytes, ties {len(document['ties'])}, jumps {len(jumping)}, unsteady {len(document['unsteady'])}, inexact {len(document['inexact'])}, "
            f"not finite {odd}, native {native}")


def unsteady(runtime: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray], single: list[np.ndarray], tolerance: float) -> list[int]:
    """Rows on which the runtime itself, given all rows at once, differs from its answer to the row alone."""
    differing = np.zeros(len(single[0]), dtype=bool)
    for one, together in zip(single, answers(runtime, inputs), strict=True):
        differing |= jumps.differs(one, together.reshape(one.shape), tolerance / 2)
    return np.flatnonzero(differing).tolist()


#: Differences from the exact result that are rounding, as a multiple of the tolerance; larger ones are another branch.
ROUNDING = 200
#: A model that rounds so on a larger share of its rows has no exempt ones: it is met bit by bit or not at all.
SELDOM = 0.03


def inexact(export: Export, frame: pd.DataFrame, outputs: list[np.ndarray], tolerance: float) -> list[int]:
    """Rows on which the runtime's float32 rounds to more than half the tolerance away from scikit-learn's float64."""
    numbers = [values for values in outputs if values.dtype.kind == "f"]
    if export.native is None or export.exporter != "skl2onnx" or len(numbers) != 1:
        return []
    own = np.asarray(export.native(constants(export.declaration, frame)), dtype=np.float64).reshape(len(frame), -1)
    if own.shape != numbers[0].shape:
        return []
    far, wrong = (jumps.differs(own, numbers[0].astype(np.float64), tolerance * times) for times in (0.5, ROUNDING))
    rows = np.flatnonzero(far & ~wrong).tolist()
    return rows if len(rows) <= SELDOM * len(frame) else []


def difference(export: Export, frame: pd.DataFrame, numbers: list[np.ndarray]) -> str:
    """Median and largest distance from the library's own numbers."""
    if export.native is None or not numbers:
        return "-"
    own = np.asarray(export.native(constants(export.declaration, frame)), dtype=np.float64).reshape(len(frame), -1)
    found = np.hstack(numbers) if len(numbers) > 1 else numbers[0]
    if own.shape != found.shape:
        return f"shape {own.shape} beside {found.shape}"
    gap = np.abs(own - found)
    return f"{np.nanmedian(gap):.1g}/{np.nanmax(gap):.1g}"
