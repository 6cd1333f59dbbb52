# Everything a newcomer needs: `make demo` and `make test` create the environment by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
PEERS := .venv-peers
PEERS_READY := $(PEERS)/.ready
SUBJECTS ?= 100

.PHONY: venv demo test lint types contracts bench fuzz peers soak faults validation pictures in-silico clean

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(READY)

demo: venv
	$(BIN)/clampctl demo

# The core's own tests must reach every branch of it; counting branches makes whole clamps three times slower.
test: lint types contracts
	$(PYTEST) tests/core --cov --cov-fail-under=100
	$(PYTEST) tests --ignore=tests/core

lint: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: venv
	$(BIN)/mypy

contracts: venv
	$(BIN)/lint-imports --no-cache

bench: venv
	$(BIN)/python tests/speed.py
	$(BIN)/python -m tests.latency
	$(BIN)/python -m tests.trial_speed $(PEERS)/bin/python

fuzz: venv
	$(BIN)/python -m tests.fuzz

$(PEERS_READY): tests/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	grep -v '^#' tests/peers/requirements.txt | xargs -n 1 $(PEERS)/bin/python -m pip install --quiet \
		&& touch $(PEERS_READY) || echo "a peer could not be installed and will be skipped"

peers: venv $(PEERS_READY)
	$(BIN)/python -m tests.peers $(PEERS)/bin/python

soak: venv
	$(BIN)/python -m tests.soak

faults: venv
	$(BIN)/python -m tests.faults

validation: venv
	$(BIN)/python -m simulator.validation

pictures: venv
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.ui.pictures docs/pictures

in-silico: venv
	$(BIN)/python -m simulator.insilico --subjects $(SUBJECTS)

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
