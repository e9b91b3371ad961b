# Every target does its own set-up: it needs make and Python 3.11 or newer, nothing else.
# PYTHON=... chooses the interpreter when .venv is made; `make clean` makes room for another.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

# Absolute, because the commands run in the example's folder; left to the shell, because make splits at spaces.
DEMO_HOME := .demo
DEMO := home="$$PWD/$(DEMO_HOME)"; program="$$PWD/$(BIN)/compartment"; cd examples/multi-service; \
	compartment() { COMPARTMENT_HOME="$$home" "$$program" "$$@"; }; set -e

unexport PYTHONHOME PYTHONPATH
export PYTHON

# A checkout that was copied brings along an environment that points at the original.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.PHONY: help
help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: $(STAMP) ## Deploys examples/multi-service on free ports, in a home folder of its own (.demo)
	@$(DEMO); \
	compartment agent start --port 0 --internal-port 0 >/dev/null; \
	compartment deploy; \
	compartment status; \
	echo; \
	echo "Open the URL of web. Change a file in examples/multi-service and run 'make demo' again: no request is lost."; \
	echo "Stop it with 'make demo-stop'."

.PHONY: demo-stop
demo-stop: $(STAMP) ## Stops what `make demo` started, and forgets it
	@$(DEMO); \
	if [ ! -d "$$home" ]; then echo "No demo is running."; exit; fi; \
	compartment down --project multi-service || true; \
	compartment agent stop; \
	rmdir "$$home/instances"; \
	rm -rf "$$home"

.PHONY: test
test: $(STAMP) ## Runs the tests: in parallel first, then the end-to-end ones one by one
	$(BIN)/python -m pytest -m "not e2e" -n 2
	$(BIN)/python -m pytest -m e2e -p no:xdist

.PHONY: check
check: $(STAMP) ## Checks style, types and layers
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

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
