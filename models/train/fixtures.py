"""Trains small models of other kinds on the same real rows and writes them to engine/tests/fixtures/ with onnxruntime's answers.

Each <name>.json holds 200 input rows (null: NaN) and what the runtime returned for them, row by row:
scores for a regression, probabilities and labels for a classification.
The fraud rows come from PostgreSQL as for fraud_prob.py.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import german
import transactions
from publish import Feed, column_feed, run, serialize, wide_feed

FIXTURES = Path(__file__).resolve().parents[2] / "engine" / "tests" / "fixtures"
ROWS = 200
OPSET = {"": 17, "ai.onnx.ml": 3}
NUMBERS = list(german.NUMBERS)


def column_graph(model: Pipeline, text: list[str], numbers: list[str]) -> onnx.ModelProto:
    """One input [N,1] per column."""
    inputs = [(name, StringTensorType([None, 1])) for name in text] + [(name, FloatTensorType([None, 1])) for name in numbers]
    return to_onnx(model, initial_types=inputs, options=zipmap_off(model), target_opset=OPSET)


def wide_graph(model: Pipeline, columns: list[str]) -> onnx.ModelProto:
    """One input [N,F], its columns named in the metadata."""
    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, len(columns)]))], options=zipmap_off(model), target_opset=OPSET)
    onnx.helper.set_model_props(graph, {"feature_names": json.dumps(columns)})
    return graph


def zipmap_off(model: Pipeline) -> dict | None:
    return {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None


def cell(value: object) -> object:
    """A value as JSON has it: NaN is null, a number is the float32 that the model reads."""
    if isinstance(value, str):
        return value
    return None if np.isnan(value) else float(np.float32(value))


def write(name: str, graph: onnx.ModelProto, feed: Feed, rows: pd.DataFrame, columns: list[str], native: np.ndarray) -> None:
    """Both files; every row is scored alone. Native: scikit-learn's probabilities or predictions, to compare with."""
    content = serialize(graph)
    outputs = [run(content, feed(rows.iloc[[index]])) for index in range(len(rows))]
    document = {"columns": columns, "rows": [[cell(value) for value in row] for row in rows[columns].itertuples(index=False)]}
    if len(outputs[0]) == 1:
        document["scores"] = [float(values[0, 0]) for (values,) in outputs]
        difference = np.abs(np.array(document["scores"]) / native - 1)
    else:
        document["probabilities"] = [[float(p) for p in values[0]] for _, values in outputs]
        document["labels"] = [str(labels[0]) for labels, _ in outputs]
        difference = np.abs(np.array(document["probabilities"]) - native)
    (FIXTURES / f"{name}.onnx").write_bytes(content)
    (FIXTURES / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False) + "\n")
    print(f"{name}.onnx: {len(content)} bytes, operators {sorted({node.op_type for node in graph.graph.node})}, "
          f"from scikit-learn at most {difference.max():.2g}")


def one_hot(data: pd.DataFrame, names: list[str], unknown: str) -> list[tuple]:
    return [(name, OneHotEncoder(categories=[sorted(data[name].unique())], handle_unknown=unknown, sparse_output=False), [name]) for name in names]


def german_classifiers(data: pd.DataFrame, train: pd.DataFrame, rows: pd.DataFrame) -> None:
    """P(bad) behind the encoders and scalers that scikit-learn users choose."""
    text = list(german.TEXT)
    ordinal = [(name, OrdinalEncoder(categories=[sorted(data[name].unique())]), [name]) for name in text]
    numbers = [("numbers", "passthrough", NUMBERS)]
    feed = column_feed(text, NUMBERS)
    hgb = Pipeline([("columns", ColumnTransformer([*ordinal, *numbers])),
                    ("classifier", HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0))])
    hgb.fit(train[text + NUMBERS], train[german.TARGET])
    write("german_hgb", column_graph(hgb, text, NUMBERS), feed, rows, text + NUMBERS, hgb.predict_proba(rows[text + NUMBERS]))

    forest = Pipeline([("columns", ColumnTransformer([*one_hot(data, text, "ignore"), *numbers])),
                       ("classifier", RandomForestClassifier(20, max_depth=10, random_state=0))])
    forest.fit(train[text + NUMBERS], train[german.TARGET])
    unknown = rows.copy()
    unknown.iloc[::20, unknown.columns.get_loc("purpose")] = "a purpose that no training row has"
    write("german_rf", column_graph(forest, text, NUMBERS), feed, unknown, text + NUMBERS, forest.predict_proba(unknown[text + NUMBERS]))

    network = make_pipeline(StandardScaler(), MLPClassifier((16, 8), max_iter=500, random_state=0))
    network.fit(train[NUMBERS].to_numpy(), train[german.TARGET])
    write("german_mlp", wide_graph(network, NUMBERS), wide_feed("X", NUMBERS), rows, NUMBERS, network.predict_proba(rows[NUMBERS].to_numpy()))


def german_amount(train: pd.DataFrame, rows: pd.DataFrame) -> None:
    """A regression: the amount of the credit from the other numbers."""
    columns = [name for name in NUMBERS if name != "credit_amount"]
    model = make_pipeline(ColumnTransformer([("numbers", "passthrough", columns)]), GradientBoostingRegressor(n_estimators=60, random_state=0))
    model.fit(train[columns], train["credit_amount"])
    write("german_gbr", column_graph(model, [], columns), column_feed([], columns), rows, columns, model.predict(rows[columns]))


def german_housing(data: pd.DataFrame, train: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Three classes: own, rent, for free."""
    text = [name for name in german.TEXT if name != "housing"]
    columns = ColumnTransformer([*one_hot(data, text, "error"), ("numbers", StandardScaler(), NUMBERS)])
    model = Pipeline([("columns", columns), ("classifier", LogisticRegression(max_iter=2000))])
    model.fit(train[text + NUMBERS], train["housing"])
    write("german_multi", column_graph(model, text, NUMBERS), column_feed(text, NUMBERS), rows, text + NUMBERS, model.predict_proba(rows[text + NUMBERS]))


def fraud_imputed(tx: pd.DataFrame) -> None:
    """Fraud features with holes, filled by an imputer inside the model."""
    columns = list(transactions.FEATURES)
    train, test = transactions.split(tx)
    holes = np.random.default_rng(0).random((len(train), len(columns))) < 0.05
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(np.where(holes, np.nan, transactions.features(train)), train["tx_fraud"])
    rows = pd.concat([test[test["tx_fraud"] == 1].head(ROWS // 2), test[test["tx_fraud"] == 0].head(ROWS // 2)])[columns].astype(np.float32)
    rows = rows.mask(np.random.default_rng(1).random(rows.shape) < 0.1)
    write("fraud_imputed", wide_graph(model, columns), wide_feed("X", columns), rows, columns, model.predict_proba(rows.to_numpy(dtype=np.float64)))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--csv", help="demo.txn_velocity as a CSV file; without it, the PostgreSQL server is asked")
    FIXTURES.mkdir(exist_ok=True)
    data = german.read_applications()
    train, holdout = german.split(data)
    rows = holdout.head(ROWS)
    german_classifiers(data, train, rows)
    german_amount(train, rows)
    german_housing(data, train, rows)
    fraud_imputed(transactions.read_transactions(arguments.parse_args().csv))


if __name__ == "__main__":
    main()
