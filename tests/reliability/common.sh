# shellcheck shell=bash
# Sourced by every script here: private clusters that share one build, checks that count, the log gate.
#
# A script sources this, makes clusters with `cluster`, calls `check`, and ends with `conclude`. What it made is
# stopped and removed on every way out.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/env"
cd "$root" || exit

export PGUSER=postgres PGTZ=UTC LC_ALL=C
unset PGHOST PGPORT PGDATABASE PGOPTIONS
# shellcheck disable=SC2034  # used by the scripts
gbr=engine/tests/fixtures/german_gbr.onnx mlp=engine/tests/fixtures/german_mlp.onnx
passed=0 failed=0 clusters=() programs=${FINAI_PROGRAMS:-}

clean_up() {
    local dir
    for dir in "${clusters[@]}"; do
        tools/cluster stop "$dir"
        rm -rf "$dir"
    done
}
trap clean_up EXIT

# folder VAR: a folder of its own with PostgreSQL and the extension, no cluster yet.
folder() {
    local -n made=$1
    made=$(fresh_dir)
    clusters+=("$made")
    if [ -z "$programs" ]; then
        tools/build dev "$made" 2>/dev/null
        programs=$made
    else
        ln -s "$programs/usr" "$made/usr"
    fi
}

# cluster VAR [SETTING ...]: a folder with a running cluster; settings on top of the regression suite's.
cluster() {
    local name=$1
    shift
    folder "$name"
    { cat tests/pg_regress/postgresql.conf; printf '%s\n' "$@"; } | tools/cluster start "${!name}"
}

# program DIR NAME ARGUMENT ...: one of PostgreSQL's programs against the cluster in DIR.
program() {
    local dir=$1 name=$2
    shift 2
    PGHOST=$dir/socket PGPORT=5432 "$dir$("$pg_config" --bindir)/$name" "$@"
}

# sql DIR DATABASE [STATEMENT]: runs a statement, or standard input, and prints bare values; stops at the first error.
sql() {
    local dir=$1 database=$2
    shift 2
    program "$dir" psql -XAtq -v ON_ERROR_STOP=1 -d "$database" ${1+-c "$1"}
}

# outcome DIR DATABASE ROLE STATEMENT: the SQLSTATE of the statement's error, or what it returned.
outcome() {
    program "$1" psql -XAtq -v VERBOSITY=sqlstate -d "$2" -c "SET ROLE $3" -c "$4" 2>&1 | sed -n 's/^ERROR:  //; $p' || true
}

# check WHAT FOUND EXPECTED
check() {
    if [ "$2" = "$3" ]; then
        printf '%-6s %s\n' ok "$1"
        passed=$((passed + 1))
    else
        printf '%-6s %s\n  found:    %s\n  expected: %s\n' FAILED "$1" "$2" "$3"
        failed=$((failed + 1))
    fi
}

# check_that WHAT COMMAND ...: the command succeeds.
check_that() {
    local what=$1 status=0
    shift
    "$@" || status=$?
    check "$what" "$status" 0
}

# until_true SECONDS COMMAND ...: waits until the command succeeds; fails when it does not in time.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# accepts DIR: whether the cluster takes connections.
accepts() { sql "$1" postgres 'SELECT 1' >/dev/null 2>&1; }

# Statements that make customers and register model risk: version 1 an amount, version 2 a probability.
customers() {
    cat <<SQL
CREATE TABLE customer AS
SELECT id, 6 + id % 60 AS duration_in_month, 250 + 7 * (id % 2500) AS credit_amount,
       1 + id % 4 AS installment_rate_in_percentage_of_disposable_income, 1 + id / 4 % 4 AS present_residence_since,
       1 + id / 16 % 4 AS number_of_existing_credits_at_this_bank,
       1 + id / 64 % 2 AS number_of_people_being_liable_to_provide_maintenance_for
FROM generate_series(1, ${1:-1000}) id;
GRANT SELECT ON customer TO PUBLIC;
\\set gbr \`base64 -w0 $gbr\`
\\set mlp \`base64 -w0 $mlp\`
CREATE TABLE file (name text PRIMARY KEY, onnx bytea);
INSERT INTO file VALUES ('gbr', decode(:'gbr', 'base64')), ('mlp', decode(:'mlp', 'base64'));
GRANT SELECT ON file TO PUBLIC;
DO 'BEGIN
  PERFORM finai.register_model(''risk'', onnx) FROM file WHERE name = ''gbr'';
  PERFORM finai.register_model(''risk'', onnx) FROM file WHERE name = ''mlp'';
  PERFORM finai.promote_model(''risk'', 1);
END';
VACUUM ANALYZE customer;
SQL
}

# database DIR NAME [ROWS]: a database with the extension, customers and model risk.
database() {
    sql "$1" postgres "CREATE DATABASE $2"
    sql "$1" "$2" 'CREATE EXTENSION finai'
    customers "${3:-1000}" | sql "$1" "$2"
}

# python_packages: a Python with the packages that the scripts here need, kept in the cache; sets `venv`.
python_packages() {
    tools/prepare python3-venv
    venv=$cache/reliability-$(sha256sum <tests/reliability/requirements.txt | cut -c 1-12)
    [ ! -x "$venv/bin/pgspot" ] || return 0
    mkdir -p "$cache"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: -r tests/reliability/requirements.txt
}

# conclude: the log gate, which lets pass lines that match what `tolerated` is set to, the counts, and the exit status.
conclude() {
    local dir faults
    for dir in "${clusters[@]}"; do
        [ -f "$dir/log" ] || continue
        faults=$(tools/cluster faults "$dir" | grep -vE "${tolerated:-^$}" || true)
        check 'server log' "$faults" ''
    done
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
