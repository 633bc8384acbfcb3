# Credit Economy. `make run` to use it, `make test` to prove it, `make help` for the rest.
#
# Everything happens in .venv, made here from hash-locked requirements. A virtual environment
# that is active in your shell, or PYTHONPATH and pip settings, play no part.

VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PYTHONNOUSERSITE := 1

# Stamps say what is installed, and for which folder: an environment that was moved or copied
# still points to its old place and is made anew.
PLACE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
RUN := $(VENV)/installed-run-$(PLACE)
DEV := $(VENV)/installed-dev-$(PLACE)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest

.PHONY: help run test check bench soak lock screenshot clean

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(RUN)  ## demo data or your own log (USAGE=log.parquet MAP=map.toml) to the dashboard
	$(BIN)/economy demo $(if $(USAGE),--usage "$(USAGE)") $(if $(MAP),--map "$(MAP)")

test: $(DEV)  ## every test, the dashboard in Chromium and the notebooks included
	@scripts/chromium
	$(PYTEST) -n 2

check: $(DEV)  ## what to run before each commit: lint, types, imports, fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -n 2 tests/unit tests/golden tests/properties

bench: $(DEV)  ## benchmarks (AREA=metering, QUICK=1, JSON=1)
	$(BIN)/python -m tests.bench $(AREA) $(if $(QUICK),--quick) $(if $(JSON),--json)

soak: $(DEV)  ## random histories and crashes for SOAK_S seconds (default 600)
	$(BIN)/python -m tests.soak --seconds $(or $(SOAK_S),600)

lock:  ## the lock files anew from pyproject.toml (needs uv)
	scripts/lock

screenshot: $(DEV)  ## docs/screenshot.png anew, from a demo workspace
	@scripts/chromium
	$(BIN)/python scripts/screenshot.py

clean:  ## remove the environment and every cache; .economy, your workspace, stays
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache
	find economy simulations dashboards tests scripts -name __pycache__ -prune -exec rm -rf {} +

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes a few minutes."
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing what the tests need."
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(BIN)/python:
	@scripts/environment $(VENV)
