# Everything a newcomer needs: `make demo` and `make test` create the environment by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: venv demo test lint types contracts bench pictures clean

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(READY)

demo: venv
	$(BIN)/clampctl demo

test: lint types contracts
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --cov --cov-fail-under=100

lint: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: venv
	$(BIN)/mypy

contracts: venv
	$(BIN)/lint-imports --no-cache

bench: venv
	$(BIN)/python tests/speed.py

pictures: venv
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.ui.pictures docs/pictures

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
