"""Writes the cases of this folder: one small graph each, with what onnxruntime makes of some rows.

python make.py; needs onnx, onnxruntime and numpy. A file holds the cases of one group of operators.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FOLDER = pathlib.Path(__file__).parent
TYPES = {"float32": T.FLOAT, "float64": T.DOUBLE, "int64": T.INT64, "bool": T.BOOL, "object": T.STRING}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.nan, np.inf, -np.inf, 1e-3, 7.0], dtype=np.float32)
random = np.random.default_rng(7)
cases = {}


def cells(array):
    def cell(x):
        if isinstance(x, (float, np.floating)) and not np.isfinite(x):
            return "NaN" if np.isnan(x) else ("inf" if x > 0 else "-inf")
        return x.item() if isinstance(x, np.generic) else x

    return {"type": str(array.dtype), "shape": list(array.shape), "cells": [cell(x) for x in array.ravel()]}


def case(group, nodes, feed, outputs, opset=17, ml=3, constants=None, apart=False, locale=False, tolerance=None):
    """Adds a case. `outputs` are name -> dtype; `apart` runs onnxruntime row by row."""
    feed = {name: np.asarray(value) for name, value in feed.items()}
    info = [h.make_tensor_value_info(n, TYPES[str(v.dtype)], ["N", *v.shape[1:]]) for n, v in feed.items()]
    constants = [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()]
    sets = [("", opset), ("ai.onnx.ml", ml), ("com.microsoft", 1)]
    model = h.make_model(
        h.make_graph(nodes, "g", info, [h.make_tensor_value_info(n, TYPES[t], None) for n, t in outputs.items()], constants),
        opset_imports=[h.make_opsetid(*s) for s in sets],
        ir_version=8,
    )
    bytes_ = model.SerializeToString()
    if locale:  # the default locale of onnxruntime may not be installed
        for node in model.graph.node:
            if node.op_type == "StringNormalizer":
                node.attribute.append(h.make_attribute("locale", "C.UTF-8"))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rows = len(next(iter(feed.values())))
    parts = range(rows) if apart else [None]
    found = []
    for part in parts:
        some = feed if part is None else {n: v[part : part + 1] for n, v in feed.items()}
        found.append(session.run(list(outputs), some))
    found = [np.concatenate([part[i] for part in found]) for i in range(len(outputs))]
    cases.setdefault(group, []).append(
        {
            "model": bytes_.hex(),
            "inputs": {n: cells(v) for n, v in feed.items()},
            "outputs": {n: cells(v) for n, v in zip(outputs, found)},
            **({"tolerance": tolerance} if tolerance else {}),
        }
    )


def ml(op, inputs, outputs, **attributes):
    return h.make_node(op, inputs, outputs, domain="ai.onnx.ml", **attributes)


def text(*values):
    return np.array(values, dtype=object).reshape(-1, 1)


def rows(n, width, dtype=np.float32):
    if dtype == np.int64:
        return random.integers(-5, 6, size=(n, width))
    return random.normal(size=(n, width)).astype(dtype)


POSTS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]


def support_vector_machines():
    for kernel in ["LINEAR", "POLY", "RBF", "SIGMOID"]:
        for classes in [2, 3]:
            for probabilities in [False, True]:
                for post in POSTS if kernel == "RBF" else ["NONE"]:
                    if post == "PROBIT" and classes == 2 and not probabilities:
                        continue  # onnxruntime leaves the second column unwritten
                    per = [3, 4, 2][:classes]
                    pairs = classes * (classes - 1) // 2
                    attributes = dict(
                        kernel_type=kernel,
                        kernel_params=[0.3, 0.2, 2.5 if classes == 2 else 3.0],
                        vectors_per_class=per,
                        support_vectors=np.abs(rows(sum(per), 3)).ravel(),
                        coefficients=rows(classes - 1, sum(per)).ravel(),
                        rho=rows(1, pairs)[0],
                        post_transform=post,
                        classlabels_ints=[5, 3, 9][:classes],
                    )
                    if probabilities:
                        attributes |= dict(prob_a=-np.abs(rows(1, pairs)[0]) - 0.5, prob_b=rows(1, pairs)[0] / 4)
                    x = np.abs(rows(20, 3)) if kernel == "POLY" else rows(20, 3)
                    node = ml("SVMClassifier", ["x"], ["l", "p"], **attributes)
                    # The approximation of PROBIT loses digits near one half.
                    case("svm", [node], {"x": x}, {"l": "int64", "p": "float32"}, tolerance=2e-3 if post == "PROBIT" else None)
        for one_class in [0, 1]:
            node = ml(
                "SVMRegressor", ["x"], ["y"], kernel_type=kernel, kernel_params=[0.5, 0.1, 2.0], n_supports=5,
                support_vectors=rows(5, 9).ravel(), coefficients=rows(1, 5)[0], rho=[0.25], one_class=one_class,
            )
            case("svm", [node], {"x": rows(10, 9)}, {"y": "float32"})
    for dtype in [np.float64, np.int64]:
        node = ml(
            "SVMClassifier", ["x"], ["l", "p"], kernel_type="RBF", kernel_params=[0.1, 0.0, 3.0], vectors_per_class=[1, 2],
            support_vectors=rows(3, 2).ravel(), coefficients=[1.0, -0.5, -0.5], rho=[0.1], prob_a=[-2.0], prob_b=[0.1],
            classlabels_strings=["bad", "good"],
        )
        case("svm", [node], {"x": rows(10, 2, dtype)}, {"l": "object", "p": "float32"})
    for classes in [2, 3]:
        for weights in [rows(classes, 3), np.abs(rows(classes, 3))]:
            for post in POSTS[:4]:
                node = ml(
                    "SVMClassifier", ["x"], ["l", "p"], coefficients=weights.ravel(), rho=[0.2], kernel_params=[0.1, 0.2, 3.0],
                    kernel_type="RBF", classlabels_ints=list(range(classes)), post_transform=post,
                )
                case("svm", [node], {"x": rows(20, 3)}, {"l": "int64", "p": "float32"})
    node = ml("SVMRegressor", ["x"], ["y"], coefficients=rows(1, 4)[0], rho=[0.5], n_supports=0, kernel_params=[1.0, 0.0, 3.0])
    case("svm", [node], {"x": rows(10, 4)}, {"y": "float32"})


def linear():
    for outputs, labels in [(1, 2), (2, 2), (3, 3)]:
        for post in POSTS:
            if post == "PROBIT" and outputs == 1:
                continue
            for dtype in [np.float32, np.float64, np.int64] if post == "NONE" else [np.float32]:
                for names in [dict(classlabels_ints=[4, 7, 1][:labels]), dict(classlabels_strings=["a", "b", "c"][:labels])]:
                    small = 0.1 if post == "PROBIT" else 1
                    node = ml(
                        "LinearClassifier", ["x"], ["l", "p"], coefficients=rows(outputs, 3).ravel() / 3 * small,
                        intercepts=rows(1, outputs)[0] / 3 * small + (0.5 if post == "PROBIT" else 0), post_transform=post,
                        multi_class=0, **names,
                    )
                    kind = "int64" if "classlabels_ints" in names else "object"
                    x = np.clip(rows(10, 3, dtype), -1, 1)
                    case("linear", [node], {"x": x}, {"l": kind, "p": "float32"}, tolerance=2e-3 if post == "PROBIT" else None)
    for targets in [1, 2]:
        for post in POSTS[:4]:
            node = ml(
                "LinearRegressor", ["x"], ["y"], coefficients=rows(targets, 3).ravel(), intercepts=rows(1, targets)[0],
                targets=targets, post_transform=post,
            )
            case("linear", [node], {"x": rows(10, 3)}, {"y": "float32"})


def encoders():
    keys = {
        "strings": (["a", "b", "é"], text("a", "é", "x", "b", "")),
        "int64s": ([1, 5, -3], np.array([[1], [5], [0], [-3]])),
        "floats": ([1.5, float("nan"), 0.0], np.array([[1.5], [np.nan], [-0.0], [2]], dtype=np.float32)),
    }
    values = {"strings": ["one", "two", "three"], "int64s": [7, 8, 9], "floats": [0.5, 1.5, 2.5]}
    kinds = {"strings": "object", "int64s": "int64", "floats": "float32"}
    defaults = {"strings": dict(default_string="?"), "int64s": dict(default_int64=-9), "floats": dict(default_float=-0.5)}
    for k, (key, x) in keys.items():
        for v, value in values.items():
            for default in [{}, defaults[v]]:
                node = ml("LabelEncoder", ["x"], ["y"], **{f"keys_{k}": key, f"values_{v}": value}, **default)
                case("encoders", [node], {"x": x}, {"y": kinds[v]})
    node = ml("LabelEncoder", ["x"], ["y"], keys_strings=["a", "b", "a"], values_int64s=[1, 2, 3])
    case("encoders", [node], {"x": np.hstack([text("a", "b"), text("b", "c")])}, {"y": "int64"})
    for dtype, x in [(np.float64, np.array([[0.1], [np.nan], [3.0]])), (np.int64, np.array([[1], [2], [3]]))]:
        key = np.array([0.1, np.nan], dtype=dtype) if dtype == np.float64 else np.array([1, 2])
        for value, default in [
            (np.array([0.25, 0.5]).astype(np.float64), np.array([-1.0])),
            (np.array(["p", "q"], dtype=object), np.array(["none"], dtype=object)),
            (np.array([3, 4]), np.array([0])),
        ]:
            if (dtype, value.dtype) in [(np.int64, np.float64)]:
                value, default = value.astype(np.float32), default.astype(np.float32)
            node = ml(
                "LabelEncoder", ["x"], ["y"], keys_tensor=numpy_helper.from_array(key),
                values_tensor=numpy_helper.from_array(value), default_tensor=numpy_helper.from_array(default),
            )
            case("encoders", [node], {"x": x}, {"y": str(value.dtype)}, ml=4)
    for x, kind in [(text("b", "a", "z"), "int64"), (np.array([[1], [0], [9], [-1]]), "object")]:
        node = ml("LabelEncoder", ["x"], ["y"], classes_strings=["a", "b"], default_int64=-7, default_string="none")
        case("encoders", [node], {"x": x}, {"y": kind}, ml=1)
        node = ml("CategoryMapper", ["x"], ["y"], cats_strings=["a", "b", "z"], cats_int64s=[1, 0, 5], default_int64=-2, default_string="-")
        case("encoders", [node], {"x": x}, {"y": kind})
        node = ml("CategoryMapper", ["x"], ["y"], cats_strings=["a", "b", "a"], cats_int64s=[1, 0, 1])
        case("encoders", [node], {"x": x}, {"y": kind})
    for x, cats in [
        (np.hstack([text("a", "b", "?"), text("b", "b", "a")]), dict(cats_strings=["a", "b"])),
        (np.array([[1, 2], [3, 9]]), dict(cats_int64s=[1, 2, 3])),
        (np.array([[1.0, 2.0], [3.0, 2.9]], dtype=np.float32), dict(cats_int64s=[1, 2, 3])),
        (np.array([[1.0, 2.0], [3.0, 2.9]]), dict(cats_int64s=[1, 2, 3])),
    ]:
        case("encoders", [ml("OneHotEncoder", ["x"], ["y"], zeros=1, **cats)], {"x": x}, {"y": "float32"})


def scaling():
    for dtype in [np.float32, np.float64, np.int64]:
        x = rows(6, 3, dtype)
        case("scaling", [ml("Scaler", ["x"], ["y"], offset=[0.5, -1.0, 2.0], scale=[2.0, 0.1, 3.0])], {"x": x}, {"y": "float32"})
        case("scaling", [ml("Scaler", ["x"], ["y"], offset=[0.5], scale=[2.0])], {"x": x}, {"y": "float32"})
        for norm in ["MAX", "L1", "L2"]:
            x = np.vstack([rows(6, 3, dtype), np.zeros((1, 3), dtype=dtype)])
            case("scaling", [ml("Normalizer", ["x"], ["y"], norm=norm)], {"x": x}, {"y": "float32"})
    x = np.array([[np.nan, 1.0, -1.0], [0.0, np.nan, 2.0]], dtype=np.float32)
    for value in [[9.0], [7.0, 8.0, 9.0]]:
        node = ml("Imputer", ["x"], ["y"], imputed_value_floats=value, replaced_value_float=float("nan"))
        case("scaling", [node], {"x": x}, {"y": "float32"})
        node = ml("Imputer", ["x"], ["y"], imputed_value_floats=value, replaced_value_float=-1.0)
        case("scaling", [node], {"x": x}, {"y": "float32"})
        node = ml("Imputer", ["x"], ["y"], imputed_value_int64s=[int(v) for v in value], replaced_value_int64=-1)
        case("scaling", [node], {"x": np.array([[-1, 0, -1], [3, -1, 5]])}, {"y": "int64"})
    case("scaling", [ml("Binarizer", ["x"], ["y"], threshold=0.5)], {"x": SPECIAL[~np.isnan(SPECIAL)].reshape(-1, 1)}, {"y": "float32"})
    node = ml("FeatureVectorizer", ["x", "z"], ["y"], inputdimensions=[2, 3])
    case("scaling", [node], {"x": rows(4, 2), "z": rows(4, 3)}, {"y": "float32"})
    for x in [rows(4, 3), rows(4, 3, np.int64), rows(4, 3, np.float64), np.hstack([text("a", "b"), text("c", "d"), text("e", "f")])]:
        node = ml("ArrayFeatureExtractor", ["x", "i"], ["y"])
        case("scaling", [node], {"x": x}, {"y": str(x.dtype)}, constants={"i": np.array([2, 0, 2])})


def texts():
    newer = {0x19B, 0x264, 0x1C89, 0x1C8A}  # their other case is younger than some C libraries
    letters = [chr(c) for c in range(32, 0x2FFF) if c not in newer]
    lines = np.array(["".join(letters[i : i + 200]) for i in range(0, len(letters), 200)], dtype=object)
    for action in ["LOWER", "UPPER", "NONE"]:
        node = h.make_node("StringNormalizer", ["x"], ["y"], case_change_action=action, is_case_sensitive=0)
        case("texts", [node], {"x": lines}, {"y": "object"}, locale=True)
    words = text(
        "pay the loan", "", "the THE é x-y", "fraud  card fraud the", "a", "loan the loan the loan", "card card card card", "x",
    )
    pool = ["loan", "the", "card", "x", "é", "fraud", "pay", "the", "loan", "card", "card", "the", "x", "the", "loan", "the"]
    starts, indexes = [0, 6, 12], [3, 0, 1, 2, 5, 4, 8, 7, 6]
    pool = pool[:6] + ["the", "loan", "card", "card", "loan", "the"] + ["the", "loan", "the"]
    indexes = [3, 0, 1, 2, 5, 4, 8, 7, 6, 9]
    cuts = [
        dict(tokenexp="[a-zA-Zé]+"), dict(tokenexp=r"\w+"), dict(tokenexp=r"\b\w\w+\b"), dict(separators=[" "]),
        dict(separators=["th", " "]), dict(tokenexp=r"[a-z]+|[A-Z]+ ?"),
    ]
    tokenizer = lambda **a: h.make_node("Tokenizer", ["x"], ["t"], domain="com.microsoft", pad_value="#", mark=0, **{"mincharnum": 1, **a})
    for cut in cuts:
        for least in [1, 2]:
            for lengths, mode in [((1, 3), "TF"), ((2, 2), "TFIDF"), ((1, 1), "IDF"), ((2, 3), "IDF")]:
                for skip in [0, 2]:
                    vector = h.make_node(
                        "TfIdfVectorizer", ["f"], ["y"], mode=mode, min_gram_length=lengths[0], max_gram_length=lengths[1],
                        max_skip_count=skip, ngram_counts=starts, ngram_indexes=indexes, pool_strings=pool,
                        weights=[0.5 + i for i in range(10)],
                    )
                    nodes = [tokenizer(mincharnum=least, **cut), h.make_node("Flatten", ["t"], ["f"]), vector]
                    case("texts", nodes, {"x": words}, {"y": "float32"}, apart=True)
    characters = h.make_node(
        "TfIdfVectorizer", ["f"], ["y"], mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=0, ngram_counts=[0, 4],
        ngram_indexes=list(range(7)), pool_strings=["a", "é", " ", "d", "t", "h", "a", "n", "a", "r"],
    )
    for cut in [dict(tokenexp="."), dict(separators=[""])]:
        nodes = [tokenizer(**cut), h.make_node("Flatten", ["t"], ["f"]), characters]
        case("texts", nodes, {"x": words}, {"y": "float32"}, apart=True)
    marked = h.make_node("Tokenizer", ["x"], ["t"], domain="com.microsoft", pad_value="#", mark=1, mincharnum=1, separators=[" "])
    counts = h.make_node(
        "TfIdfVectorizer", ["f"], ["y"], mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=0, ngram_counts=[0, 3],
        ngram_indexes=[0, 1, 2, 3], pool_strings=["\x02", "\x03", "the", "\x02", "the"],
    )
    filled = np.array([w for w in words if w[0]], dtype=object)  # without a token in the batch onnxruntime drops the marks
    case("texts", [marked, h.make_node("Flatten", ["t"], ["f"]), counts], {"x": filled}, {"y": "float32"}, apart=True)
    for x, pool in [
        (np.array([[1, 2, 3, 1, 2], [2, 2, 2, 2, 2], [9, 9, 9, 9, 9]]), dict(pool_int64s=[1, 2, 3, 1, 2, 2, 2, 2, 3])),
        (np.hstack([text("a", "b"), text("b", "b"), text("c", "b")]), dict(pool_strings=["a", "b", "c", "a", "b", "b", "b", "b", "c"])),
    ]:
        for mode in ["TF", "IDF", "TFIDF"]:
            for weights in [{}, dict(weights=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]:
                node = h.make_node(
                    "TfIdfVectorizer", ["x"], ["y"], mode=mode, min_gram_length=1, max_gram_length=2, max_skip_count=1,
                    ngram_counts=[0, 3], ngram_indexes=[5, 4, 3, 2, 1, 0], **pool, **weights,
                )
                case("texts", [node], {"x": x}, {"y": "float32"})
    numbers = np.concatenate([SPECIAL, [1e10, 123456789, 1e-5, 3.4e38, 16777216, 1e15, 0.1, 99999999]]).astype(np.float32)
    for x in [numbers, numbers.astype(np.float64), np.array([1, -5, 2**62]), np.array([True, False])]:
        node = h.make_node("Cast", ["x"], ["y"], to=T.STRING)
        case("texts", [node], {"x": x.reshape(-1, 1)}, {"y": "object"})
    for to, kind in [(T.FLOAT, "float32"), (T.DOUBLE, "float64"), (T.INT64, "int64")]:
        node = h.make_node("Cast", ["x"], ["y"], to=to)
        x = text("1", " -5", "+7x", "12 ", "1e3") if kind == "int64" else text("1", "1.5e3", " 2", "nan", "inf", "-INF", "1x", ".5", "5.e")
        case("texts", [node], {"x": x}, {"y": kind})
    two = {"x": text("a", "b", "c"), "z": text("a", "é", "")}
    case("texts", [h.make_node("StringConcat", ["x", "z"], ["y"])], two, {"y": "object"}, opset=20)
    case("texts", [h.make_node("StringConcat", ["x", "k"], ["y"])], {"x": two["x"]}, {"y": "object"}, opset=20, constants={"k": np.array(["-!"], dtype=object)})
    case("texts", [h.make_node("Equal", ["x", "z"], ["y"])], two, {"y": "bool"}, opset=19)
    case("texts", [h.make_node("Equal", ["x", "k"], ["y"])], {"x": two["x"]}, {"y": "bool"}, opset=19, constants={"k": np.array(["b"], dtype=object)})
    case("texts", [h.make_node("Concat", ["z", "x"], ["y"], axis=1)], two, {"y": "object"})
    case("texts", [h.make_node("Concat", ["z", "x"], ["c"], axis=1), h.make_node("Gather", ["c", "i"], ["y"], axis=1)], two, {"y": "object"}, constants={"i": np.array([1, 0, 1])})
    nodes = [h.make_node("Where", ["c", "k", "x"], ["w"]), h.make_node("Where", ["c", "x", "z"], ["v"]), h.make_node("Concat", ["w", "v"], ["y"], axis=1)]
    case("texts", nodes, {**two, "c": np.array([[True], [False], [True]])}, {"y": "object"}, constants={"k": np.array(["none"], dtype=object)})


def elementwise():
    for dtype in [np.float32, np.float64]:
        x, z = np.tile(SPECIAL, 4).reshape(-1, 3).astype(dtype), np.repeat(SPECIAL, 4).reshape(-1, 3).astype(dtype)
        kind = str(x.dtype)
        for op in ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"]:
            if op in ["Max", "Min"]:
                x, z = np.nan_to_num(x), np.nan_to_num(z)
            case("elementwise", [h.make_node(op, ["x", "z"], ["y"])], {"x": x, "z": z}, {"y": kind})
            for constant in [np.array(2, dtype=dtype), np.array([1, -2, 0.5], dtype=dtype), np.array([[3]], dtype=dtype)]:
                for order in [["x", "k"], ["k", "x"]]:
                    case("elementwise", [h.make_node(op, order, ["y"])], {"x": x}, {"y": kind}, constants={"k": constant})
            case("elementwise", [h.make_node(op, ["x", "z"], ["y"])], {"x": x, "z": z[:, :1]}, {"y": kind})
        x = np.tile(SPECIAL, 4).reshape(-1, 3).astype(dtype)
        for op in ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"]:
            case("elementwise", [h.make_node(op, ["x", "z"], ["y"])], {"x": x, "z": z}, {"y": "bool"})
            case("elementwise", [h.make_node(op, ["x", "k"], ["y"])], {"x": x[:, :1]}, {"y": "bool"}, constants={"k": np.array([1, 2, 3, -1], dtype=dtype)})
        for op in ["Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Relu", "Sigmoid", "Tanh"]:
            case("elementwise", [h.make_node(op, ["x"], ["y"])], {"x": x}, {"y": kind})
        for op in ["IsNaN", "IsInf"]:
            case("elementwise", [h.make_node(op, ["x"], ["y"])], {"x": x}, {"y": "bool"}, opset=20)
        case("elementwise", [h.make_node("Clip", ["x", "a", "b"], ["y"])], {"x": x}, {"y": kind}, constants={"a": np.array(-1, dtype=dtype), "b": np.array(2, dtype=dtype)})
        case("elementwise", [h.make_node("Sum", ["x", "z", "x"], ["y"])], {"x": x, "z": z}, {"y": kind})
        case("elementwise", [h.make_node("Mean", ["x", "z", "x"], ["y"])], {"x": rows(4, 2), "z": rows(4, 2)}, {"y": "float32"})
        case("elementwise", [h.make_node("MatMul", ["x", "w"], ["y"])], {"x": rows(5, 3, dtype)}, {"y": kind}, constants={"w": rows(3, 4, dtype)})
        case("elementwise", [h.make_node("MatMul", ["x", "w"], ["y"])], {"x": rows(5, 3, dtype)}, {"y": kind}, constants={"w": rows(1, 3, dtype)[0]})
        for attributes, w in [({}, rows(3, 4, dtype)), (dict(transB=1, alpha=0.5, beta=2.0), rows(4, 3, dtype))]:
            node = h.make_node("Gemm", ["x", "w", "c"], ["y"], **attributes)
            case("elementwise", [node], {"x": rows(5, 3, dtype)}, {"y": kind}, constants={"w": w, "c": rows(1, 4, dtype)})
        nodes = [h.make_node("Less", ["x", "z"], ["c"]), h.make_node("Where", ["c", "x", "k"], ["y"])]
        case("elementwise", nodes, {"x": x, "z": z}, {"y": kind}, constants={"k": np.array([7], dtype=dtype)})
    for op in ["Softplus", "Softsign", "Elu", "HardSigmoid", "LeakyRelu"]:
        case("elementwise", [h.make_node(op, ["x"], ["y"])], {"x": rows(4, 3) * 5}, {"y": "float32"})
    case("elementwise", [h.make_node("PRelu", ["x", "k"], ["y"])], {"x": rows(4, 3)}, {"y": "float32"}, constants={"k": np.array([0.1, 0.2, 0.3], dtype=np.float32)})
    x = rows(6, 3, np.int64)
    for op in ["Add", "Sub", "Mul", "Max", "Min", "Div"]:
        case("elementwise", [h.make_node(op, ["x", "k"], ["y"])], {"x": x}, {"y": "int64"}, constants={"k": np.array([2, -3, 1])})
    for op in ["Equal", "Less"]:
        case("elementwise", [h.make_node(op, ["x", "k"], ["y"])], {"x": x}, {"y": "bool"}, constants={"k": np.array(1)})
    for op in ["And", "Or", "Xor"]:
        nodes = [h.make_node("Less", ["x", "k"], ["a"]), h.make_node("Equal", ["x", "k"], ["b"]), h.make_node("Not", ["b"], ["n"]), h.make_node(op, ["a", "n"], ["y"])]
        case("elementwise", nodes, {"x": x}, {"y": "bool"}, constants={"k": np.array(1)})
    for to, kind in [(T.FLOAT, "float32"), (T.DOUBLE, "float64"), (T.INT64, "int64"), (T.BOOL, "bool")]:
        for source in [rows(3, 3) * 3, rows(3, 3, np.float64) * 3, x, x > 0]:
            case("elementwise", [h.make_node("Cast", ["x"], ["y"], to=to)], {"x": source}, {"y": kind})


def shapes():
    x = rows(4, 6)
    cube = [h.make_node("Reshape", ["x", "s"], ["c"])]
    s = {"s": np.array([-1, 2, 3])}
    for op in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]:
        for axes in [[1], [2], [1, 2], [-1]]:
            for keepdims in [0, 1]:
                node = h.make_node(op, ["c", "a"], ["y"], keepdims=keepdims)
                case("shapes", cube + [node], {"x": x}, {"y": "float32"}, opset=18, constants={**s, "a": np.array(axes)})
    for op in ["ArgMax", "ArgMin"]:
        for axis in [1, 2]:
            for attributes in [dict(keepdims=0), dict(select_last_index=1)]:
                tied = np.array([[1, 1, 0, 1, 2, 2], [3, 1, 3, 1, 3, 1]], dtype=np.float32)
                case("shapes", cube + [h.make_node(op, ["c"], ["y"], axis=axis, **attributes)], {"x": tied}, {"y": "int64"}, constants=s)
    for op in ["Softmax", "LogSoftmax"]:
        for axis in [1, 2]:
            case("shapes", cube + [h.make_node(op, ["c"], ["y"], axis=axis)], {"x": x}, {"y": "float32"}, constants=s)
    for p in [1, 2]:
        case("shapes", [h.make_node("LpNormalization", ["x"], ["y"], axis=1, p=p)], {"x": x}, {"y": "float32"})
    case("shapes", cube + [h.make_node("Transpose", ["c"], ["y"], perm=[0, 2, 1])], {"x": x}, {"y": "float32"}, constants=s)
    case("shapes", cube + [h.make_node("Concat", ["c", "c"], ["y"], axis=1)], {"x": x}, {"y": "float32"}, constants=s)
    case("shapes", cube + [h.make_node("Concat", ["c", "c"], ["y"], axis=2)], {"x": x}, {"y": "float32"}, constants=s)
    case("shapes", cube + [h.make_node("Add", ["c", "k"], ["y"])], {"x": x}, {"y": "float32"}, constants={**s, "k": rows(2, 1)})
    case("shapes", cube + [h.make_node("ReduceMax", ["c"], ["m"], axes=[2]), h.make_node("Sub", ["c", "m"], ["y"])], {"x": x}, {"y": "float32"}, constants=s)
    case("shapes", cube + [h.make_node("Gather", ["c", "i"], ["y"], axis=2)], {"x": x}, {"y": "float32"}, constants={**s, "i": np.array([2, -3])})
    case("shapes", cube + [h.make_node("Gather", ["c", "i"], ["y"], axis=1)], {"x": x}, {"y": "float32"}, constants={**s, "i": np.array(1)})
    bounds = {"b": np.array([0, 1]), "e": np.array([2, 9]), "a": np.array([1, 2]), "t": np.array([1, 2])}
    case("shapes", cube + [h.make_node("Slice", ["c", "b", "e", "a", "t"], ["y"])], {"x": x}, {"y": "float32"}, constants={**s, **bounds})
    nodes = [h.make_node("Split", ["x", "p"], ["a", "b"], axis=1), h.make_node("Concat", ["b", "a"], ["y"], axis=1)]
    case("shapes", nodes, {"x": x}, {"y": "float32"}, constants={"p": np.array([2, 4])})
    nodes = [h.make_node("Unsqueeze", ["x", "u"], ["a"]), h.make_node("Squeeze", ["a", "u"], ["b"]), h.make_node("Flatten", ["b"], ["y"])]
    case("shapes", nodes, {"x": x}, {"y": "float32"}, constants={"u": np.array([1])})


def stacks():
    """Ensembles put their members' scores above each other and reduce them; constants are computed while compiling."""
    members = [h.make_node("Reshape", [name, "s"], ["1" + name]) for name in "xzw"]
    above = h.make_node("Concat", ["1x", "1z", "1w"], ["c"], axis=0)
    feed = {name: rows(5, 2) for name in "xzw"}
    for op in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"]:
        node = h.make_node(op, ["c", "a"], ["y"], keepdims=0)
        constants = {"s": np.array([1, -1, 2]), "a": np.array([0])}
        case("stacks", members + [above, node], feed, {"y": "float32"}, opset=18, constants=constants)
    unsqueezed = [h.make_node("Unsqueeze", [name, "a"], ["1" + name]) for name in "xzw"]
    node = h.make_node("ReduceMean", ["c"], ["y"], axes=[0], keepdims=0)
    case("stacks", unsqueezed + [above, node], feed, {"y": "float32"}, constants={"a": np.array([0])})
    constants = {"p": np.abs(rows(2, 3)), "q": np.abs(rows(1, 3)[0]), "i": np.array([1, 0, 2])}
    for op in ["Add", "Sub", "Mul", "Div", "Pow", "Max"]:
        nodes = [h.make_node("Log", ["p"], ["l"]), h.make_node(op, ["p", "q"], ["k"]), h.make_node("Unsqueeze", ["x", "u"], ["v"]), h.make_node("Add", ["v", "k"], ["m"]), h.make_node("Add", ["m", "l"], ["y"])]
        case("stacks", nodes, {"x": rows(4, 3)}, {"y": "float32"}, constants={**constants, "u": np.array([1])})
    encoded = ml("LabelEncoder", ["i"], ["e"], keys_int64s=[0, 1], values_floats=[0.5, 1.5], default_float=9.0)
    case("stacks", [encoded, h.make_node("Add", ["x", "e"], ["y"])], {"x": rows(4, 3)}, {"y": "float32"}, constants={"i": np.array([1, 0, 2])})


