SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
# Debian's own is built with optimizations; one of a version manager, which may hide it, often isn't, and a fifth slower.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11) python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PACKAGES := platform tasks flows agents dashboards client
# Bytecode is kept even where the caller keeps none: without it, everything starts twice as slowly.
unexport PYTHONDONTWRITEBYTECODE
# The machine's own certificates, to which an institution may have added some: by itself, uv knows the public ones alone.
ifneq (,$(wildcard /etc/ssl/certs/ca-certificates.crt))
export SSL_CERT_FILE ?= /etc/ssl/certs/ca-certificates.crt
endif

.PHONY: help demo test lint unit integration hostile faults build docs dev machine lock
help: ## Show what can be made
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: dev ## Set this machine up and run a competition on it, from bundle to leaderboard
	@$(BIN)/python scripts/demo.py

# The machine is set up and types are checked while units are tested: by themselves, these leave a core idle.
test: dev ## Check and test everything, from nothing
	@$(MAKE) --no-print-directory -j 2 --output-sync=none machine lint unit
	$(MAKE) --no-print-directory integration

lint: dev ## Check style and types
	@$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy $(foreach package,$(PACKAGES),-p podium.$(package))
	$(BIN)/mypy scripts/*.py examples/*.py benchmarks/*.py

unit: dev ## Test what needs nothing but Python
	@$(BIN)/python -m pytest -q -n 3 tests/unit

# One folder at a time: each starts its own database, engine or browser, and all of them at once would fight for cores.
integration: machine ## Test against the real PostgreSQL, Prefect, Docker and browser, hostile submissions too
	@$(BIN)/python -m pytest -q -n 3 --dist loadgroup tests/integration tests/hostile tests/faults

hostile: machine ## Try hostile submissions on the real executors, and nothing else
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/hostile

faults: machine ## Break each part at each point of a submission's life, 200 rounds; half an hour
	@PODIUM_FAULT_ROUNDS="$${PODIUM_FAULT_ROUNDS:-200}" $(BIN)/python -m pytest -q tests/faults

build: dev ## Build the wheel and the source distribution into dist/
	@$(BIN)/python -m build -q --installer uv
	ls dist

docs: dev ## Write the tables of settings into docs/
	@$(BIN)/python scripts/settings_tables.py

dev: ## Create .venv with the locked set and Podium in it, editable
	@scripts/bootstrap.sh $(PYTHON)

machine: dev ## Make sure of a Docker engine, PostgreSQL, a browser and object stores; needs root where one is missing
	@$(BIN)/python scripts/machine.py

lock: dev ## Resolve the dependencies again
	@$(UV) pip compile -q pyproject.toml --extra server --extra images --extra oct --extra slides --group dev --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	$(UV) pip compile -q pyproject.toml --extra agent --universal --generate-hashes --no-emit-index-url --no-header -o requirements-agent.lock
	$(UV) pip compile -q tests/integration/stores/swift.in --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -o tests/integration/stores/swift.lock
	cp requirements-agent.lock agents/images/agent.lock
	$(UV) pip compile -q agents/images/scientific.in --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -o agents/images/scientific.lock
