# Two commands: `make demo` and `make test`. Both make the environment that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export KERAS_BACKEND := jax
export JAX_PLATFORMS := cpu

.PHONY: demo test test-all bench fuzz lint golden docs clean

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e . scikit-learn
	$(BIN)/python -m compileall -q keras2torch  # as pip does with what it copies: starts faster
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.demo  ## generate from examples/digits.py, train on real data, print the test accuracy
	$(BIN)/k2t generate examples/digits.py -o build/demo --force
	cd build/demo && ../../$(BIN)/python digits_train.py

# `slow` are the long ones, and of long tables all but an even sample.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: $(VENV)/.dev  ## the whole tables of layers, functions, saved files and training curves; long
	$(BIN)/python -m pytest -q -n 2

bench: $(VENV)/.dev  ## ratios, written to benchmarks/RESULTS.md
	$(BIN)/python -m compileall -q keras2torch
	$(BIN)/python benchmarks/run.py

fuzz: $(VENV)/.dev
	K2T_FUZZ_EXAMPLES=4000 $(BIN)/python -m pytest -q -n 2 tests/test_fuzz.py

golden: $(VENV)/.dev  ## write the expected texts anew; review the diff
	K2T_GOLDEN=write $(BIN)/python -m pytest -q tests/test_golden.py tests/test_gallery.py

docs: $(VENV)/.dev  ## the support tables, from the registries
	$(BIN)/python -m keras2torch.support

lint: $(VENV)/.dev
	$(BIN)/ruff check . && $(BIN)/black --check -q keras2torch tests/*.py && $(BIN)/mypy

clean:
	rm -rf build $(VENV)
