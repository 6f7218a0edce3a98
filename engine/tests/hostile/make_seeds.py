"""Writes the small models that the admission tests mutate: what exporters write, and operators that only networks use.

Needs numpy, pandas, scikit-learn, lightgbm, onnx, skl2onnx, onnxmltools and onnxruntime (which runs each model once).
"""

from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightGbmFloats
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

SEEDS = Path(__file__).parent / "seeds"
random = np.random.default_rng(1)


def write(name, model, feeds):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    session.run(None, feeds)
    (SEEDS / f"{name}.onnx").write_bytes(model.SerializeToString())


def tabular():
    x = random.normal(size=(400, 6)).astype("f4")
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int)
    raw = {"zipmap": False}
    row = {"X": x[:1]}
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    write("scaler_logistic", to_onnx(linear, x[:1], options=raw), row)
    write("zipmap", to_onnx(LogisticRegression().fit(x, y), x[:1]), row)
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(x, y)
    write("forest", to_onnx(forest, x[:1], options=raw), row)
    boosted = GradientBoostingRegressor(n_estimators=5, max_depth=3, random_state=0).fit(x, x[:, 0])
    write("boosted_regressor", to_onnx(boosted, x[:1]), row)
    dense = make_pipeline(MinMaxScaler(), MLPClassifier((8, 4), max_iter=50, random_state=0)).fit(x, y)
    write("dense", to_onnx(dense, x[:1], options=raw), row)
    trees = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=8, verbose=-1).fit(x, y)
    model = convert_lightgbm(trees, initial_types=[("input", LightGbmFloats([None, 6]))], target_opset=15, zipmap=False)
    write("lightgbm", model, {"input": x[:1]})


def pipeline():
    frame = pd.DataFrame({
        "age": random.integers(18, 80, 300).astype("f4"),
        "income": random.normal(3000, 500, 300).astype("f4"),
        "purpose": random.choice(["car", "house", "other"], 300),
        "housing": random.choice(["own", "rent"], 300),
    })
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([
        ("numbers", numbers, ["age", "income"]),
        ("categories", OneHotEncoder(handle_unknown="ignore"), ["purpose", "housing"]),
    ])
    model = Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(frame, (frame.age > 40).astype(int))
    types = [("age", FloatTensorType([None, 1])), ("income", FloatTensorType([None, 1])),
             ("purpose", StringTensorType([None, 1])), ("housing", StringTensorType([None, 1]))]
    row = {name: frame[[name]][:1].to_numpy() for name in frame}
    write("credit_pipeline", convert_sklearn(model, "credit", types), row)


def graph(name, nodes, weights, inputs, outputs, opset):
    info = helper.make_tensor_value_info
    weights = [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()]
    made = helper.make_graph(nodes, name, [info(*i) for i in inputs], [info(*o) for o in outputs], weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def networks():
    node = helper.make_node
    weights = {
        "k": random.normal(size=(4, 1, 3, 3)).astype("f4"), "kb": random.normal(size=4).astype("f4"),
        "scale": np.ones(4, "f4"), "bias": np.zeros(4, "f4"), "mean": np.zeros(4, "f4"), "var": np.ones(4, "f4"),
        "w": random.normal(size=(4, 2)).astype("f4"), "b": np.zeros(2, "f4"), "image": np.array([-1, 1, 8, 8], "i8"),
    }
    nodes = [
        node("Reshape", ["x", "image"], ["i"]),
        node("Conv", ["i", "k", "kb"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]),
        node("BatchNormalization", ["c", "scale", "bias", "mean", "var"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        node("AveragePool", ["m"], ["a"], kernel_shape=[2, 2], pads=[0, 0, 1, 1]),
        node("GlobalAveragePool", ["a"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("Gemm", ["f", "w", "b"], ["l"], alpha=0.5, transB=0),
        node("Softmax", ["l"], ["p"], axis=-1),
    ]
    model = graph("convolution", nodes, weights, [("x", TensorProto.FLOAT, ["batch", 64])],
                  [("p", TensorProto.FLOAT, ["batch", 2])], 13)
    write("convolution", model, {"x": random.normal(size=(3, 64)).astype("f4")})

    weights = {
        "zero": np.array([0], "i8"), "one": np.array([1], "i8"), "last": np.array([2], "i8"), "two": np.array([1, 2], "i8"),
        "low": np.float32(-1), "high": np.float32(1), "g": np.ones(3, "f4"), "h": np.zeros(3, "f4"),
        "sizes": np.array([3, 3], "i8"), "flat": np.array([-1, 3], "i8"), "w": random.normal(size=(3, 3)).astype("f4"),
    }
    nodes = [
        node("Split", ["x", "sizes"], ["s0", "s1"], axis=1),
        node("Clip", ["s0", "low", "high"], ["c"]),
        node("LayerNormalization", ["s1", "g", "h"], ["n"], axis=-1),
        node("MatMul", ["n", "w"], ["m"]),
        node("Add", ["c", "m"], ["a"]),
        node("Gelu", ["a"], ["ge"]),
        node("Unsqueeze", ["ge", "two"], ["u"]),
        node("Squeeze", ["u", "one"], ["q"]),
        node("Transpose", ["q"], ["t"], perm=[0, 2, 1]),
        node("Reshape", ["t", "flat"], ["r"]),
        node("Slice", ["r", "zero", "last", "one"], ["sl"]),
        node("ReduceMean", ["r", "one"], ["rm"], keepdims=1),
        node("Constant", [], ["half"], value_float=0.5),
        node("Greater", ["sl", "half"], ["gt"]),
        node("Where", ["gt", "sl", "rm"], ["wh"]),
        node("Concat", ["wh", "rm"], ["cc"], axis=1),
        node("ReduceSum", ["cc", "one"], ["rs"], keepdims=0),
        node("ArgMax", ["cc"], ["label"], axis=1, keepdims=0),
        node("Cast", ["label"], ["numbers"], to=TensorProto.FLOAT),
        node("Mul", ["rs", "numbers"], ["product"]),
        node("Sigmoid", ["product"], ["y"]),
    ]
    model = graph("shapes", nodes, weights, [("x", TensorProto.FLOAT, ["batch", 6])],
                  [("y", TensorProto.FLOAT, ["batch"])], 20)
    write("shapes", model, {"x": random.normal(size=(3, 6)).astype("f4")})


if __name__ == "__main__":
    SEEDS.mkdir(exist_ok=True)
    tabular()
    pipeline()
    networks()
