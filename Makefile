# make demo   set up, run the main job, search once; on the bundled catalogue of drawn animals,
#             or on what mapsight.toml or $MAPSIGHT_OPENIMAGES name (then with TensorFlow)
# make test   set up, then lint, types and all tests
# make bench  how fast it is beside other ways of doing the same (pictures of $MAPSIGHT_OPENIMAGES)
# make cluster-up, cluster-down  a real HDFS and YARN on this machine (Java, Maven)
# make clean  remove what these made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PROCESSES ?= 2
# the bundled catalogue brings its model; for other pictures one is built
DEMO := $(if $(MAPSIGHT_OPENIMAGES)$(wildcard mapsight.toml),installed-model,installed-demo)

.PHONY: demo test lint bench cluster-up cluster-down clean

demo: $(VENV)/$(DEMO)
	$(BIN)/python examples/demo.py

test: $(VENV)/installed-dev
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal --durations=10 -m "not hadoop"
	$(BIN)/python -m pytest -n 0 --durations=10 -m hadoop tests/hadoop

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "mapsight needs Python 3.10 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: setup.py $(BIN)/python
	@echo "installing what Mapsight needs into $(VENV) (once)"
	@$(PIP) -e '.[driver]'
	@touch $@

$(VENV)/installed-model: setup.py $(BIN)/python
	@echo "installing what Mapsight needs into $(VENV), TensorFlow too (once)"
	@$(PIP) -e '.[model,driver]'
	@touch $@ $(VENV)/installed-demo

$(VENV)/installed-dev: setup.py $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/installed-model $(VENV)/installed-demo

bench: $(VENV)/installed-dev .venv-bench/installed
	@test -n "$$MAPSIGHT_OPENIMAGES" || { echo "make bench needs pictures: set MAPSIGHT_OPENIMAGES" >&2; exit 2; }
	$(BIN)/python -m benchmarks --pictures "$$MAPSIGHT_OPENIMAGES/images" --openimages "$$MAPSIGHT_OPENIMAGES"

.venv-bench/installed: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

cluster-up: $(BIN)/python
	$(BIN)/python devcluster/cluster.py up

cluster-down: $(BIN)/python
	$(BIN)/python devcluster/cluster.py down

clean:
	rm -rf $(VENV) .venv-bench workspace workspace-demo results build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf examples/catalogue/openimages examples/catalogue/.openimages.*
