"""first_call.py FILE: LightGBM trees over the numbers of demo/german_credit.csv, as many as make an ONNX file of a megabyte."""

import csv
import math
import pathlib
import sys

import lightgbm
import numpy
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

MEGABYTE = 1_000_000


def export(features: numpy.ndarray, bad: numpy.ndarray, trees: int) -> bytes:
    model = lightgbm.LGBMClassifier(n_estimators=trees, num_leaves=31, min_child_samples=5, learning_rate=0.02, random_state=1, verbose=-1, n_jobs=1)
    model.fit(features, bad)
    shape = [("input", FloatTensorType([None, features.shape[1]]))]
    return convert_lightgbm(model, initial_types=shape, target_opset=15, zipmap=False).SerializeToString()


def main(path: pathlib.Path) -> None:
    with open("demo/german_credit.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if all(row[name].isdigit() for row in rows)]
    features = numpy.array([[float(row[name]) for name in names] for row in rows], dtype=numpy.float32)
    bad = numpy.array([row["creditability"] == "bad" for row in rows], dtype=int)
    size = len(export(features, bad, 100))
    onnx = export(features, bad, math.ceil(100 * MEGABYTE * 1.01 / size))
    path.write_bytes(onnx)
    path.with_suffix(".features").write_text(",".join(names))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
