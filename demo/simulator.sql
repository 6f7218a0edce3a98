-- Card transactions with known frauds: the simulator of the Fraud Detection Handbook
-- (Le Borgne, Siblini, Lebichot, Bontempi), written anew in SQL from its published parameters.
--
--   CALL demo.simulate_transactions(n_customers => 500, n_terminals => 1000, n_days => 90, radius => 16,
--        compromised_terminals_per_day => 0.2, compromised_customers_per_day => 0.3, seed => 1);

SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS demo;
COMMENT ON SCHEMA demo IS 'finai''s demonstration data: simulated card transactions and German credit applications';

CREATE TABLE IF NOT EXISTS demo.customers (
    customer_id integer PRIMARY KEY,
    x float8 NOT NULL,
    y float8 NOT NULL,
    mean_amount float8 NOT NULL,
    std_amount float8 NOT NULL,
    mean_tx_per_day float8 NOT NULL,
    terminals integer[] NOT NULL
);
COMMENT ON TABLE demo.customers IS 'Card holders: where they live on a 100 by 100 map, how much and how often they spend, and the terminals within reach';
COMMENT ON COLUMN demo.customers.terminals IS 'terminals closer than the simulator''s radius, in ascending order; a customer without any makes no transactions';

CREATE TABLE IF NOT EXISTS demo.terminals (
    terminal_id integer PRIMARY KEY,
    x float8 NOT NULL,
    y float8 NOT NULL
);
COMMENT ON TABLE demo.terminals IS 'Payment terminals and where they stand on the same 100 by 100 map';

CREATE TABLE IF NOT EXISTS demo.transactions (
    tx_id bigint PRIMARY KEY,
    tx_time timestamp NOT NULL,
    customer_id integer NOT NULL,
    terminal_id integer NOT NULL,
    tx_amount numeric(10,2) NOT NULL,
    tx_fraud boolean NOT NULL DEFAULT false,
    tx_fraud_scenario smallint NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS transactions_customer_id_tx_time_tx_id_idx ON demo.transactions (customer_id, tx_time, tx_id);
CREATE INDEX IF NOT EXISTS transactions_terminal_id_tx_time_tx_id_idx ON demo.transactions (terminal_id, tx_time, tx_id);
COMMENT ON TABLE demo.transactions IS 'Simulated card transactions, numbered in the order of their time';
COMMENT ON COLUMN demo.transactions.tx_fraud_scenario IS
    '0 legitimate, 1 amount above 220, 2 at a compromised terminal, 3 with a compromised customer''s card';

-- Every random number is a hash of what it belongs to, so a seed gives the same rows under any plan.
CREATE OR REPLACE FUNCTION demo.uniform(draw bigint, state bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(draw, state) & 4503599627370495) + 0.5::float8) / 4503599627370496;
COMMENT ON FUNCTION demo.uniform IS 'The draw-th number of a random state, uniform in the open interval (0, 1)';

