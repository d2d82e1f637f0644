# make demo   set up, run the main job on the pictures of $MAPSIGHT_OPENIMAGES, search once
# make test   set up, then lint, types and all tests
# make clean  remove what these made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROCESSES ?= 2

.PHONY: demo test lint clean

demo:
	@test -n "$$MAPSIGHT_OPENIMAGES" || { echo "make demo needs pictures: set MAPSIGHT_OPENIMAGES to a folder of Open Images files (images/ and the CSV files under their published names), as in" >&2; echo "    make demo MAPSIGHT_OPENIMAGES=/path/to/openimages" >&2; echo "MAPSIGHT_WEIGHTS may name a folder with MobileNet weights; without it they are downloaded." >&2; exit 2; }
	@$(MAKE) --no-print-directory $(VENV)/installed-demo
	$(BIN)/python examples/demo.py

test: $(VENV)/installed-dev
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal --durations=10

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "mapsight needs Python 3.10 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: setup.py $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[model,driver]'
	@touch $@

$(VENV)/installed-dev: setup.py $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed-demo

clean:
	rm -rf $(VENV) workspace results build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
