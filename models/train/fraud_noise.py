"""How far the measures of fraud models vary between simulations that differ in their random numbers alone.

Needs demo/simulator.sql and demo/features.sql as fraud_prob.py does; leaves the transactions of the last seed behind.
"""

import argparse
import subprocess

import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import transactions
from database import read_query
from fraud_prob import COMMON, SEED, measure

# fraud_prob's.
CHOSEN = COMMON | {"num_leaves": 15, "colsample_bytree": 1.0}
FROM_TRAINING_ON = f"SELECT * FROM demo.txn_velocity WHERE tx_time >= '{transactions.TRAIN_START}' ORDER BY tx_time, tx_id"


def simulate(seed: int) -> pd.DataFrame:
    """The weeks from training to test of a simulation with its defaults but the seed."""
    call = f"CALL demo.simulate_transactions(seed => {seed})"
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", call], check=True)
    return transactions.prepared(read_query(FROM_TRAINING_ON))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 6)))
    results = []
    for seed in arguments.parse_args().seeds:
        train, test = transactions.split(simulate(seed))
        models = {
            "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
            "random forest": RandomForestClassifier(n_jobs=2, random_state=SEED),
            "fraud_prob": LGBMClassifier(**CHOSEN),
        }
        for name, model in models.items():
            results.append({"model": name, "seed": seed} | measure(model, train, test))
            print(results[-1], flush=True)
    measures = pd.DataFrame(results).drop(columns="seed").groupby("model", sort=False)
    print(measures.agg(["mean", "std", "min", "max"]).round(4).T.to_string())


if __name__ == "__main__":
    main()
