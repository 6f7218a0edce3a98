"""Trains the models of the benches on simulated data and writes them, and rows to score, into a folder.

make_models.py FOLDER: five ensembles over 30 and over 300 features, two dense networks and a pipeline, each as <name>.onnx,
XGBoost's also as <name>.ubj. rows_<features>.f32 holds 20,000 distinct rows that no model has seen, row-major;
rows_columns.json those of the pipeline, column by column.
"""

import json
import pathlib
import sys
import warnings

import lightgbm
import numpy
import onnx
import onnxmltools
import xgboost
from onnx import helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType as SklearnFloats
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = 20_000
TRAINING = 60_000


def simulate(features: int, rows: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Independent normal features; a noisy threshold over interactions that need depth, spread over all features."""
    weights = numpy.random.default_rng(features)
    random = numpy.random.default_rng(seed)
    x = random.standard_normal((rows, features), dtype=numpy.float32)
    score = random.standard_normal(rows) * 0.5
    for _ in range(2 * features):
        i, j, k = weights.integers(0, features, 3)
        score += weights.normal() * numpy.sin(x[:, i] * x[:, j] + x[:, k]) * (2 / features) ** 0.5 * 2
    return x, (score > 0).astype(numpy.int64)


def names(features: int) -> list[str]:
    return [f"f{i}" for i in range(features)]


def save(model: onnx.ModelProto, features: int, path: pathlib.Path) -> None:
    entry = model.metadata_props.add()
    entry.key, entry.value = "feature_names", json.dumps(names(features))
    path.write_bytes(model.SerializeToString())
    print(path.name, path.stat().st_size, flush=True)


def ensembles(folder: pathlib.Path) -> None:
    for features in (30, 300):
        simulate(features, ROWS, 2)[0].tofile(folder / f"rows_{features}.f32")
        x, y = simulate(features, TRAINING, 1)
        shape = [("input", FloatTensorType([None, features]))]
        for trees, depth in ((50, 3), (300, 6), (500, 8)):
            path = folder / f"xgboost_{trees}x{depth}_{features}.onnx"
            if path.exists():
                continue
            model = xgboost.XGBClassifier(n_estimators=trees, max_depth=depth, learning_rate=0.1, tree_method="hist", random_state=1)
            model.fit(x, y)
            model.get_booster().save_model(path.with_suffix(".ubj"))
            save(onnxmltools.convert_xgboost(model, initial_types=shape, target_opset=15), features, path)
        path = folder / f"lightgbm_200x31_{features}.onnx"
        if not path.exists():
            model = lightgbm.LGBMClassifier(n_estimators=200, num_leaves=31, random_state=1, verbose=-1)
            model.fit(x, y)
            save(onnxmltools.convert_lightgbm(model, initial_types=shape, target_opset=15, zipmap=False), features, path)
        path = folder / f"forest_100x12_{features}.onnx"
        if not path.exists():
            model = RandomForestClassifier(n_estimators=100, max_depth=12, random_state=1, n_jobs=2)
            model.fit(x, y)
            shape = [("input", SklearnFloats([None, features]))]
            save(convert_sklearn(model, initial_types=shape, target_opset=15, options={"zipmap": False}), features, path)


def dense(folder: pathlib.Path, name: str, features: int, hidden: list[int]) -> None:
    """Gemm and Relu layers, one unit with a Sigmoid: what Keras and PyTorch export a binary MLP as."""
    simulate(features, ROWS, 2)[0].tofile(folder / f"rows_{features}.f32")
    path = folder / f"{name}_{features}.onnx"
    if path.exists():
        return
    x, y = simulate(features, TRAINING, 1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    mlp = MLPClassifier(hidden, max_iter=5, random_state=1).fit(x, y)
    layers = list(zip(mlp.coefs_, mlp.intercepts_))
    graph_nodes, constants, cells = [], [], "input"
    for i, (weights, bias) in enumerate(layers):
        constants += [numpy_helper.from_array(weights.astype("f4"), f"weights{i}"), numpy_helper.from_array(bias.astype("f4"), f"bias{i}")]
        graph_nodes.append(helper.make_node("Gemm", [cells, f"weights{i}", f"bias{i}"], [f"sum{i}"]))
        last = i == len(layers) - 1
        cells = "probability" if last else f"relu{i}"
        graph_nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"sum{i}"], [cells]))
    graph = helper.make_graph(
        graph_nodes,
        name,
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["N", 1])],
        constants,
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), features, path)


def pipeline(folder: pathlib.Path) -> None:
    """20 numbers through a scaler and 10 texts of 3 to 12 categories through one-hot into a logistic regression."""
    floats, texts = 20, 10
    x, y = simulate(floats, TRAINING + ROWS, 3)
    random = numpy.random.default_rng(4)
    words = numpy.stack([random.integers(0, 3 + i, len(x)) for i in range(texts)], axis=1)
    y = numpy.where(words[:, 0] == 1, 1, y)
    words = numpy.array([[f"category {code} of {i}" for i, code in enumerate(row)] for row in words], dtype=object)
    fresh = {"floats": x[TRAINING:].T.astype(float).tolist(), "texts": words[TRAINING:].T.tolist()}
    (folder / "rows_columns.json").write_text(json.dumps(fresh))
    path = folder / "pipeline_columns.onnx"
    if path.exists():
        return
    numbers, categories = list(range(floats)), list(range(floats, floats + texts))
    model = make_pipeline(
        ColumnTransformer([("scale", StandardScaler(), numbers), ("encode", OneHotEncoder(handle_unknown="ignore"), categories)]),
        LogisticRegression(max_iter=500),
    )
    model.fit(numpy.concatenate([x.astype(object), words], axis=1)[:TRAINING], y[:TRAINING])
    inputs = [(f"f{i}", SklearnFloats([None, 1])) for i in numbers] + [(f"f{i}", StringTensorType([None, 1])) for i in categories]
    model = convert_sklearn(model, initial_types=inputs, target_opset=15, options={"zipmap": False})
    save(model, floats + texts, path)


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ensembles(folder)
    dense(folder, "dense_small", 10, [64, 32])
    dense(folder, "dense_large", 30, [256, 128, 64])
    pipeline(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
