# Everything that is done with this repository from a shell; `make` alone lists it.
#
# All targets build with the one release profile of the root Cargo.toml into target/, so libtorch's
# bindings (a minute and a half on two cores) are compiled once for the demo, the tests, the
# benchmarks and the lints. What is fetched: crates, libtorch (nas-core/torch/libtorch.py says
# from where), and for `lint` and `book` one tool each, built from its crate into .tools/.
#
# CARGO_FLAGS goes to every cargo command that resolves dependencies; CI sets it to --locked.

.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
CARGO_FLAGS ?=

# The version is in the path, so that a new version here is a missing file, and gets built.
CARGO_DENY := .tools/cargo-deny-0.20.2/bin/cargo-deny
MDBOOK := .tools/mdbook-0.5.4/bin/mdbook
PYTORCH := .tools/pytorch-2.13.0

# Benchmarks that are compared with nothing.
ALONE := start_up stop_latency search_loop time_outside_training

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## check the tools, and make libtorch available (0.5 GB, downloaded once per user)
	@need() { command -v "$$1" >/dev/null || { echo "setup: $$1 is missing: $$2" >&2; exit 1; }; }; \
	need $(CARGO) "install Rust 1.89 or later with rustup"; \
	need $(PYTHON) "install Python 3.8 or later with pip (Debian: apt install python3 python3-pip)"; \
	need $${CXX:-c++} "install a C++17 compiler (Debian: apt install g++), or set CXX"
	@$(PYTHON) nas-core/torch/libtorch.py .libtorch

# Plugins that are listed beside `nas` run inside it, all others in processes of their own.
.PHONY: build
build: setup ## build the programs and all plugins into target/release, and trust these plugins
	$(CARGO) build $(CARGO_FLAGS) --release --workspace
	@cd target/release && sha256sum lib*.so >trusted-plugins.sha256

.PHONY: demo
demo: build ## search an architecture for handwritten digits on this machine's CPU
	target/release/nas search examples/digits.toml

# `build` comes first because the end-to-end tests load the plugins' shared libraries, which
# `cargo test` does not leave in target/release by itself. The fake worker is named, so that its
# tests do not have cargo build it once more on its own.
.PHONY: test
test: build ## run all tests
	NAS_TEST_FAKE_WORKER=$(CURDIR)/target/release/nas-fake-worker \
	  $(CARGO) test $(CARGO_FLAGS) --release --workspace --no-fail-fast

.PHONY: faults
faults: build ## run 1,000 randomised searches that meet faults
	NAS_TEST_RUNS=1000 $(CARGO) test $(CARGO_FLAGS) --release -p nas-tests --test it -- --nocapture fault_injection

# The comparisons need PyTorch, of libtorch's version (5 GB, once per checkout); where it can't be
# installed, they say that they are skipped. NAS_BENCH_PYTHON names a Python that has it.
.PHONY: bench
bench: build ## run all benchmarks, against PyTorch too; BENCH=name runs some of them
	@$(if $(filter $(ALONE),$(BENCH)),,[ -n "$$NAS_BENCH_PYTHON" ] || [ -x $(PYTORCH)/bin/python ] || $(MAKE) $(PYTORCH)/bin/python || true)
	$(CARGO) bench $(CARGO_FLAGS) -p nas-tests --bench front_door -- $(BENCH)
	$(if $(filter-out training_step,$(BENCH)),,$(CARGO) bench $(CARGO_FLAGS) -p nas-torch --bench training_step)
	$(if $(filter $(ALONE),$(BENCH)),,NAS_BENCH_PYTHON="$${NAS_BENCH_PYTHON:-$(CURDIR)/$(PYTORCH)/bin/python}" \
	  $(CARGO) bench $(CARGO_FLAGS) -p nas-torch --bench supernet_step -- $(BENCH))

# NAS_DATA is the folder of the published tables. A slow strategy gets fewer searches.
NAS_DATA ?= ../shared/data
PUBLISHED = --also 'random duplicates=allowed' \
  --also 'regularized-evolution population=10 sample_size=3 mutation=node-first duplicates=allowed'
.PHONY: compare
compare: build ## score all strategies on the published tables, for a page of the book
	target/release/nas bench --all --table $(NAS_DATA)/nb201.csv.gz \
	  --set benchmark.zero_cost=$(NAS_DATA)/nb201_zero_cost.csv.gz \
	  --dataset cifar10 --dataset cifar100 --dataset imagenet16-120 \
	  --budget 20000 --budget 40000 --budget 120000 --seeds 500 $(PUBLISHED) \
	  --seeds-of portfolio=100 --seeds-of bananas=3 \
	  --reference $(NAS_DATA)/reference_results.csv >docs/src/reference/strategies_nb201.md
	target/release/nas bench --all --benchmark nas-bench-macro --epochs 1 \
	  --table $(NAS_DATA)/nas_bench_macro.csv.gz --evaluations 100 --seeds 500 \
	  --seeds-of portfolio=100 --seeds-of bananas=3 >docs/src/reference/strategies_nas_bench_macro.md

.PHONY: book
book: $(MDBOOK) ## build the book into docs/book
	$(MDBOOK) build docs

.PHONY: lint
lint: fmt deny clippy doc-links ## check format, licences, advisories, lints and links in the docs

.PHONY: fmt
fmt:
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy: setup
	$(CARGO) clippy $(CARGO_FLAGS) --release --workspace --all-targets -- -D warnings

.PHONY: doc-links
doc-links: setup
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(CARGO_FLAGS) --release --workspace --no-deps --document-private-items

# The advisory database is not a crate: it is cloned from its own repository. Where that cannot be
# reached, this says so and goes on; where it can, an advisory fails the target.
DENY = $(CARGO_DENY) --all-features $(CARGO_FLAGS)
.PHONY: deny
deny: $(CARGO_DENY)
	$(DENY) check --hide-inclusion-graph bans licenses sources
	@if timeout 120 $(DENY) fetch db >.tools/fetch-advisories.log 2>&1; then \
	  echo $(DENY) check advisories; $(DENY) check advisories; \
	else \
	  echo "deny: SKIPPED the advisories: their database cannot be fetched here (.tools/fetch-advisories.log)"; \
	fi

.PHONY: clean
clean: ## remove what was built (libtorch itself stays in the user's cache)
	$(CARGO) clean
	rm -rf .tools .libtorch docs/book

# Each tool is built with the versions of its own lock file.
.tools/cargo-deny-%/bin/cargo-deny:
	$(CARGO) install --locked --quiet cargo-deny --version $* --root .tools/cargo-deny-$*

# Without `mdbook serve` and `mdbook watch`, which bring half of its dependencies.
.tools/mdbook-%/bin/mdbook:
	$(CARGO) install --locked --quiet mdbook --version $* --root .tools/mdbook-$* --no-default-features --features search

.tools/pytorch-%/bin/python:
	$(PYTHON) -m venv .tools/pytorch-$*
	$(@D)/pip install --quiet torch==$* numpy || { rm -rf .tools/pytorch-$*; exit 1; }
