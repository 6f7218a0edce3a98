"""The last 12 transactions of a card, simulated: amount, hours since the one before, distance from home.

A fraud is a run of quick, growing payments far from home at the end of the sequence.
"""

import numpy as np
import pandas as pd

STEPS = 12
#: All values are multiples of this.
GRID = 1 / 512
CHANNELS = ["log_amount", "log_hours", "distance"]


def simulate(rows: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """[rows, steps, channels] and 1 where the sequence ends in a fraud."""
    habit = random.normal(3.5, 0.6, (rows, 1))
    amount = habit + random.normal(0, 0.5, (rows, STEPS))
    hours = random.normal(2.5, 0.8, (rows, STEPS))
    distance = random.gamma(1.5, 0.2, (rows, STEPS))
    fraud = random.random(rows) < 0.3
    begin = random.integers(STEPS - 5, STEPS - 1, rows)
    late = (np.arange(STEPS) >= begin[:, None]) & fraud[:, None]
    growth = np.cumsum(late, axis=1) * 0.3
    amount += np.where(late, growth, 0)
    hours -= np.where(late, 2, 0)
    distance += np.where(late, random.gamma(3, 0.4, (rows, STEPS)), 0)
    values = np.stack([amount, hours, distance], axis=2)
    return (np.rint(values / GRID) * GRID).astype(np.float32), fraud.astype(np.int64)


def frame(values: np.ndarray) -> pd.DataFrame:
    """One column per step and channel, in the order of memory."""
    names = [f"{channel}_{step}" for step in range(STEPS) for channel in CHANNELS]
    return pd.DataFrame(values.reshape(len(values), -1), columns=names)


def training() -> tuple[pd.DataFrame, np.ndarray]:
    values, target = simulate(1500, np.random.default_rng(19))
    return frame(values), target


def scored(rows: int) -> pd.DataFrame:
    return frame(simulate(rows, np.random.default_rng(23))[0])
