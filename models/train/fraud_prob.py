"""Trains the bundled model fraud_prob: P(fraud) of a card transaction, on the simulator's transactions.

Needs demo/simulator.sql run with its defaults (5,000 customers, 10,000 terminals, 183 days, seed 0) and demo/features.sql.
Parameters are chosen on four earlier weeks; the test week only measures what was chosen.
"""

import argparse
import hashlib

import lightgbm
import numpy as np
import onnx
import pandas as pd
from lightgbm import LGBMClassifier
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import transactions
from metrics import binary_metrics, card_precision
from publish import REFERENCE_ROWS, library_versions, publish, run, wide_feed

SEED = 0
COLUMNS = list(transactions.FEATURES)
COMMON = {"n_estimators": 200, "learning_rate": 0.05, "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 5.0,
          "min_child_samples": 20, "random_state": SEED, "n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
GRID = [COMMON | {"num_leaves": leaves, "colsample_bytree": share} for leaves in (7, 15, 31) for share in (0.6, 1.0)]


def measure(model, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Fits on one week and measures on another."""
    model.fit(transactions.features(train), train["tx_fraud"])
    score = model.predict_proba(transactions.features(test))[:, 1]
    return binary_metrics(test["tx_fraud"], score) | {"card_precision_at_100": round(card_precision(test, score), 4)}


def choose(tx: pd.DataFrame) -> dict:
    """The parameters with the best mean average precision on the four weeks before the training week."""
    folds = [transactions.split(tx, transactions.TRAIN_START - pd.Timedelta(weeks=week)) for week in (1, 2, 3, 4)]
    best, best_precision = GRID[0], 0.0
    for parameters in GRID:
        results = pd.DataFrame([measure(LGBMClassifier(**parameters), *fold) for fold in folds]).mean()
        print(f"{parameters['num_leaves']} leaves, {parameters['colsample_bytree']} of the columns: AUC {results['auc']:.4f}, "
              f"AP {results['average_precision']:.4f}, CP@100 {results['card_precision_at_100']:.4f}")
        if results["average_precision"] > best_precision:
            best, best_precision = parameters, results["average_precision"]
    return best


def float32_thresholds(booster: lightgbm.Booster) -> lightgbm.Booster:
    """The model with every threshold lowered to the next float32: the same answers on float32 inputs.

    ONNX stores thresholds as float32, and an exporter that rounds one upwards sends a row that lies on it to the other side.
    """
    lines = []
    for line in booster.model_to_string().splitlines():
        if line.startswith("threshold="):
            exact = np.array(line.removeprefix("threshold=").split(), dtype=np.float64)
            near = exact.astype(np.float32)
            lower = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
            line = "threshold=" + " ".join(repr(float(value)) for value in lower)
        if not line.startswith("tree_sizes="):
            lines.append(line)
    return lightgbm.Booster(model_str="\n".join(lines))


def export(booster: lightgbm.Booster) -> onnx.ModelProto:
    """One input X [N,15]; outputs label (int64) and probabilities [N,2]."""
    graph = convert_lightgbm(booster, "fraud_prob", [("X", FloatTensorType([None, len(COLUMNS)]))], target_opset=15, zipmap=False)
    label = graph.graph.output[0].type.tensor_type.shape
    label.dim[0].Clear()  # the converter declares one label whatever the number of rows
    transactions.name_features(graph)
    return graph


def difference(model: LGBMClassifier, graph: onnx.ModelProto, test: pd.DataFrame) -> dict:
    """How far onnxruntime on the exported file is from native LightGBM."""
    native = model.predict_proba(transactions.features(test))[:, 1]
    exported = run(graph.SerializeToString(), {"X": test[COLUMNS].to_numpy(dtype=np.float32)})[1][:, 1]
    distance = np.abs(native - exported)
    return {"rows": len(test), "largest": float(f"{distance.max():.3g}"), "rows_above_1e-6": int((distance > 1e-6).sum())}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--csv", help="demo.txn_velocity as a CSV file; without it, the PostgreSQL server is asked")
    tx = transactions.read_transactions(arguments.parse_args().csv)
    train, test = transactions.split(tx)
    print(f"train {len(train)} rows, {train['tx_fraud'].sum()} frauds; test {len(test)} rows, {test['tx_fraud'].sum()} frauds")

    parameters = choose(tx)
    print(f"chosen: {parameters['num_leaves']} leaves, {parameters['colsample_bytree']} of the columns")
    model = LGBMClassifier(**parameters)
    results = {
        "logistic regression": measure(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), train, test),
        "random forest": measure(RandomForestClassifier(n_jobs=2, random_state=SEED), train, test),
        "fraud_prob": measure(model, train, test),
    }
    for name, values in results.items():
        print(f"{name}: {values}")

    print(f"onnxruntime against LightGBM, thresholds as exported: {difference(model, export(model.booster_), test)}")
    graph = export(float32_thresholds(model.booster_))
    native = difference(model, graph, test)
    print(f"onnxruntime against LightGBM, thresholds lowered: {native}")
    frauds, others = test[test["tx_fraud"] == 1], test[test["tx_fraud"] == 0]
    half = REFERENCE_ROWS // 2
    reference_rows = pd.concat([frauds.sample(half, random_state=SEED), others.sample(half, random_state=SEED)]).sort_values("tx_id")
    digest = hashlib.sha256(tx[["tx_id", *COLUMNS, "tx_fraud"]].to_csv(index=False).encode()).hexdigest()
    contract = {
        "description": "Probability that a card transaction is a fraud",
        "use_case": "fraud detection",
        "task": "binary",
        "labels": ["0", "1"],
        "output": "1",
        "declaration": {"missing": {name: "error" for name in COLUMNS}},
        "columns": [{"name": name, "type": "real", "description": text, "unit": unit}
                    for name, (text, unit) in transactions.FEATURES.items()],
        "source": {
            "data": "simulated card transactions: demo/simulator.sql with its defaults (seed 0), features of demo/features.sql",
            "licence": "PostgreSQL License",
            "attribution": "simulator written anew from the parameters of the Fraud Detection Handbook "
            "(Le Borgne, Siblini, Lebichot, Bontempi, 2022)",
            "sha256": digest,
            "rows": len(tx),
        },
        "training": {
            "script": "models/train/fraud_prob.py",
            "algorithm": "LightGBM",
            "parameters": parameters | {"train": "2018-07-25 to 2018-07-31", "delay_days": transactions.DELAY_DAYS},
            "library_versions": library_versions("lightgbm", "onnxmltools", "onnx", "numpy"),
            "excluded": [],
        },
        "metrics": {
            "holdout": {"rows": len(test), "fraud_share": round(test["tx_fraud"].mean(), 4), "period": "2018-08-08 to 2018-08-14"}
            | results["fraud_prob"],
            "onnxruntime_against_lightgbm": native,
        },
    }
    publish("fraud_prob", graph, contract, wide_feed("X", COLUMNS), reference_rows)


if __name__ == "__main__":
    main()
