# Every target does its own set-up: it needs make and Python 3.11 or newer, nothing else.
# PYTHON=... chooses the interpreter when .venv is made; `make clean` makes room for another.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

# What takes longest is told, so that nobody has to look for it.
SLOWEST := --durations=15 --durations-min=5

# Absolute, because agents and services work in other folders; left to the shell, because make splits
# at spaces.
DEMO := COMPARTMENT_HOME="$$PWD/.demo" $(BIN)/compartment-tui --demo

unexport PYTHONHOME PYTHONPATH
export PYTHON

# A checkout that was copied brings along an environment that points at the original.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.PHONY: help
help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: $(STAMP) ## Opens the dashboard on examples/multi-service, live, in a world of its own (.demo)
	@$(DEMO)

.PHONY: demo-lab
demo-lab: $(STAMP) ## The same with examples/lifecycle-lab, where things go wrong on purpose
	@$(DEMO) lifecycle-lab

.PHONY: demo-stop
demo-stop: $(STAMP) ## Stops a demo that was left running, and forgets it
	@$(DEMO) stop

.PHONY: test
test: $(STAMP) ## Runs the tests: those on real parts last, and those that measure one by one
	@trap : INT; $(BIN)/python -m pytest -m "not e2e and not docker or mistreats" -n 4 --dist loadgroup -o timeout=120 $(SLOWEST) \
		&& $(BIN)/python -m pytest -m "(e2e or docker) and not alone and not mistreats" -n 4 -o timeout=120 $(SLOWEST) \
		&& $(BIN)/python -m pytest -m "(e2e or docker) and alone" -p no:xdist -o timeout=120 $(SLOWEST); code=$$?; \
		$(BIN)/python -m tests.engine stop; exit $$code

.PHONY: proof
proof: $(STAMP) ## Runs the proofs whole (two to three hours; goes on where it was), and writes docs/PROOF.md
	@$(BIN)/python -m pip install --quiet --only-binary :all: --require-hashes -r requirements-proof.lock
	@trap : INT; $(BIN)/python -m tests.proof $(PARTS); code=$$?; $(BIN)/python -m tests.engine stop; exit $$code

.PHONY: check
check: $(STAMP) ## Checks style, types and layers
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

.PHONY: audit
audit: $(STAMP) ## Asks the package index whether what is pinned is withdrawn, or known to be unsafe
	@$(BIN)/python -m tests.audit

.PHONY: bench
bench: $(STAMP) ## Measures the dashboard against its budgets
	PYTHONPATH=. $(BIN)/python -m tests.bench.dashboard

.PHONY: bench-compose
bench-compose: $(STAMP) ## Deploys side by side with docker-compose; prints the table of the README
	PYTHONPATH=. $(BIN)/python -m tests.bench.compose

.PHONY: shots
shots: $(STAMP) ## Makes the pictures in screenshots/ from real runs
	PYTHONPATH=. $(BIN)/python screenshots/make.py

.PHONY: fmt
fmt: $(STAMP) ## Formats the code and mends what can be mended
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

.PHONY: venv
venv: $(STAMP) ## Makes .venv, the environment that all targets use

.PHONY: clean
clean: ## Removes .venv, caches and builds
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml .ci/venv
	@.ci/venv $(VENV)
