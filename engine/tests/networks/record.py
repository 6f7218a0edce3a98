"""Writes a model with rows and onnxruntime's outputs for them."""

import json
import os

import numpy as np
import onnxruntime


def record(folder, name, model, ranges=None, rows=16):
    """`NAME.onnx` and `NAME.json`: per input the cells of each row, per output the cells of each row.

    Inputs of integers are drawn below `ranges[input]`, others are normal.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, options)
    random = np.random.default_rng(11)
    feeds = {}
    for value in session.get_inputs():
        shape = (rows, *value.shape[1:])
        if "int" in value.type:
            kind = np.int64 if "64" in value.type else np.int32
            feeds[value.name] = random.integers(0, (ranges or {}).get(value.name, 10), shape).astype(kind)
        else:
            feeds[value.name] = random.standard_normal(shape).round(2).astype(np.float32)
    try:
        outputs = session.run(None, feeds)
    except Exception:  # a batch fixed at 1
        each = [session.run(None, {k: v[i : i + 1] for k, v in feeds.items()}) for i in range(rows)]
        outputs = [np.concatenate([one[o] for one in each]) for o in range(len(each[0]))]
    flat = lambda a: [[float(f"{x:.9g}") for x in row] for row in a.reshape(rows, -1).astype(float)]
    recorded = {
        "inputs": {k: flat(v) for k, v in feeds.items()},
        "outputs": {o.name: flat(v) for o, v in zip(session.get_outputs(), outputs)},
    }
    with open(os.path.join(folder, name + ".onnx"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, name + ".json"), "w") as file:
        json.dump(recorded, file, separators=(",", ":"))
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{name}: {len(data)} bytes, {' '.join(operators)}", flush=True)
