"""Trains the models of the benches on simulated data and writes them, and rows to score, into a folder.

make_models.py FOLDER: five ensembles over 30 and over 300 features, each as <name>.onnx, XGBoost's also as <name>.ubj;
rows_<features>.f32 holds 20,000 distinct rows that no model has seen, row-major.
"""

import json
import pathlib
import sys

import lightgbm
import numpy
import onnx
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType as SklearnFloats
from sklearn.ensemble import RandomForestClassifier

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


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
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


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
