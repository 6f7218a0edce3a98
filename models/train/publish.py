"""Writes a model beside this folder: <name>.onnx and <name>.json with its contract, origin, metrics and reference rows."""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd

MODELS = Path(__file__).resolve().parents[1]
REFERENCE_ROWS = 50

Feed = Callable[[pd.DataFrame], dict[str, np.ndarray]]


def column_feed(text: list[str], numbers: list[str]) -> Feed:
    """One input [N,1] per column: strings for text, float32 for numbers."""

    def feed(rows: pd.DataFrame) -> dict[str, np.ndarray]:
        inputs = {name: rows[[name]].to_numpy(dtype=object) for name in text}
        return inputs | {name: rows[[name]].to_numpy(dtype=np.float32) for name in numbers}

    return feed


def wide_feed(name: str, numbers: list[str]) -> Feed:
    """One float32 input [N,F]."""
    return lambda rows: {name: rows[numbers].to_numpy(dtype=np.float32)}


def serialize(model: onnx.ModelProto) -> bytes:
    """The checked model's bytes, the same from every run: exporters write their operator sets in no fixed order."""
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run(model: bytes, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """All outputs of the model, in graph order."""
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, inputs)


def library_versions(*names: str) -> dict[str, str]:
    """Installed versions of Python packages."""
    return {name: version(name) for name in names}


def plain(value: object) -> object:
    """A cell as JSON writes it: whole numbers without a fraction."""
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def reference(model: bytes, feed: Feed, rows: pd.DataFrame, columns: list[str], positive: int) -> dict:
    """Rows with the runtime's own answers, each row scored alone."""
    scored = []
    for index in range(len(rows)):
        row = rows.iloc[[index]]
        label, probabilities = run(model, feed(row))
        scored.append({
            "row": {name: plain(row[name].iloc[0]) for name in columns},
            "score": float(probabilities[0, positive]),
            "label": str(label[0]),
        })
    return {"runtime": f"onnxruntime {version('onnxruntime')}", "rows": scored}


def document(contract: dict, answers: dict) -> str:
    """The JSON text, each reference row on one line."""
    rows = ",\n   ".join(json.dumps(row, ensure_ascii=False) for row in answers["rows"])
    text = json.dumps(contract | {"reference": answers | {"rows": []}}, indent=1, ensure_ascii=False)
    return text.replace('"rows": []', f'"rows": [\n   {rows}\n  ]') + "\n"


def publish(name: str, model: onnx.ModelProto, contract: dict, feed: Feed, reference_rows: pd.DataFrame) -> None:
    """Writes both files. The contract holds every key of the JSON but sha256 and reference."""
    content = serialize(model)
    columns = [column["name"] for column in contract["columns"]]
    positive = contract["labels"].index(contract["output"])
    head = {"name": name, "version": 1, "sha256": hashlib.sha256(content).hexdigest()}
    answers = reference(content, feed, reference_rows, columns, positive)
    (MODELS / f"{name}.onnx").write_bytes(content)
    (MODELS / f"{name}.json").write_text(document(head | contract, answers))
    print(f"{name}.onnx: {len(content)} bytes, operators {sorted({node.op_type for node in model.graph.node})}")
