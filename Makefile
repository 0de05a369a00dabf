# Each target is the thin front of one plain command. PYTHON, VENV, ARGS can be given: make test ARGS="-k settings"
SHELL := /usr/bin/env bash -o pipefail
VENV ?= .venv
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(name))))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)

.DEFAULT_GOAL := help
.PHONY: help install run test check simulate chaos histories lost-keystrokes slow bench merge-cases generate lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(VENV)/installed web/dist/index.html ## Install Pairloom into .venv and build the browser client

run: install ## Start the server and open a room
	@$(BIN)/pairloom serve $(ARGS)

test: install $(VENV)/installed-dev ## Run the tests
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)
	$(if $(ARGS),,$(BIN)/python hatch_build.py run test)

check: install $(VENV)/installed-dev ## Check style, types, layers and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python hatch_build.py run check
	$(BIN)/python -m server.messages.typescript | cmp - web/src/messages.ts
	$(BIN)/python -m server.messages.markdown --check

simulate: install $(VENV)/installed-dev ## Simulate rooms with N seeds: make simulate N=10000
	PAIRLOOM_SEEDS=$(or $(N),1000) $(BIN)/python -m pytest tests/simulation -n 2 --dist load --timeout 0 $(ARGS)

chaos: install $(VENV)/installed-dev ## Play N rounds of faults on real processes: make chaos N=200 SEED=1
	PAIRLOOM_CHAOS_ROUNDS=$(or $(N),20) PAIRLOOM_CHAOS_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -m slow -s \
		tests/integration/test_chaos.py $(ARGS)

histories: install $(VENV)/installed-dev ## Play N histories of undo and redo: make histories N=10000
	PAIRLOOM_HISTORIES=$(or $(N),10000) $(BIN)/python -m pytest -n 2 tests/properties/test_undo_histories.py $(ARGS)

lost-keystrokes: install $(VENV)/installed-dev ## Play N human edits during AI jobs, none of which may be lost; N=1 replays SEED
	$(BIN)/python -m tests.lost_keystrokes.command --edits $(or $(N),1000000) --seed $(or $(SEED),1) $(ARGS)

slow: install $(VENV)/installed-dev ## Run the tests that wait for long timeouts
	$(BIN)/python -m pytest -m slow -n 2 $(ARGS)

bench: install $(VENV)/installed-dev ## Measure
	$(BIN)/python -m pytest -m bench -p no:xdist $(ARGS)

merge-cases: install $(VENV)/installed-dev ## Score the merge engine with real merges
	@$(BIN)/python -m tests.collab.merge.three.report

generate: install ## Write the files that are generated from the messages
	$(BIN)/python -m server.messages.typescript > web/src/messages.ts.new && mv web/src/messages.ts.new web/src/messages.ts
	$(BIN)/python -m server.messages.markdown

lock: $(VENV)/installed-dev ## Lock the dependencies anew
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCKING) --extra=dev --output-file=requirements-dev.lock \
		pyproject.toml
	# What is installed in production is what the tests ran with.
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCKING) --constraint=requirements-dev.lock \
		--output-file=requirements.lock pyproject.toml

LOCKING := --quiet --generate-hashes --strip-extras --allow-unsafe --extra=build --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options

clean: ## Remove all that was installed and built
	rm -rf $(VENV) build dist web/dist web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Pairloom needs Python 3.11 or newer; install it, or give PYTHON=/path/to/python." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.lock pyproject.toml hatch_build.py | $(BIN)/python
	@echo "Installing the dependencies; the first time takes a minute." >&2
	$(PIP) install -r requirements.lock
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock | $(VENV)/installed
	$(PIP) install -r requirements-dev.lock
	@touch $@

web/dist/index.html: $(SOURCES) | $(VENV)/installed
	$(BIN)/python hatch_build.py
