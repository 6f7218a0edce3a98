"""Trains the bundled model credit_score: P(bad) of a credit application, on Statlog German Credit.

Candidates are compared by cross-validation on the training rows; the held-out rows only measure the winner.
"""

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import german
from metrics import binary_metrics
from publish import REFERENCE_ROWS, column_feed, library_versions, publish, run

SEED = 42
OPSET = {"": 17, "ai.onnx.ml": 3}


def pipeline(data: pd.DataFrame, classifier, scale: bool = False) -> Pipeline:
    """Encoders for the texts (an unknown category is an error), numbers scaled or as they are, then a classifier."""
    encoders = [
        (name, OneHotEncoder(categories=[sorted(data[name].unique())], handle_unknown="error", sparse_output=False), [name])
        for name in german.TEXT
    ]
    numbers = ("numbers", StandardScaler() if scale else "passthrough", list(german.NUMBERS))
    return Pipeline([("columns", ColumnTransformer([*encoders, numbers])), ("classifier", classifier)])


def candidates(data: pd.DataFrame) -> dict[str, Pipeline]:
    """What is compared, by the name that the README's table gives it."""
    return {
        "logistic regression, C=0.2": pipeline(data, LogisticRegression(C=0.2, max_iter=2000), scale=True),
        "random forest, 300 trees": pipeline(data, RandomForestClassifier(300, min_samples_leaf=3, random_state=SEED)),
        "HistGradientBoosting, 100 trees of 7 leaves": pipeline(data, HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=100, max_leaf_nodes=7, l2_regularization=5, random_state=SEED)),
        "gradient boosting, 150 trees of depth 3": pipeline(data, GradientBoostingClassifier(
            n_estimators=150, learning_rate=0.05, max_depth=3, subsample=0.6, max_features=0.3, random_state=SEED)),
    }


def compare(models: dict[str, Pipeline], rows: pd.DataFrame, bad: pd.Series) -> str:
    """Prints mean AUC and Brier score of 5 folds repeated 4 times; returns the name with the best AUC."""
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=SEED)
    mean_auc = {}
    for name, model in models.items():
        auc = cross_val_score(model, rows, bad, cv=folds, scoring="roc_auc", n_jobs=2)
        brier = -cross_val_score(model, rows, bad, cv=folds, scoring="neg_brier_score", n_jobs=2)
        mean_auc[name] = auc.mean()
        print(f"{name:45} AUC {auc.mean():.4f} (sd {auc.std():.4f}), Brier {brier.mean():.4f}")
    return max(mean_auc, key=mean_auc.get)


def main() -> None:
    data = german.read_applications()
    train, holdout = german.split(data)
    features = [*german.TEXT, *german.NUMBERS]
    models = candidates(data)
    best = compare(models, train[features], (train[german.TARGET] == "bad").astype(int))

    held_out = {}
    for name, model in models.items():
        model.fit(train[features], train[german.TARGET])
        positive = list(model.classes_).index("bad")
        held_out[name] = binary_metrics(holdout[german.TARGET] == "bad", model.predict_proba(holdout[features])[:, positive])
        print(f"{name:45} held out: {held_out[name]}")

    print(f"chosen: {best}")
    model = models[best]
    inputs = [(name, StringTensorType([None, 1])) for name in german.TEXT]
    inputs += [(name, FloatTensorType([None, 1])) for name in german.NUMBERS]
    graph = to_onnx(model, initial_types=inputs, options={id(model): {"zipmap": False}}, target_opset=OPSET)
    graph.graph.name = "credit_score"
    feed = column_feed(list(german.TEXT), list(german.NUMBERS))

    score = run(graph.SerializeToString(), feed(holdout))[1][:, positive]
    difference = np.abs(score - model.predict_proba(holdout[features])[:, positive])
    print(f"onnxruntime against scikit-learn on {len(holdout)} rows: at most {difference.max():.3g}")

    classifier = model.named_steps["classifier"]
    changed = {key: value for key, value in classifier.get_params().items()
               if value != clone(type(classifier)()).get_params()[key]}
    contract = {
        "description": "Probability that an applicant's credit ends badly",
        "use_case": "credit scoring",
        "task": "binary",
        "labels": list(model.classes_),
        "output": "bad",
        "declaration": {"missing": {name: "error" for name in german.NUMBERS}},
        "columns": [
            *({"name": name, "type": "text", "description": text, "unit": "category"} for name, text in german.TEXT.items()),
            *({"name": name, "type": "real", "description": text, "unit": unit} for name, (text, unit) in german.NUMBERS.items()),
        ],
        "source": german.source(),
        "training": {
            "script": "models/train/credit_score.py",
            "algorithm": type(classifier).__name__,
            "parameters": changed,
            "library_versions": library_versions("scikit-learn", "skl2onnx", "onnx", "numpy"),
            "excluded": german.EXCLUDED,
        },
        "metrics": {"holdout": {"rows": len(holdout), "selection": "id % 10 >= 7", "bad_share": round(float((holdout[german.TARGET] == "bad").mean()), 4)} | held_out[best]},
    }
    publish("credit_score", graph, contract, feed, holdout.head(REFERENCE_ROWS))


if __name__ == "__main__":
    main()
