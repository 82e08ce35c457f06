SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: help dev lock check
help: ## Show what can be made
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

dev: $(VENV)/.installed ## Create .venv with the locked set and Podium in it, editable
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e . --config-settings editable_mode=strict

$(VENV)/.installed: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(UV) || $(BIN)/pip install -q uv
	echo "Installing the locked set ..."
	$(UV) pip install -q --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	touch $@

lock: ## Resolve the dependencies again
	@$(UV) pip compile -q pyproject.toml --extra server --group dev --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	$(UV) pip compile -q pyproject.toml --extra agent --universal --generate-hashes --no-emit-index-url --no-header -o requirements-agent.lock
	$(UV) pip compile -q agents/images/scientific.in --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -o agents/images/scientific.lock
