# `make` alone prints what one can do.
PYTHON ?= python3
BIN := .venv/bin
# More than there are cores: many tests wait, for servers to start and for commands to end.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
SPELT := src tests bench docs $(wildcard *.md) Makefile pyproject.toml requirements/lock.py
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install demo test coverage covered lint types imports generated check bench fuzz lock docs clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed-runtime  ## install Stamkund and what it needs into .venv (locked)

demo: install  ## start a throwaway installation with invented customers and print curl lines
	$(BIN)/stamkund demo $(ARGS)

test: .venv/installed-dev  ## run every test, PostgreSQL included
	$(if $(COVERAGE),mkdir -p .pytest_cache && $(BIN)/coverage erase)
	$(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# With coverage the same tests take half as long again, so a plain `make test` goes without.
coverage: export COVERAGE := yes
coverage: test covered  ## run every test, and check that they cover enough of the code

covered: .venv/installed-dev  # what COVERAGE=yes make test covered: enough?
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

lint: .venv/installed-dev  ## ruff: format and rules; codespell: spelling
	$(BIN)/ruff format --check src tests bench docs requirements
	$(BIN)/ruff check src tests bench docs requirements
	$(BIN)/codespell $(SPELT)

types: .venv/installed-dev  ## mypy --strict, of the tests and the benchmark too
	$(BIN)/mypy

imports: .venv/installed-dev  ## which package may import which (.importlinter)
	$(BIN)/lint-imports

generated: .venv/installed-dev  ## generated documentation agrees with the code
	$(BIN)/stamkund docs --check

check: coverage lint types imports generated  ## all that CI runs

bench: .venv/installed-bench  ## measure, as ratios within one run
	$(BIN)/python -m bench $(ARGS)

fuzz: .venv/installed-fuzz  ## send 100,000 made-up requests and 5,000 malformed ones to a server of its own
	$(BIN)/python -m tests.fuzz $(ARGS)

docs: .venv/installed-dev  ## write the generated documentation anew
	$(BIN)/stamkund docs

lock: .venv/installed-dev  ## resolve all dependencies anew
	$(BIN)/python requirements/lock.py

clean:  ## remove the virtual environment and all caches
	rm -rf .venv tests/javascript/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Stamkund needs Python 3.11 or newer, and $(PYTHON) is %d.%d: try make install PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv

# The build backend is installed from the locks too, so that building the project asks for nothing that is not locked.
.venv/installed-%: requirements/%.txt pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements/$*.txt
	$(PIP) --no-build-isolation --no-deps -e .
	@touch $@
