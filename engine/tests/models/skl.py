"""What the scikit-learn families share: export of a fitted estimator with one wide input or one input per column."""

import json
import warnings

import numpy as np
import onnx
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.base import is_classifier

import tables
from suite import Export, case

warnings.filterwarnings("ignore")


def convert(model: object, inputs: list, extra: dict | None, opset: dict | None, raw: dict | None = None) -> onnx.ModelProto:
    """ZipMap off unless asked for, so that probabilities are one tensor; `raw` options replace the choice."""
    chosen = ({"zipmap": False} if is_classifier(model) and hasattr(model, "predict_proba") else {}) | (extra or {})
    return to_onnx(model, initial_types=inputs, options=raw or {id(model): chosen}, target_opset=opset)


def exact(values: np.ndarray) -> np.ndarray:
    """Floats as float64, so that the estimator calculates in it."""
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def native(model: object, pick):
    """What the estimator itself says: probabilities where it has them."""
    for method in ("predict_proba", "predict"):
        if hasattr(model, method):
            return lambda frame: getattr(model, method)(pick(frame))
    return None


def wide_export(model, columns: list[str], kind: type, tolerance: str, extra=None, opset=None, named=True, declaration=None,
                own=True, raw=None, **rest) -> Export:
    """One input [N, F]; the columns are named in the metadata or in the declaration."""
    tensor = {np.float32: FloatTensorType, np.float64: DoubleTensorType, np.int64: Int64TensorType, object: StringTensorType}[kind]
    graph = convert(model, [("X", tensor([None, len(columns)]))], extra, opset, raw)
    declaration = dict(declaration or {})
    if named:
        onnx.helper.set_model_props(graph, {"feature_names": json.dumps(columns)})
    else:
        declaration["features"] = columns
    return Export(graph, {"X": columns}, "skl2onnx", tolerance, declaration,
                  native(model, lambda frame: exact(frame[columns].to_numpy().astype(kind))) if own else None, **rest)


def wide(name: str, table: str, model, *, columns: int | None = None, kind=np.float32, tolerance: str | None = None,
         target=None, missing: bool = False, data: str | None = None, **rest) -> None:
    """Registers an estimator of a table's numbers, trained on the real rows: in float32, as the rows that it will score.
    `missing` puts holes into the training rows, `target` changes the training target."""

    @case(table, name)
    def build() -> Export:
        frame, classes = tables.training(data or table.split("_")[0])
        chosen = list(frame.columns[:columns])
        rows = frame[chosen].to_numpy().astype(kind)
        if missing:
            rows[np.random.default_rng(2).random(rows.shape) < 0.1] = np.nan
        model.fit(rows, classes if target is None else target(frame, classes))
        default = "probability" if is_classifier(model) else "value"
        return wide_export(model, chosen, kind, tolerance or default, **rest)


def credit_rows() -> tuple[pd.DataFrame, np.ndarray]:
    return tables.training("credit")


def with_holes(frame: pd.DataFrame, texts: str | None = None) -> pd.DataFrame:
    """Training rows with NaN in the numbers and, if given, `texts` in place of some texts."""
    random = np.random.default_rng(29)
    frame = frame.copy()
    for column in frame:
        if column in tables.CREDIT_NUMBERS:
            frame.loc[random.random(len(frame)) < 0.08, column] = np.nan
        elif texts is not None:
            frame[column] = frame[column].astype(object)
            frame.loc[random.random(len(frame)) < 0.05, column] = texts
    return frame


def column_export(model, columns: list[str], tolerance: str, extra=None, opset=None, declaration=None, **rest) -> Export:
    """One input [N, 1] per data-frame column."""
    kinds = [(column, (FloatTensorType if column in tables.CREDIT_NUMBERS else StringTensorType)([None, 1])) for column in columns]
    graph = convert(model, kinds, extra, opset)
    return Export(graph, {column: [column] for column in columns}, "skl2onnx", tolerance, declaration or {},
                  native(model, lambda frame: frame[columns]), **rest)


def credit(name: str, model, *, table="credit", columns=None, target=None, holes=False, texts=None, tolerance=None, null=None, **rest) -> None:
    """Registers a pipeline over the credit data's columns. `null` is the text that a registration declares for NULL."""

    @case(table, name)
    def build() -> Export:
        frame, classes = credit_rows()
        chosen = columns or tables.CREDIT_TEXTS + tables.CREDIT_NUMBERS
        rows = with_holes(frame, texts) if holes else frame
        model.fit(rows[chosen], classes if target is None else target(frame, classes))
        declaration = {}
        if null is not None:
            declaration["missing"] = {column: {"text": null} for column in chosen if column in tables.CREDIT_TEXTS}
        default = "probability" if is_classifier(model) else "value"
        return column_export(model, chosen, tolerance or default, declaration=declaration, **rest)
