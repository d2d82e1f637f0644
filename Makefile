# make demo   set up, run the main job, search once; on the bundled catalogue of drawn animals,
#             or on what mapsight.toml or $MAPSIGHT_OPENIMAGES name (then with TensorFlow)
# make test   set up, then lint, types, test-here and test-cluster, each of which can be made alone;
#             says what each took
# make test-fast  tests of the library and the driver that start no program and build no model;
#             TESTS=tests/mapsight/labels names a room
# make bench  how fast it is beside other ways of doing the same (pictures of $MAPSIGHT_OPENIMAGES)
# make cluster-up, cluster-down  a real HDFS and YARN on this machine (Java, Maven)
# make clean  remove what these made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PROCESSES ?= 2
TESTS ?= tests
# a module's tests stay in one process, which makes its fixtures once; the longest modules come first
BY_MODULE := --dist loadfile --no-loadscope-reorder
# the bundled catalogue brings its model; for other pictures one is built
DEMO := $(if $(MAPSIGHT_OPENIMAGES)$(wildcard mapsight.toml),installed-model,installed-demo)

.PHONY: demo test test-here test-cluster test-fast lint types bench cluster-up cluster-down clean

demo: $(VENV)/$(DEMO)
	$(BIN)/python examples/demo.py

PARTS := $(VENV)/installed-dev lint types test-here test-cluster

# the shell ends with the first part that fails, and says what each took all the same
test:
	@times='' ended=0; \
	for part in $(PARTS); do \
	    began=$$(date +%s); $(MAKE) --no-print-directory $$part || ended=$$?; \
	    times="$$times$$(printf '%-22s %5d' $$part $$(($$(date +%s) - began)))\n"; \
	    [ $$ended = 0 ] || break; \
	done; \
	printf "\nseconds of each part:\n$$times"; exit $$ended

test-here: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(PROCESSES) $(BY_MODULE) --durations=10 -m "not hadoop"

test-cluster: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 0 --durations=10 -m hadoop tests/hadoop

test-fast: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(PROCESSES) $(BY_MODULE) --hypothesis-profile=fast \
	    -m "not (hadoop or whole or browser)" $(TESTS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "mapsight needs Python 3.10 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: setup.py $(BIN)/python
	@echo "installing what Mapsight needs into $(VENV) (once)"
	@$(PIP) -e '.[driver,serve]'
	@touch $@

$(VENV)/installed-model: setup.py $(BIN)/python
	@echo "installing what Mapsight needs into $(VENV), TensorFlow too (once)"
	@$(PIP) -e '.[model,driver,serve]'
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
