"""Compares demo.txn_velocity with the same 15 features computed by pandas.

Connects as libpq's PG* variables say. Exits with status 1 if any value differs by more than 1e-9.
"""

import sys

import pandas as pd

from database import read_query

TOLERANCE = 1e-9
DELAY = 7
WINDOWS = (1, 7, 30)


def customer_windows(tx: pd.DataFrame) -> pd.DataFrame:
    """Count and mean amount per customer over (t - w, t], the row itself included."""
    groups = tx.set_index("tx_time").groupby("customer_id")["tx_amount"]
    columns = {}
    for days in WINDOWS:
        window = groups.rolling(f"{days}D")
        columns[f"customer_id_nb_tx_{days}day_window"] = window.count()
        columns[f"customer_id_avg_amount_{days}day_window"] = window.sum() / window.count()
    return aligned(tx, "customer_id", columns)


def terminal_windows(tx: pd.DataFrame) -> pd.DataFrame:
    """Count and share of frauds per terminal over (t - delay - w, t - delay]."""
    groups = tx.set_index("tx_time").groupby("terminal_id")["tx_fraud"]
    recent = groups.rolling(f"{DELAY}D")
    columns = {}
    for days in WINDOWS:
        whole = groups.rolling(f"{DELAY + days}D")
        count = whole.count() - recent.count()
        frauds = whole.sum() - recent.sum()
        columns[f"terminal_id_nb_tx_{days}day_window"] = count
        columns[f"terminal_id_risk_{days}day_window"] = (frauds / count).where(count > 0, 0.0)
    return aligned(tx, "terminal_id", columns)


def aligned(tx: pd.DataFrame, key: str, columns: dict[str, pd.Series]) -> pd.DataFrame:
    """Columns that lie in the order (key, tx_time, tx_id), brought back to the rows of tx."""
    index = tx.sort_values([key, "tx_time", "tx_id"], kind="stable").index
    return pd.DataFrame({name: column.to_numpy() for name, column in columns.items()}, index=index).reindex(tx.index)


def main() -> int:
    tx = read_query("SELECT * FROM demo.txn_velocity ORDER BY tx_time, tx_id")
    tx["tx_time"] = pd.to_datetime(tx["tx_time"])
    tx["tx_fraud"] = (tx["tx_fraud"] == "t").astype(float)
    expected = pd.concat([customer_windows(tx), terminal_windows(tx)], axis=1)
    expected["tx_during_weekend"] = (tx["tx_time"].dt.day_of_week >= 5).astype(int)
    expected["tx_during_night"] = (tx["tx_time"].dt.hour <= 6).astype(int)

    ties = tx.duplicated(["customer_id", "tx_time"], keep=False).sum()
    print(f"{len(tx)} rows, {ties} of them share customer and time with another")
    differences = {name: (tx[name] - expected[name]).abs().max() for name in expected.columns}
    for name, difference in differences.items():
        print(f"{name:40} {difference:.3g}")
    wrong = [name for name, difference in differences.items() if not difference <= TOLERANCE]
    print(f"differ by more than {TOLERANCE}: {', '.join(wrong)}" if wrong else f"equal within {TOLERANCE}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
