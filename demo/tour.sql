-- The tour that `make demo` runs: psql -d DATABASE -f demo/tour.sql, from the repository's root.

\pset footer off
\pset null '-'
\set QUIET on
SET client_min_messages = warning;
-- The bundled model learned from seed 0.
\set seed 7

\echo
\echo '== 1. Install'
\echo '   CREATE EXTENSION finai;'
CREATE EXTENSION finai;
SELECT model, version, task FROM finai.models;

\echo '== 2. Data'
\echo '   1,000 real credit applications, and 90 days of simulated card transactions (demo/DATA.md says where they come from).'
\i demo/credit.sql
\i demo/simulator.sql
CALL demo.simulate_transactions(n_customers => 585, n_terminals => 1000, n_days => 90, radius => 16,
     compromised_terminals_per_day => 0.2, compromised_customers_per_day => 0.3, seed => :seed);
\echo '   What was known of card and terminal when each was made: a feature set, which is a view, and a copy of it in a table.'
\i demo/features.sql
CALL finai.refresh_feature_set('txn_velocity');
SELECT (SELECT count(*) FROM demo.applications) AS applications,
       count(*) AS transactions, count(*) FILTER (WHERE tx_fraud) AS frauds,
       count(DISTINCT customer_id) AS cards, count(DISTINCT terminal_id) AS terminals
FROM demo.transactions;

\i demo/tour_fraud.sql
\i demo/tour_credit.sql
\i demo/tour_guard.sql

\echo '== Look around'
\echo '   make psql         enter this database: \\dt demo.*  \\df finai.*'
\echo '   make demo-stop    stop the server and remove it'
\echo
