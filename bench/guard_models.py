"""Trains the models that bench/guards puts behind guards.

guard_models.py payments FOLDER: simulates payments of 30 columns and trains a logistic regression and 300 trees on others like
them. Writes payments.csv (100,000 rows, numbered), logistic.onnx, trees.onnx and thresholds.sql, which psql includes: of
each model the score that 0.5 % of the rows reach.

guard_models.py velocity FOLDER: trains 300 trees on a feature set's rows, which it reads from standard input as CSV with a
header; the last column says which are frauds. Writes velocity.onnx and adds its threshold.
"""

import json
import pathlib
import sys

import lightgbm
import numpy
import onnx
import onnxmltools
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType as SklearnFloats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = 30
ROWS = 100_000
TRAINING = 60_000
ALERTS = 0.005


def simulate(rows: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Independent normal columns; 2 % frauds, a noisy threshold over interactions that need depth and over plain sums."""
    weights = numpy.random.default_rng(COLUMNS)
    random = numpy.random.default_rng(seed)
    x = random.standard_normal((rows, COLUMNS), dtype=numpy.float32).round(6)
    score = random.standard_normal(rows) * 0.5 + x @ weights.normal(size=COLUMNS) * 0.3
    for _ in range(2 * COLUMNS):
        i, j, k = weights.integers(0, COLUMNS, 3)
        score += weights.normal() * numpy.sin(x[:, i] * x[:, j] + x[:, k]) * (2 / COLUMNS) ** 0.5
    return x, (score > numpy.quantile(score, 0.98)).astype(numpy.int64)


def trees(x: numpy.ndarray, y: numpy.ndarray) -> lightgbm.LGBMClassifier:
    model = lightgbm.LGBMClassifier(n_estimators=300, num_leaves=31, learning_rate=0.05, random_state=1, n_jobs=2, verbose=-1)
    return model.fit(x, y)


def save(model: onnx.ModelProto, names: list[str], path: pathlib.Path) -> None:
    onnx.helper.set_model_props(model, {"feature_names": json.dumps(names)})
    path.write_bytes(model.SerializeToString())


def export_trees(model: lightgbm.LGBMClassifier, names: list[str], path: pathlib.Path) -> None:
    shape = [("input", FloatTensorType([None, len(names)]))]
    save(onnxmltools.convert_lightgbm(model, initial_types=shape, target_opset=15, zipmap=False), names, path)


def write_threshold(folder: pathlib.Path, name: str, score: numpy.ndarray) -> None:
    with (folder / "thresholds.sql").open("a") as file:
        file.write(f"\\set {name}_threshold {numpy.quantile(score, 1 - ALERTS):.6f}\n")


def payments(folder: pathlib.Path) -> None:
    names = [f"f{i}" for i in range(COLUMNS)]
    rows, _ = simulate(ROWS, 2)
    lines = (f"{i}," + ",".join(f"{cell:.6f}" for cell in row) for i, row in enumerate(rows, 1))
    (folder / "payments.csv").write_text("\n".join(lines) + "\n")
    (folder / "thresholds.sql").write_text("")
    x, y = simulate(TRAINING, 1)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(x, y)
    shape = [("input", SklearnFloats([None, COLUMNS]))]
    graph = convert_sklearn(logistic, initial_types=shape, target_opset=15, options={"zipmap": False})
    save(graph, names, folder / "logistic.onnx")
    write_threshold(folder, "logistic", logistic.predict_proba(rows)[:, 1])
    ensemble = trees(x, y)
    export_trees(ensemble, names, folder / "trees.onnx")
    write_threshold(folder, "trees", ensemble.predict_proba(rows)[:, 1])


def velocity(folder: pathlib.Path) -> None:
    names = sys.stdin.readline().strip().split(",")[:-1]
    table = numpy.genfromtxt(sys.stdin, delimiter=",", dtype=numpy.float32, filling_values=numpy.nan)
    x, y = table[:, :-1], table[:, -1].astype(numpy.int64)
    model = trees(x, y)
    export_trees(model, names, folder / "velocity.onnx")
    write_threshold(folder, "velocity", model.predict_proba(x)[:, 1])


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    {"payments": payments, "velocity": velocity}[sys.argv[1]](folder)
