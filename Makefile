# Every target sets up what it needs, in .venv, from nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: setup train test test-all test-beam lint docs notebook wheel test-app test-wheel benchmark clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

# A Diagonal BiLSTM on the embedded digits: two to five minutes on two cores.
train: setup
	$(BIN)/python train.py --output saved_models/my-digits

test: setup lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -q --durations=12

# Also the tests on real data (TFDS_DATA_DIR).
test-all: setup lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -q --durations=12 --run-slow

# Bulk work on Apache Beam, in an environment of its own: Beam wants an older protobuf.
test-beam:
	$(PYTHON) -m venv $(VENV)-beam
	$(VENV)-beam/bin/python -m pip install --quiet --editable '.[beam]' 'pytest>=8,<9'
	$(VENV)-beam/bin/python -m pytest -q tests/test_bulk.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The documentation as a site, in site/; warnings are errors.
docs: $(VENV)/.docs-installed
	$(BIN)/python -m mkdocs build --strict --clean

$(VENV)/.docs-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[docs,notebook]'
	touch $@

# Runs the notebook and writes its outputs into it: two minutes on two cores.
notebook: $(VENV)/.docs-installed
	$(BIN)/jupyter-execute --inplace --timeout=300 examples/tour.ipynb

# The demo page in a headless Chromium (Debian: chromium, chromium-driver); with SCREENSHOTS=FOLDER a picture.
test-app: setup
	$(BIN)/python -m pip install --quiet --editable '.[app]' 'selenium>=4.20'
	$(BIN)/python -m pytest -q --run-slow -rs tests/test_app.py

wheel: setup
	rm -rf dist build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# The wheel as a person meets it: a clean environment, an empty folder, every command, without network.
test-wheel: wheel
	sh tests/wheel.sh dist/*.whl

benchmark: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache
