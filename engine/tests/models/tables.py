"""The input tables of the suite: 2,000 rows each, that every model of a table is scored on.

Training sets are the real rows alone. A scored table is the real rows, then rows between two real ones (so that values
leave the grid of the training data), then outliers. A table with holes also has NaN, NULL texts and unseen categories.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

import messages
import sequences

ROWS = 2000
OUTLIERS = 40
ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).parent / "tables"

CREDIT_NUMBERS = ["duration_in_month", "credit_amount", "installment_rate_in_percentage_of_disposable_income",
                  "present_residence_since", "number_of_existing_credits_at_this_bank",
                  "number_of_people_being_liable_to_provide_maintenance_for"]
CREDIT_TEXTS = ["status_of_existing_checking_account", "credit_history", "purpose", "savings_account_and_bonds",
                "present_employment_since", "other_debtors_or_guarantors", "property", "other_installment_plans",
                "housing", "job", "telephone"]
UNSEEN = "a category that no training row has"


def plain(name: str) -> str:
    """A column name of the bundled data as an identifier."""
    return name.split(" (")[0].strip().lower().replace(" ", "_").replace("/", "_")


@functools.cache
def training(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The real rows of a data set and their target."""
    if name == "credit":
        data = pd.read_csv(ROOT / "demo" / "german_credit.csv", keep_default_na=False)
        data = data.astype({column: np.float32 for column in CREDIT_NUMBERS})
        return data[CREDIT_TEXTS + CREDIT_NUMBERS], data["creditability"].to_numpy()
    if name == "codes":
        frame, classes = training("credit")
        return codes(frame), classes
    if name == "messages":
        return messages.training()
    if name == "cards":
        return sequences.training()
    bunch = {"cancer": datasets.load_breast_cancer, "diabetes": datasets.load_diabetes, "digits": datasets.load_digits,
             "iris": datasets.load_iris, "wine": datasets.load_wine}[name](**{"scaled": False} if name == "diabetes" else {})
    frame = pd.DataFrame(np.asarray(bunch.data), columns=[plain(column) for column in bunch.feature_names])
    return frame[frame.columns[:20]] if name == "cancer" else frame, bunch.target


def codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts of the credit data as the index of the category in sorted order, -1 where it is unseen, NaN where it is NULL."""
    out = {}
    for column in CREDIT_TEXTS:
        known = {text: float(i) for i, text in enumerate(sorted(training("credit")[0][column].unique()))}
        out[column] = [np.nan if text is None else known.get(text, -1.0) for text in frame[column]]
    return pd.DataFrame(out | {column: frame[column].to_numpy() for column in CREDIT_NUMBERS}).astype(np.float32)


def between(real: np.ndarray, rows: int, random: np.random.Generator) -> np.ndarray:
    """Real rows, rows on the line between two of them, outliers up to one range away."""
    real = np.asarray(real, dtype=np.float64)[:rows - OUTLIERS]
    count = rows - OUTLIERS - len(real)
    first, second = real[random.integers(len(real), size=count)], real[random.integers(len(real), size=count)]
    mixed = first + random.random((count, 1)) * (second - first)
    low, high = real.min(axis=0), real.max(axis=0)
    far = low + random.uniform(-1, 2, (OUTLIERS, real.shape[1])) * (high - low)
    return np.vstack([real, mixed, far])


def numeric(name: str, kind: type) -> pd.DataFrame:
    frame, _ = training(name)
    values = between(frame.to_numpy(), ROWS, np.random.default_rng(7))
    return pd.DataFrame(values, columns=frame.columns).astype(kind)


def holes(frame: pd.DataFrame) -> pd.DataFrame:
    """A tenth of the numbers is NaN, and so are all numbers of some rows."""
    random = np.random.default_rng(11)
    mask = random.random(frame.shape) < 0.1
    mask[random.integers(len(frame), size=20)] = True
    return frame.mask(mask)


def credit(with_holes: bool) -> pd.DataFrame:
    """The real applications, then columns drawn one by one from the real ones."""
    real, _ = training("credit")
    random = np.random.default_rng(13)
    drawn = {column: real[column].to_numpy()[random.integers(len(real), size=ROWS - len(real))] for column in real}
    for column in ("credit_amount", "duration_in_month"):
        drawn[column] = (drawn[column] * random.uniform(0.5, 2, ROWS - len(real))).astype(np.float32)
    frame = pd.concat([real, pd.DataFrame(drawn)], ignore_index=True)
    for column in CREDIT_TEXTS:
        frame[column] = frame[column].astype(object)
        if with_holes:
            frame.loc[random.random(ROWS) < 0.03, column] = UNSEEN
            frame.loc[random.random(ROWS) < 0.03, column] = None
    if with_holes:
        frame[CREDIT_NUMBERS] = holes(frame[CREDIT_NUMBERS])
    return frame


def digits() -> pd.DataFrame:
    """The real images, then real ones shifted by a pixel."""
    frame, _ = training("digits")
    random = np.random.default_rng(17)
    images = frame.to_numpy().reshape(-1, 8, 8)
    moved = np.roll(images[random.integers(len(images), size=ROWS - len(images))], 1, axis=2)
    return pd.DataFrame(np.vstack([images, moved]).reshape(ROWS, 64), columns=frame.columns).astype(np.uint8)


@functools.cache
def table(name: str) -> pd.DataFrame:
    """The rows that models are scored on."""
    match name:
        case "credit" | "credit_holes":
            return credit(name == "credit_holes")
        case "credit_codes":
            return codes(credit(True))
        case "cancer_holes" | "wine_holes" | "diabetes_holes":
            return holes(table(name.removesuffix("_holes")))
        case "diabetes_double":
            return numeric(name.removesuffix("_double"), np.float64)
        case "digits":
            return digits()
        case "messages":
            return messages.scored(ROWS)
        case "tokens":
            return messages.tokens(messages.scored(ROWS)["message"])
        case "cards":
            return sequences.scored(ROWS)
        case _:
            return numeric(name, np.float32)


SOURCES = {
    "credit": "Statlog German Credit (H. Hofmann, UCI, doi 10.24432/C5NC77, CC BY 4.0), demo/german_credit.csv",
    "cancer": "Breast Cancer Wisconsin Diagnostic (Wolberg, Mangasarian, Street, Street, UCI, doi 10.24432/C5DW2B, CC BY 4.0), as in scikit-learn",
    "diabetes": "Diabetes (Efron, Hastie, Johnstone, Tibshirani, Least Angle Regression, 2004), as in scikit-learn",
    "digits": "Optical Recognition of Handwritten Digits (Alpaydin, Kaynak, UCI, doi 10.24432/C50P49, CC BY 4.0), as in scikit-learn",
    "iris": "Iris (R. A. Fisher, UCI, doi 10.24432/C56C76, CC BY 4.0), as in scikit-learn",
    "wine": "Wine (Aeberhard, Forina, UCI, doi 10.24432/C5PC7J, CC BY 4.0), as in scikit-learn",
    "messages": "simulated by messages.py",
    "tokens": "simulated by messages.py",
    "cards": "simulated by sequences.py",
}


def source(name: str) -> str:
    return SOURCES[name.split("_")[0]]


def write(name: str) -> None:
    """<name>.json says what the table is. One that is another with holes or in another type names it; of the others it
    lists the columns, and <name>.bin holds them one after another."""
    base = name.removesuffix("_holes") if name in HOLED else f"{name}_double" if name in ROUNDED else None
    FOLDER.mkdir(exist_ok=True)
    header = {"rows": ROWS, "source": source(name)}
    if base:
        write(base)
        header["base"] = base
        content = np.packbits(table(name).isna().to_numpy(), bitorder="little").tobytes() if name in HOLED else b""
    else:
        stored = [store(column, values) for column, values in table(name).items()]
        header["columns"] = [column for column, _ in stored]
        content = b"".join(block.tobytes() for _, block in stored)
    if content:
        (FOLDER / f"{name}.bin").write_bytes(content)
    (FOLDER / f"{name}.json").write_text(json.dumps(header, ensure_ascii=False) + "\n")


#: Tables that are stored as another one and a bit per cell, row by row from the lowest bit: whether it is NaN.
HOLED = {"cancer_holes", "wine_holes", "diabetes_holes"}
#: Tables that are another one rounded to float32.
ROUNDED = {"diabetes"}


def store(name: str, values: pd.Series) -> tuple[dict, np.ndarray]:
    """A column's description and its cells, little-endian. Texts are 16-bit indices into `texts`, 65535 for NULL. Small
    whole numbers of a float column are bytes, -128 for NaN; whole multiples of `scale` are 16-bit integers."""
    if values.dtype.kind in "OTSU":
        cells = [None if text is None or text is np.nan else str(text) for text in values]
        texts = list(dict.fromkeys(text for text in cells if text is not None))
        index = {text: i for i, text in enumerate(texts)} | {None: 65535}
        return {"name": name, "type": "text", "texts": texts}, np.array([index[text] for text in cells], dtype="<u2")
    cells = values.to_numpy()
    if cells.dtype == np.uint8:
        return {"name": name, "type": "u8"}, cells
    if cells.dtype == np.float64:
        return {"name": name, "type": "f64"}, cells
    known = cells[~np.isnan(cells)]
    if (known == np.rint(known)).all() and (np.abs(known) < 128).all():
        return {"name": name, "type": "f32", "stored": "i8"}, np.where(np.isnan(cells), -128, cells).astype(np.int8)
    scaled = cells / sequences.GRID
    if len(known) == len(cells) and (scaled == np.rint(scaled)).all() and (np.abs(scaled) < 32768).all():
        return {"name": name, "type": "f32", "stored": "i16", "scale": sequences.GRID}, scaled.astype("<i2")
    return {"name": name, "type": "f32"}, cells
