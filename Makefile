# Two commands do all the set-up: make demo, make test. Each makes its virtual environment first.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test slow check bench fuzz soak bare clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

# The training library without a graphics card's gigabytes, where the registry has such a build; another
# version that is there already is left alone.
.venv/torch: | .venv/pip
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $@

.venv/demo: pyproject.toml | .venv/torch
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train,stats,plot]'
	@touch $@

.venv/dev: pyproject.toml | .venv/torch
	$(BIN)/pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: .venv/demo  ## the whole job on the project's own samples, from raw files to a statement
	$(BIN)/cqia demo --work work/demo

test: .venv/dev  ## the tests, fast and offline
	$(BIN)/pytest -n auto --dist loadgroup

slow: .venv/dev  ## the tests that take minutes
	$(BIN)/pytest -m slow

check: .venv/dev  ## format, lint, types, import floors
	$(BIN)/ruff format --check src tests benchmarks docs fuzz
	$(BIN)/ruff check src tests benchmarks docs fuzz
	$(BIN)/mypy
	$(BIN)/lint-imports

bare: .venv/pip  ## the wheel alone, in an environment of its own, runs the demo
	rm -rf .venv-bare dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	$(PYTHON) -m venv .venv-bare
	.venv-bare/bin/pip install --quiet --disable-pip-version-check dist/*.whl
	cd dist && ../.venv-bare/bin/cqia demo --work demo

bench: .venv/dev  ## each stage beside its limit, then beside data-juicer and datatrove, in one run
	$(BIN)/python benchmarks/limits.py
	$(BIN)/python benchmarks/rivals.py

fuzz: .venv/dev  ## hostile input for every reader, a minute each
	$(BIN)/python -m fuzz --seconds 60

soak: .venv/dev  ## half an hour of kills, full disks and faults
	$(BIN)/python -m fuzz.soak --minutes 30

clean:  ## remove environments and results
	rm -rf .venv .venv-* work dist
