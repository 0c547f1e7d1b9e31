# Everything a person does with this checkout. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo up status down test coverage test-unit lint check bench chaos lock clean

PYTHON := .venv/bin/python
# Tests that wait for nothing: two processes at a time.
ALONE := tests/attack tests/contract tests/midi tests/unit
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --upgrade

help:  ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup:  ## install what this machine lacks
	@infra/setup.sh

demo: setup  ## play the whole path on real images, print a summary, stop
	@$(PYTHON) -m infra.demo

up: setup  ## start the federation and keep it (TRUSTS=3 for three trusts, TLS=1, WATCH=1 for Prometheus)
	@$(PYTHON) -m infra up

status:  ## show every process of the federation
	@$(PYTHON) -m infra status

down:  ## stop the federation
	@$(PYTHON) -m infra down

test: setup  ## run all tests on real parts
	@$(PYTHON) -m pytest -n 2 $(ALONE)
	@$(PYTHON) -m pytest $(addprefix --ignore=,$(ALONE))

coverage: setup  ## run all tests, slower, and print what they do not reach
	@$(PYTHON) -m pytest --cov --cov-report=term:skip-covered

test-unit: setup  ## run the tests that need no service
	@$(PYTHON) -m pytest -q -n 2 tests/unit tests/contract

lint: setup  ## style, format, types, import rules
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports

check: lint test-unit  ## lint, then the tests that need no service

bench: setup  ## measure against the bare parts
	@$(PYTHON) -m tests.bench

chaos: setup  ## 500 kills, cuts and restarts under load; at most 30 minutes, a table at the end
	@$(PYTHON) -m tests.chaos

lock: setup  ## pin the newest versions that pyproject.toml allows
	@$(COMPILE) --extra dev pyproject.toml -o requirements.txt
	@echo uv | $(COMPILE) - -o infra/uv.txt

clean:  ## stop the federation and remove what it left; downloads in build/cache and build/kafka stay
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m infra down; fi
	@rm -rf build/run build/chaos build/bench build/bench-run build/bench-ground-* build/demo .coverage htmlcov .hypothesis .mypy_cache .ruff_cache .pytest_cache
