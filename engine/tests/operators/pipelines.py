"""Writes fixtures of whole pipelines, as scikit-learn's converter exports them, with what onnxruntime scores.

python pipelines.py; needs scikit-learn, skl2onnx, onnxruntime, pandas and numpy.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DictionaryType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures"
WORDS = "pay the loan now please Card fraud stolen money transfer account É Über x-y FRAUD".split()
random = np.random.default_rng(11)
N, SHOWN = 300, 40

amounts = random.normal(size=(N, 3)).astype(np.float32)
texts = np.array([" ".join(random.choice(WORDS, size=random.integers(0, 9))) for _ in range(N)], dtype=object)
cities = random.choice(["Bern", "Wien", "Graz", "Linz"], size=N).astype(object)
kinds = np.digitize(amounts[:, 0] + amounts[:, 1], [-0.7, 0.7])
fraud = np.array(["fraud" in t.lower() or "stolen" in t for t in texts]).astype(int)


def write(name, model, rows, columns, feed, labels=None):
    """`rows` as a caller gives them, `feed` as onnxruntime takes row i."""
    served = onnx.ModelProto.FromString(model.SerializeToString())
    for node in served.graph.node:
        if node.op_type == "StringNormalizer":  # the default locale of onnxruntime may not be installed
            node.attribute.append(onnx.helper.make_attribute("locale", "C.UTF-8"))
    session = ort.InferenceSession(served.SerializeToString(), providers=["CPUExecutionProvider"])
    found = [session.run(None, feed(i)) for i in range(SHOWN)]
    record = {
        "columns": columns,
        "rows": [[x.item() if isinstance(x, np.generic) else x for x in row] for row in rows[:SHOWN]],
        "labels": [str(np.ravel(label)[0]) for label, _ in found],
        "probabilities": [np.ravel(p).astype(float).tolist() for _, p in found],
    }
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    (FOLDER / f"{name}.json").write_text(json.dumps(record, ensure_ascii=False))


def exported(pipeline, inputs):
    return convert_sklearn(
        pipeline, initial_types=inputs, options={id(pipeline): {"zipmap": False}}, target_opset={"": 17, "ai.onnx.ml": 3}
    )


logistic = lambda: LogisticRegression(max_iter=1000)

pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), logistic()).fit(texts, fraud)
model = exported(pipeline, [("message", StringTensorType([None, 1]))])
write("message_tfidf", model, [[t] for t in texts], ["message"], lambda i: {"message": texts[i : i + 1].reshape(1, 1)})

frame = pd.DataFrame({"amount": amounts[:, 0], "age": (amounts[:, 1] * 9).astype(np.int64), "city": cities, "message": texts})
columns = ColumnTransformer(
    [
        ("amount", make_pipeline(SimpleImputer(), StandardScaler()), ["amount"]),
        ("age", StandardScaler(), ["age"]),
        ("city", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ("message", TfidfVectorizer(token_pattern="[a-zA-Z]+"), "message"),
    ]
)
pipeline = make_pipeline(columns, logistic()).fit(frame, fraud)
types = {"amount": FloatTensorType, "age": Int64TensorType, "city": StringTensorType, "message": StringTensorType}
model = exported(pipeline, [(n, t([None, 1])) for n, t in types.items()])
held = {n: frame[n].to_numpy(object if t is StringTensorType else None) for n, t in types.items()}
one = lambda i: {n: held[n][i : i + 1].reshape(1, 1) for n in types}
write("message_mixed", model, frame.values.tolist(), list(types), one)

names = np.array(["low", "middle", "high"])[kinds]
pipeline = make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)).fit(amounts[:80], names[:80])
inputs = [(f"v{i}", FloatTensorType([None, 1])) for i in range(3)]
single = lambda i: {f"v{k}": amounts[i : i + 1, k : k + 1] for k in range(3)}
model = exported(pipeline, inputs)
write("vectors_svc", model, amounts.tolist(), ["v0", "v1", "v2"], single)

maps = [{"debit": float(a), "credit": float(b), "fee": float(c)} for a, b, c in amounts]
pipeline = make_pipeline(DictVectorizer(sparse=False), logistic()).fit(maps, kinds > 1)
model = exported(pipeline, [("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))])
write("dictionary_logistic", model, amounts.tolist(), ["debit", "credit", "fee"], lambda i: {"x": maps[i]})