CREATE OR REPLACE FUNCTION demo.normal(draw bigint, state bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sqrt(-2 * ln(demo.uniform(draw, state)))
     * cos(2 * pi() * demo.uniform(draw + 1, state));
COMMENT ON FUNCTION demo.normal IS 'A standard normal number (Box-Muller) from the draws draw and draw + 1 of a random state';

CREATE OR REPLACE PROCEDURE demo.simulate_transactions(
    n_customers integer DEFAULT 5000,
    n_terminals integer DEFAULT 10000,
    n_days integer DEFAULT 183,
    start_date date DEFAULT '2018-04-01',
    radius float8 DEFAULT 5,
    map_size float8 DEFAULT 100,
    min_mean_amount float8 DEFAULT 5,
    max_mean_amount float8 DEFAULT 100,
    amount_spread float8 DEFAULT 0.5,
    max_tx_per_day float8 DEFAULT 4,
    mean_second float8 DEFAULT 43200,
    spread_seconds float8 DEFAULT 20000,
    fraud_amount numeric DEFAULT 220,
    compromised_terminals_per_day numeric DEFAULT 2,
    terminal_compromise_days integer DEFAULT 28,
    compromised_customers_per_day numeric DEFAULT 3,
    customer_compromise_days integer DEFAULT 14,
    stolen_share float8 DEFAULT 1 / 3.0::float8,
    stolen_amount_factor numeric DEFAULT 5,
    seed bigint DEFAULT 0)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF least(n_customers, n_terminals, n_days) < 1 THEN
        RAISE EXCEPTION 'n_customers, n_terminals and n_days must be at least 1, got %, % and %', n_customers, n_terminals, n_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF least(compromised_terminals_per_day, compromised_customers_per_day) < 0 THEN
        RAISE EXCEPTION 'compromises per day must not be negative, got % terminals and % customers',
            compromised_terminals_per_day, compromised_customers_per_day USING ERRCODE = 'invalid_parameter_value';
    END IF;

    TRUNCATE demo.customers, demo.terminals, demo.transactions;

    INSERT INTO demo.terminals (terminal_id, x, y)
    SELECT id, map_size * demo.uniform(1, state), map_size * demo.uniform(2, state)
    FROM (SELECT id, hashint8extended(id, hashtextextended('terminal', seed)) AS state
          FROM generate_series(0, n_terminals - 1) AS id OFFSET 0) AS t;

    INSERT INTO demo.customers (customer_id, x, y, mean_amount, std_amount, mean_tx_per_day, terminals)
    SELECT id, x, y, mean_amount, mean_amount * amount_spread, mean_tx_per_day,
           ARRAY(SELECT t.terminal_id FROM demo.terminals t
                 WHERE t.x > c.x - radius AND t.x < c.x + radius
                   AND (t.x - c.x) ^ 2 + (t.y - c.y) ^ 2 < radius ^ 2
                 ORDER BY t.terminal_id)
    FROM (SELECT id, map_size * demo.uniform(1, state) AS x, map_size * demo.uniform(2, state) AS y,
                 min_mean_amount + (max_mean_amount - min_mean_amount) * demo.uniform(3, state) AS mean_amount,
                 max_tx_per_day * demo.uniform(4, state) AS mean_tx_per_day
          FROM (SELECT id, hashint8extended(id, hashtextextended('customer', seed)) AS state
                FROM generate_series(0, n_customers - 1) AS id OFFSET 0) AS s OFFSET 0) AS c;
    ANALYZE demo.customers, demo.terminals;

    -- A Poisson number is the quantile of a uniform one: its position among the cumulative probabilities.
    INSERT INTO demo.transactions (tx_id, tx_time, customer_id, terminal_id, tx_amount)
    WITH frequency AS (
        SELECT customer_id, array_agg(cumulative ORDER BY n) AS quantiles
        FROM (SELECT customer_id, n, sum(exp(-mean_tx_per_day) * mean_tx_per_day ^ n / factorial(n)::float8)
                                     OVER (PARTITION BY customer_id ORDER BY n) AS cumulative
              FROM demo.customers, generate_series(0, ceil(max_tx_per_day + 10 * sqrt(max_tx_per_day))::integer + 10) AS n) AS p
        GROUP BY customer_id
    ), purchase AS (
        SELECT d.customer_id, d.day, n, hashint8extended(n, d.state) AS state
        FROM (SELECT customer_id, quantiles, day,
                     hashint8extended(customer_id, hashint8extended(day, hashtextextended('purchase', seed))) AS state
              FROM frequency, generate_series(0, n_days - 1) AS day OFFSET 0) AS d,
             generate_series(1, width_bucket(demo.uniform(0, d.state), d.quantiles)) AS n
        OFFSET 0
    ), timed AS (
        SELECT customer_id, day, n, state, trunc(mean_second + spread_seconds * demo.normal(1, state))::integer AS second
        FROM purchase
    ), drawn AS (
        SELECT customer_id, n, start_date + make_interval(days => day, secs => second) AS tx_time,
               c.terminals[1 + floor(cardinality(c.terminals) * demo.uniform(3, state))::integer] AS terminal_id,
               c.mean_amount + c.std_amount * demo.normal(4, state) AS amount,
               2 * c.mean_amount * demo.uniform(6, state) AS other_amount
        FROM timed JOIN demo.customers c USING (customer_id)
        WHERE second > 0 AND second < 86400 AND c.terminals <> '{}'
    )
    SELECT row_number() OVER (ORDER BY tx_time, customer_id, n) - 1, tx_time, customer_id, terminal_id,
           CASE WHEN amount < 0 THEN other_amount ELSE amount END
    FROM drawn
    ORDER BY tx_time, customer_id, n;

    -- Scenario 1: an amount nobody spends. Each later scenario overwrites the label of an earlier one.
    UPDATE demo.transactions SET tx_fraud = true, tx_fraud_scenario = 1 WHERE tx_amount > fraud_amount;

    -- Scenario 2: from its draw on, every transaction at a compromised terminal for some weeks.
    WITH compromise AS (
        SELECT floor(n_terminals * demo.uniform(1, state))::integer AS terminal_id, since
        FROM (SELECT start_date + floor(draw / compromised_terminals_per_day)::integer AS since,
                     hashint8extended(draw, hashtextextended('compromised terminal', seed)) AS state
              FROM generate_series(0, ceil(n_days * compromised_terminals_per_day)::integer - 1) AS draw OFFSET 0) AS s
    )
    UPDATE demo.transactions t SET tx_fraud = true, tx_fraud_scenario = 2
    FROM compromise c
    WHERE t.terminal_id = c.terminal_id
      AND t.tx_time >= c.since AND t.tx_time < c.since + terminal_compromise_days;

    -- Scenario 3: a third of a compromised customer's transactions for two weeks, at several times the amount.
    WITH compromise AS (
        SELECT draw, state, floor(n_customers * demo.uniform(1, state))::integer AS customer_id, since
        FROM (SELECT draw, start_date + floor(draw / compromised_customers_per_day)::integer AS since,
                     hashint8extended(draw, hashtextextended('compromised customer', seed)) AS state
              FROM generate_series(0, ceil(n_days * compromised_customers_per_day)::integer - 1) AS draw OFFSET 0) AS s
    ), stolen AS (
        SELECT DISTINCT tx_id
        FROM (SELECT t.tx_id, count(*) OVER (PARTITION BY c.draw) AS n,
                     row_number() OVER (PARTITION BY c.draw ORDER BY hashint8extended(t.tx_id, c.state)) AS place
              FROM compromise c JOIN demo.transactions t
                ON t.customer_id = c.customer_id
               AND t.tx_time >= c.since AND t.tx_time < c.since + customer_compromise_days) AS candidate
        WHERE place <= floor(n * stolen_share)
    )
    UPDATE demo.transactions t SET tx_fraud = true, tx_fraud_scenario = 3, tx_amount = tx_amount * stolen_amount_factor
    FROM stolen s WHERE t.tx_id = s.tx_id;

    ANALYZE demo.transactions;
END
$$;
COMMENT ON PROCEDURE demo.simulate_transactions IS
'Fills demo.customers, demo.terminals and demo.transactions anew; the same arguments always give the same rows.
n_customers, n_terminals, n_days, start_date: the size. The defaults make about 1.75 million transactions, 0.8 % of them frauds.
map_size, radius: customers and terminals are uniform on a square of this side; how far a customer goes to a terminal.
min_mean_amount, max_mean_amount, amount_spread: a customer''s mean amount is uniform between the two, the standard deviation this share of it.
max_tx_per_day: a customer''s mean number of transactions a day is uniform between 0 and this, the number Poisson.
mean_second, spread_seconds: mean and standard deviation of the time of day, in seconds after midnight; what falls outside of the day is dropped.
fraud_amount: scenario 1, every amount above it is a fraud.
compromised_terminals_per_day, terminal_compromise_days: scenario 2, every transaction at these terminals for so long.
compromised_customers_per_day, customer_compromise_days, stolen_share, stolen_amount_factor: scenario 3, a third (or another share) of these customers'' transactions for so long, at so many times the amount.
Compromises a day may be fractions (0.2: one every five days): with fewer customers and terminals, scale them down and radius up to keep the share of frauds.
seed: another number gives other rows.';

RESET client_min_messages;
