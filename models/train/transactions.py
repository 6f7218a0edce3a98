"""Simulated card transactions as the models use them: features, training week, test week."""

import json

import numpy as np
import onnx
import pandas as pd

from database import read_query

FEATURES = {
    "tx_amount": ("amount of the transaction", "currency"),
    "tx_during_weekend": ("1 on Saturday and Sunday, else 0", "flag"),
    "tx_during_night": ("1 from 00:00:00 to 06:59:59, else 0", "flag"),
}
for days in (1, 7, 30):
    FEATURES[f"customer_id_nb_tx_{days}day_window"] = (f"the customer's transactions in the last {days} days, this one included", "transactions")
    FEATURES[f"customer_id_avg_amount_{days}day_window"] = ("their mean amount", "currency")
for days in (1, 7, 30):
    FEATURES[f"terminal_id_nb_tx_{days}day_window"] = (f"transactions at the terminal in the {days} days that ended 7 days ago", "transactions")
    FEATURES[f"terminal_id_risk_{days}day_window"] = ("share of frauds among them, 0 if there were none", "share")

TRAIN_START, TRAIN_DAYS, DELAY_DAYS, TEST_DAYS = pd.Timestamp("2018-07-25"), 7, 7, 7


def read_transactions(csv: str | None = None) -> pd.DataFrame:
    """demo.txn_velocity in the order of time, from the server or from a CSV file of that relation."""
    return prepared(pd.read_csv(csv) if csv else read_query("SELECT * FROM demo.txn_velocity ORDER BY tx_time, tx_id"))


def prepared(tx: pd.DataFrame) -> pd.DataFrame:
    """Rows as they were read, with times and labels as pandas and models take them."""
    tx["tx_time"] = pd.to_datetime(tx["tx_time"])
    tx["tx_fraud"] = (tx["tx_fraud"] == "t").astype(int)
    return tx


def split(tx: pd.DataFrame, start: pd.Timestamp = TRAIN_START) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A training week, then a week without labels, then a test week without the cards known by then as compromised."""
    day = (tx["tx_time"] - start).dt.days
    train = tx[(day >= 0) & (day < TRAIN_DAYS)]
    known = set(train.loc[train["tx_fraud"] == 1, "customer_id"])
    weeks = []
    for test_day in range(TRAIN_DAYS + DELAY_DAYS, TRAIN_DAYS + DELAY_DAYS + TEST_DAYS):
        confirmed = tx[(day == test_day - DELAY_DAYS - 1) & (tx["tx_fraud"] == 1)]
        known |= set(confirmed["customer_id"])
        weeks.append(tx[(day == test_day) & ~tx["customer_id"].isin(known)])
    return train, pd.concat(weeks)


def features(tx: pd.DataFrame) -> np.ndarray:
    """[N,15], rounded to float32 as a model's input is, in float64."""
    return tx[list(FEATURES)].to_numpy(dtype=np.float32).astype(np.float64)


def name_features(model: onnx.ModelProto) -> None:
    """Writes the columns of the wide input into the file itself."""
    onnx.helper.set_model_props(model, {"feature_names": json.dumps(list(FEATURES))})
