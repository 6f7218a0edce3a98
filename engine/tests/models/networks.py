"""What the network families share: their tasks, each a table, a shape and a target."""

import dataclasses

import numpy as np
import onnx

import messages
import tables
from suite import Export


@dataclasses.dataclass
class Task:
    """Training rows in a network's shape, and what a registration declares."""

    table: str
    inputs: np.ndarray
    target: np.ndarray
    columns: list[str]
    declaration: dict
    tolerance: str = "probability"


INTENTS = list(messages.INTENTS)


def task(name: str) -> Task:
    """`cancer`, `cards` and `tokens` are classifications by one sigmoid or a softmax, `diabetes` is a regression, `digits`
    tells the remainder of a digit divided by 4, `values` reconstructs its input in standard units."""
    if name == "tokens":
        frame, intents = tables.training("messages")
        ids = messages.tokens(frame["message"])
        target = np.array([INTENTS.index(intent) for intent in intents])
        return Task("tokens", ids.to_numpy().astype(np.int64), target, list(ids.columns), {"labels": INTENTS})
    frame, target = tables.training("cancer" if name == "values" else name)
    columns = list(frame.columns)
    rows = frame.to_numpy().astype(np.float32)
    match name:
        case "cancer":
            return Task("cancer", rows, target, columns, {"task": "binary"})
        case "wine":
            return Task("wine", rows, target, columns, {})
        case "diabetes":
            return Task("diabetes", rows, target.astype(np.float32), columns, {}, "value")
        case "values":
            columns, rows = columns[:5], rows[:, :5]
            return Task("cancer", rows, (rows - rows.mean(axis=0)) / rows.std(axis=0), columns, {"task": "vector"}, "value")
        case "digits":
            return Task("digits", rows.reshape(-1, 8, 8), target % 4, columns, {})
        case "cards":
            rows = rows.reshape(len(rows), -1, 3)
            return Task("cards", rows, target, columns, {"task": "binary", "labels": ["genuine", "fraud"]})
    raise KeyError(name)


def export(graph: onnx.ModelProto, chosen: Task, exporter: str, inputs: dict[str, list[str]] | None = None, native=None,
           declaration: dict | None = None) -> Export:
    """A network over one input that takes all columns, or over the given ones."""
    inputs = inputs or {graph.graph.input[0].name: chosen.columns}
    listed = {"features": [column for columns in inputs.values() for column in columns]}
    return Export(graph, inputs, exporter, chosen.tolerance, (chosen.declaration if declaration is None else declaration) | listed, native)