def neighbours():
    """Distances to stored points, the best of them and lookups by place."""

    def body(kind, metric):
        reduced = {
            "square": [h.make_node("ReduceSumSquare", ["d", "axes"], ["found"], keepdims=0)],
            "absolute": [h.make_node("Abs", ["d"], ["a"]), h.make_node("ReduceSum", ["a", "axes"], ["found"], keepdims=0)],
            "cube": [h.make_node("Abs", ["d"], ["a"]), h.make_node("Pow", ["a", "p"], ["c"]), h.make_node("ReduceSum", ["c", "axes"], ["found"], keepdims=0)],
        }[metric]
        nodes = [h.make_node("Identity", ["kept"], ["kept_out"]), h.make_node("Sub", ["kept", "point"], ["d"]), *reduced]
        info = lambda name, rank: h.make_tensor_value_info(name, kind, [None] * rank)
        power = np.array([3], dtype=np.float32 if kind == T.FLOAT else np.float64)
        stored = [numpy_helper.from_array(np.array([1]), "axes"), numpy_helper.from_array(power, "p")]
        return h.make_graph(nodes, "body", [info("kept", 2), info("point", 1)], [info("kept_out", 2), info("found", 1)], stored)

    for dtype in [np.float32, np.float64]:
        kind = str(np.dtype(dtype))
        for metric in ["square", "absolute", "cube"]:
            for points, columns in [(1, 1), (7, 3), (20, 5)]:
                stored = rows(points, columns, dtype)
                scan = h.make_node("Scan", ["x", "points"], ["kept", "far"], body=body(TYPES[kind], metric), num_scan_inputs=1)
                nodes = [scan, h.make_node("Transpose", ["far"], ["y"], perm=[1, 0])]
                x = np.vstack([rows(6, columns, dtype), stored[:1]])
                case("neighbours", nodes, {"x": x}, {"y": kind}, opset=18, constants={"points": stored})
    tied = np.array([[2, 1, 2, 1, 3, 3, 0, 0], [0, -0.0, np.inf, -np.inf, 5, 5, 5, 5], [1, 2, 3, 4, 5, 6, 7, 8]], dtype=np.float32)
    for x in [tied, tied.astype(np.float64), np.array([[2, 1, 2, 1, 3, 3, 0, -4]])]:
        for k in [1, 3, 8]:
            for largest in [0, 1]:
                node = h.make_node("TopK", ["x", "k"], ["v", "i"], largest=largest)
                case("neighbours", [node], {"x": x}, {"v": str(x.dtype), "i": "int64"}, constants={"k": np.array([k])})
        nodes = [h.make_node("TopK", ["x", "k"], ["v", "i"], axis=1), h.make_node("Sub", ["zero", "x"], ["z"]), h.make_node("GatherElements", ["z", "i"], ["y"], axis=1)]
        case("neighbours", nodes, {"x": x}, {"y": str(x.dtype)}, constants={"k": np.array([5]), "zero": np.array(0, dtype=x.dtype)})
        table = np.arange(10, 18).astype(x.dtype)
        nodes = [h.make_node("TopK", ["x", "k"], ["v", "i"]), h.make_node("Flatten", ["i"], ["f"]), ml("ArrayFeatureExtractor", ["table", "f"], ["t"]), h.make_node("Reshape", ["t", "s"], ["y"])]
        case("neighbours", nodes, {"x": x}, {"y": str(x.dtype)}, constants={"k": np.array([3]), "table": table, "s": np.array([-1, 3])})
    best = h.make_node("TopK", ["x", "k"], ["v", "i"])
    for dtype in [np.float32, np.float64]:
        x, kind, k = rows(6, 4, dtype), str(np.dtype(dtype)), {"k": np.array([2])}
        for table in [rows(1, 4, dtype)[0], rows(4, 3, dtype), rows(9, 2, dtype)]:
            case("neighbours", [best, h.make_node("Gather", ["table", "i"], ["y"])], {"x": x}, {"y": kind}, constants={**k, "table": table})
        nodes = [best, h.make_node("Flatten", ["i"], ["f"]), ml("ArrayFeatureExtractor", ["table", "f"], ["t"]), h.make_node("Reshape", ["t", "s"], ["r"]), h.make_node("Transpose", ["r"], ["y"], perm=[1, 0, 2])]
        case("neighbours", nodes, {"x": x}, {"y": kind}, constants={**k, "table": rows(3, 4, dtype), "s": np.array([3, -1, 2])})
        for sides in [["m", "c"], ["c", "m"]]:
            nodes = [h.make_node("MatMul", ["x", "w"], ["m"]), h.make_node("Sub", sides, ["a"]), h.make_node("Reshape", ["a", "s"], ["y"])]
            case("neighbours", nodes, {"x": x}, {"y": kind}, constants={"w": rows(1, 4, dtype)[0], "c": rows(1, 1, dtype), "s": np.array([-1, 1])})
        nodes = [
            h.make_node("Transpose", ["points"], ["t"], perm=[1, 0]), h.make_node("MatMul", ["x", "t"], ["scalar"]),
            h.make_node("ReduceSumSquare", ["x", "one"], ["xx"]), h.make_node("Sqrt", ["xx"], ["xn"]),
            h.make_node("ReduceSumSquare", ["t", "zero"], ["tt"]), h.make_node("Sqrt", ["tt"], ["tn"]),
            h.make_node("MatMul", ["xn", "tn"], ["norms"]), h.make_node("Div", ["scalar", "norms"], ["y"]),
        ]
        case("neighbours", nodes, {"x": x}, {"y": kind}, opset=18, constants={"points": rows(5, 4, dtype), "one": np.array([1]), "zero": np.array([0])})
    for op in ["ArgMax", "ArgMin"]:
        nodes = [h.make_node(op, ["x"], ["i"], axis=1), h.make_node("GatherElements", ["z", "i"], ["y"], axis=1)]
        case("neighbours", nodes, {"x": rows(5, 4), "z": rows(5, 4)}, {"y": "float32"})
    for x in [rows(4, 6), rows(4, 6, np.float64), rows(4, 6, np.int64)]:
        for axis in [1, 2]:
            for attributes in [{}, dict(exclusive=1), dict(reverse=1), dict(exclusive=1, reverse=1)]:
                nodes = [h.make_node("Reshape", ["x", "s"], ["c"]), h.make_node("CumSum", ["c", "a"], ["y"], **attributes)]
                case("neighbours", nodes, {"x": x}, {"y": str(x.dtype)}, constants={"s": np.array([-1, 2, 3]), "a": np.array(axis)})


