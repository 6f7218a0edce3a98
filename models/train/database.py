"""Rows from PostgreSQL through psql, connected as libpq's PG* variables and defaults say."""

import io
import subprocess

import pandas as pd


def read_query(query: str) -> pd.DataFrame:
    """The rows of one SELECT, by COPY: NULL becomes NaN, booleans the texts "t" and "f"."""
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return pd.read_csv(io.StringIO(text), float_precision="round_trip")
