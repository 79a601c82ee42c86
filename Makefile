# The two commands of the README: `make demo` and `make test`. Both make their own environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= dicom
WORKERS ?= 2

.PHONY: demo test faults matrix matrix-python windows pictures lint format lowest wheel clean

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bulkdcm needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.demo
	@echo '$$ bulkdcm convert manifests/demo/manifest.csv --out $(OUT)'
	@$(BIN)/bulkdcm convert manifests/demo/manifest.csv --out $(OUT) || test $$? -eq 1 # one image is broken on purpose

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# The long tests, with their counts: hundreds of kills, every attribute of every class, mutants of every format.
faults: $(VENV)/.dev
	$(BIN)/python -m pytest tests/faults tests/conformance tests/fuzz tests/integration -m long

# Every class, pixel kind and transfer syntax through every reader.
matrix: $(VENV)/.dev
	$(BIN)/python -m tests.conformance.matrix > tests/conformance/MATRIX.md
	$(BIN)/python -m tests.conformance.contact_sheet tests/conformance/RENDERINGS.png

# The tests of units and of commands as on Windows, as far as tests/windows emulates it.
windows: $(VENV)/.dev
	BULKDCM_TESTS=windows PYTHONPATH=$(CURDIR)/tests/windows/emulation $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -p no:cacheprovider tests/unit tests/integration tests/windows

# The page of a run over the demo and broken files, as a browser shows it: look at them after a change of the page.
pictures: $(VENV)/.dev
	$(BIN)/python -m tests.pages.pictures tests/pages/pictures

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lower bounds of pyproject.toml, installed and tested; each command that a test runs is started anew there.
lowest:
	test -x $(VENV)-lowest/bin/python || $(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check --constraint tests/lowest.txt --editable . hatchling hypothesis ipykernel jpeglib jsonschema nbclient openpyxl pytest pytest-xdist imagecodecs pyarrow zstandard matplotlib distributed
	BULKDCM_TESTS=started $(VENV)-lowest/bin/python -m pytest -n $(WORKERS) --dist worksteal -W default tests/unit tests/integration tests/golden

# The sdist, the wheel made of it, and the demo from that wheel in an environment with nothing but its dependencies.
wheel: $(VENV)/.dev
	rm -rf dist $(VENV)-wheel
	$(BIN)/python -m hatchling build --target sdist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist dist/*.tar.gz
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd dist && ../$(VENV)-wheel/bin/bulkdcm demo --out demo && ../$(VENV)-wheel/bin/bulkdcm verify demo

# The Pythons beside the one of `make test`, and an environment without the one core dependency that lacks wheels for some.
PYTHONS ?= python3.12 python3.13
TESTED := tests/unit tests/integration tests/golden tests/property

matrix-python: $(PYTHONS:%=$(VENV)-%) $(VENV)-without-kornia
	set -e; for environment in $^; do echo "== $$environment"; $$environment/bin/python -m pytest -n $(WORKERS) --dist worksteal -p no:cacheprovider $(TESTED); done

$(VENV)-python3.%: pyproject.toml
	test -x $@/bin/python || { found=$$(ls -d ~/.pyenv/versions/3.$*.*/bin/python3.$* 2>/dev/null | tail -n 1); $${found:-python3.$*} -m venv $@; }
	$@/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(VENV)-without-kornia: pyproject.toml
	test -x $@/bin/python || $(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$@/bin/python -m pip uninstall --quiet --yes kornia-rs
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-wheel $(VENV)-python3.* $(VENV)-without-kornia dist $(OUT) .mypy_cache .pytest_cache .ruff_cache .hypothesis