def ensembles():
    """Chains of equalities to one node, as LightGBM writes sets of categories, and weights given twice."""

    def nodes(listed):
        return dict(
            nodes_treeids=[0] * len(listed), nodes_nodeids=[n[0] for n in listed], nodes_modes=[n[1] for n in listed],
            nodes_featureids=[n[2] for n in listed], nodes_values=[float(n[3]) for n in listed],
            nodes_truenodeids=[n[4] for n in listed], nodes_falsenodeids=[n[5] for n in listed],
            nodes_missing_value_tracks_true=[n[6] for n in listed],
        )

    for missing in [0, 1]:
        chain = [
            (0, "BRANCH_EQ", 0, 3, 1, 2, missing), (1, "BRANCH_LEQ", 1, 0.5, 3, 4, 0), (2, "BRANCH_EQ", 0, 0, 1, 5, missing),
            (3, "LEAF", 0, 0, 0, 0, 0), (4, "LEAF", 0, 0, 0, 0, 0), (5, "BRANCH_EQ", 0, 40, 1, 6, missing),
            (6, "BRANCH_EQ", 0, 3, 7, 8, missing), (7, "LEAF", 0, 0, 0, 0, 0), (8, "BRANCH_EQ", 1, 1, 9, 10, missing),
            (9, "LEAF", 0, 0, 0, 0, 0), (10, "LEAF", 0, 0, 0, 0, 0),
        ]
        leaves = [3, 4, 7, 9, 10]
        weights = [0.5, 1.0, 2.5, -4.0, 8.25]
        x = np.array([[a, b] for a in [3, 0, 40, -0.0, 2, 41, 2.5, np.nan, -3] for b in [0, 1, 2]])
        for dtype in [np.float32, np.float64]:
            for order in [1, -1]:
                listed = chain[:1] + chain[1:][::order]
                tree = nodes(listed)
                regressor = ml("TreeEnsembleRegressor", ["x"], ["y"], n_targets=1, target_treeids=[0] * 5, target_nodeids=leaves, target_ids=[0] * 5, target_weights=weights, **tree)
                case("ensembles", [regressor], {"x": x.astype(dtype)}, {"y": "float32"})
                classifier = ml("TreeEnsembleClassifier", ["x"], ["l", "p"], classlabels_int64s=[4, 5, 6], class_treeids=[0] * 5, class_nodeids=leaves, class_ids=[0, 1, 2, 0, 1], class_weights=weights, post_transform="NONE", **tree)
                case("ensembles", [classifier], {"x": x.astype(dtype)}, {"l": "int64", "p": "float32"})
    stump = nodes([(0, "BRANCH_LEQ", 0, 0, 1, 2, 0), (1, "LEAF", 0, 0, 0, 0, 0), (2, "LEAF", 0, 0, 0, 0, 0)])
    for twice in [[1, 1, 2, 2], [2, 1, 2, 1], [2, 2, 1, 1]]:
        for how in ["SUM", "AVERAGE", "MIN", "MAX"]:
            node = ml("TreeEnsembleRegressor", ["x"], ["y"], n_targets=1, aggregate_function=how, target_treeids=[0] * 4, target_nodeids=twice, target_ids=[0] * 4, target_weights=[3.0, 7.0, 5.0, 1.0], **stump)
            case("ensembles", [node], {"x": rows(6, 1)}, {"y": "float32"})


for group in [support_vector_machines, linear, encoders, scaling, texts, elementwise, shapes, stacks, neighbours, ensembles]:
    group()
for group, listed in cases.items():
    lines = ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in listed)
    (FOLDER / f"{group}.json").write_text(f"[\n{lines}\n]\n")
    print(group, len(listed))
