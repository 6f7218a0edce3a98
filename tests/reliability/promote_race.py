"""Scoring clients beside a promoter. Argument: seconds. Prints counts, each of which must be 0 but the first four.

The promoter promotes, goes back, and rolls back. It numbers what it commits and notes, once COMMIT has returned, which one is the latest: `committed`. Before a
COMMIT is sent, the promotion counts as possible: `attempted`. A statement that began when `committed` was c and ended
when `attempted` was a may see any of the promotions c..a and no other.
"""

import random
import sys
import threading
import time
from collections import deque

import psycopg

# Beside a WHERE that takes all rows: version and score of every row, so that nothing is left to a row that was not looked at.
QUERY = """SELECT array_agg(DISTINCT p.version), count(*), round(sum(p.score)::numeric, 3)
           FROM (SELECT (finai.predict('risk', c)).* FROM customer c) AS p"""
# predict once a row and, by another call site of the same statement, score once more.
TWO_SITES = """SELECT array_agg(DISTINCT p.version), count(*), round(sum(p.score)::numeric, 3)
               FROM (SELECT (finai.predict('risk', c)).version, finai.score('risk', c) AS score FROM customer c) AS p"""
CALLED = "SELECT * FROM versions()"
PARALLEL = (
    "SET parallel_setup_cost = 0",
    "SET parallel_tuple_cost = 0",
    "SET min_parallel_table_scan_size = 0",
    "SET max_parallel_workers_per_gather = 2",
)


class Race:
    def __init__(self, versions: list[int], never: int, sums: dict[int, object]) -> None:
        self.versions, self.never, self.sums = versions, never, sums
        self.promoted = [1]
        self.committed = self.attempted = 0
        self.lock = threading.Lock()
        self.end = threading.Event()
        self.counts = dict.fromkeys(
            ("statements", "promotions", "rolled back", "parallel plans", "statements with two versions", "stale statements",
             "sightings of what was rolled back", "scores of another version", "wrong versions gone back to", "failed statements"), 0)

    def count(self, what: str, by: int = 1) -> None:
        with self.lock:
            self.counts[what] += by

    def promote(self) -> None:
        before: deque[int] = deque(maxlen=100)
        with psycopg.connect() as connection:
            while not self.end.is_set():
                chance = random.random()
                if chance < 0.2:
                    with connection.transaction(force_rollback=True):
                        connection.execute("SELECT finai.promote_model('risk', %s)", (self.never,))
                        time.sleep(random.random() / 50)
                    self.count("rolled back")
                else:
                    with connection.transaction():
                        if chance < 0.4:
                            with connection.transaction(force_rollback=True):
                                connection.execute("SELECT finai.promote_model('risk', %s)", (self.never,))
                            self.count("rolled back")
                        if chance > 0.8 and before:
                            version = connection.execute("SELECT finai.rollback_model('risk')").fetchone()[0]
                            self.count("wrong versions gone back to", version != before.pop())
                        else:
                            before.append(self.promoted[-1])
                            version = random.choice([v for v in self.versions if v != self.promoted[-1]])
                            connection.execute("SELECT finai.promote_model('risk', %s)", (version,))
                        time.sleep(random.random() / 100)
                        self.promoted.append(version)
                        self.attempted += 1
                    self.committed = self.attempted
                    self.count("promotions")
                time.sleep(random.random() / 50)

    def score(self, kind: str) -> None:
        with psycopg.connect(autocommit=True) as connection:
            if kind == "parallel":
                for setting in PARALLEL:
                    connection.execute(setting)
                plan = connection.execute("EXPLAIN " + QUERY).fetchall()
                self.count("parallel plans", any("Workers Planned" in line for (line,) in plan))
            elif kind == "generic":
                connection.execute("SET plan_cache_mode = force_generic_plan")
            query = {"two sites": TWO_SITES, "function": CALLED}.get(kind, QUERY)
            prepare = kind in ("prepared", "generic")
            while not self.end.is_set():
                first = self.committed
                try:
                    seen, rows, total = connection.execute(query, prepare=prepare).fetchone()
                except psycopg.Error as error:
                    print(error, file=sys.stderr)
                    self.count("failed statements")
                    continue
                last = self.attempted
                self.count("statements")
                if self.never in seen:
                    self.count("sightings of what was rolled back")
                if len(seen) != 1 or rows != 2000:
                    self.count("statements with two versions")
                elif seen[0] not in self.promoted[first : last + 1]:
                    self.count("stale statements")
                elif total != self.sums[seen[0]]:
                    self.count("scores of another version")


def main(seconds: float) -> None:
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION versions() RETURNS TABLE (seen integer[], rows bigint, total numeric) LANGUAGE plpgsql STABLE AS "
            f"$$ BEGIN RETURN QUERY {QUERY}; END $$")
        versions = [v for (v,) in connection.execute("SELECT version FROM finai.model_version ORDER BY 1")]
        sums = {
            v: connection.execute(
                f"SELECT round(sum(finai.score('risk@{v}', c))::numeric, 3) FROM customer c").fetchone()[0]
            for v in versions
        }
    race = Race(versions[:-1], versions[-1], sums)
    kinds = ["simple", "simple", "prepared", "generic", "two sites", "function", "parallel", "parallel"]
    threads = [threading.Thread(target=race.promote)] + [threading.Thread(target=race.score, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    race.end.set()
    for thread in threads:
        thread.join()
    for what, count in race.counts.items():
        print(f"{what}: {count}")


main(float(sys.argv[1]))
