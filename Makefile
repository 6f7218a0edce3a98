# finai: `make help` lists the commands. Each installs what it needs and the machine lacks (tools/prepare).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help prepare test check lint test-engine test-sql test-isolation test-reliability test-readme reliability conformance fuzz asan demo demo-stop psql bench bench-engine models install clean

help: ## print this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: prepare ## build, start a private cluster, score real and simulated data in it
	@demo/run start

psql: ## enter the demo's database
	@demo/run psql

demo-stop: ## stop the demo's cluster and remove it
	@demo/run stop

test: lint test-engine test-sql test-isolation test-reliability test-readme ## everything .ci/run runs

check: lint ## format, lints, documentation
	@. tools/env && RUSTDOCFLAGS=-Dwarnings building cargo doc --workspace --no-deps
	@. tools/env && if command -v cargo-deny >/dev/null; then cargo deny check; fi
	@if command -v shellcheck >/dev/null; then shellcheck -x tools/* demo/run bench/run bench/guards engine/benches/run tests/run tests/readme tests/isolation/run $$(find tests/reliability -type f -perm -u+x) .ci/run engine/tests/models/regenerate engine/tests/conformance/run engine/fuzz/run; fi

reliability: prepare ## the deep tier: crashes, dumps, upgrades, standbys, poolers, a minute of races, memory over millions of rows
	@tests/reliability/run

conformance: prepare ## run the onnx package's node tests for every operator that models may use
	@engine/tests/conformance/run

fuzz: prepare ## throw bytes at the engine, a minute a target (needs a nightly Rust and cargo-fuzz)
	@engine/fuzz/run

# A target folder of its own: everything is built anew for the sanitizer.
asan: prepare ## run the kernels' and the corpus' tests under the address sanitizer (needs a nightly Rust)
	@. tools/env && CARGO_TARGET_DIR=$$cache/target-asan RUSTFLAGS=-Zsanitizer=address \
		cargo +nightly test -p finai-engine --target x86_64-unknown-linux-gnu --lib --test corpus --test bad_models --test bad_tree_ensembles

bench: prepare ## score side by side with onnxruntime called from PL/Python; then what guards and feature sets cost
	@bench/run
	@bench/guards

bench-engine: prepare ## the engine alone beside onnxruntime, native XGBoost and tract, in one process on one thread; loading
	@engine/benches/run

models: ## train and export the models of the engine's suite anew (needs Python 3.11)
	@engine/tests/models/regenerate

install: prepare ## build for use and install into the system's PostgreSQL 15
	@. tools/env && building cargo-pgrx pgrx install --release --pg-config "$$pg_config"

clean: ## remove what building and testing left in the clone
	@rm -rf target tests/pg_regress/results

prepare:
	@tools/prepare

lint: prepare
	@. tools/env && cargo fmt --all --check
	@. tools/env && building cargo clippy --workspace --all-targets -- -D warnings

# The whole workspace: a package of its own would get its dependencies with fewer features, compiled once more.
test-engine: prepare
	@. tools/env && building cargo test --workspace

test-sql: prepare
	@tests/run

test-isolation: prepare
	@tests/isolation/run

test-reliability: prepare
	@tests/reliability/run --quick

test-readme: prepare
	@tests/readme
