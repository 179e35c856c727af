# Everything needs only Python 3.11 or newer and make; the rest is installed into .venv.
#
#   make install     create .venv and install urbangeo into it, with what tests and notebooks need
#   make run         the main job: table, GeoPackage and figures of the one-hour circle into out/
#   make test        lint, then all tests and notebooks
#   make lint        ruff and mypy
#   make bench       the speed comparisons, beside what was recorded (half an hour)
#   make notebooks   execute the notebooks (their files do not change)
#   make clean       remove .venv, out/ and every cache
#
# Another interpreter: make clean, then make install PYTHON=python3.12

PYTHON ?= python3
WORKERS ?= 2

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/installed

# Figures need no screen, and Chinese output must not depend on the locale of the machine.
export MPLBACKEND := Agg
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What the caller's shell says about other Pythons must not reach into .venv.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test lint bench notebooks clean

help:
	@sed -n 's/^#   make/make/p' $(firstword $(MAKEFILE_LIST))

install: $(STAMP)

# The stamp holds the folder it was made in: an editable install points there, so a checkout that
# was moved, or whose interpreter is gone, is installed anew.
ifneq ($(if $(wildcard $(PY)),$(shell cat $(STAMP) 2>/dev/null)),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): setup.cfg pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "There is no $(PYTHON). urbangeo needs Python 3.11 or newer;" \
	    "name one, for example: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "urbangeo needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." \
	    "Name another, for example: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu install the package" \
	    "python3-venv, then try again." >&2; exit 1; }
	@echo "Installing into $(VENV): a few minutes the first time."
	@$(PY) -m pip install -qq --constraint constraints.txt --editable '.[test,dev,notebook]'
	@printf '%s' "$(CURDIR)" > $@

run: install
	$(PY) scripts/run.py out

lint: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: lint
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

bench: install
	@$(PY) -m pip install -qq --constraint constraints.txt --editable '.[bench]'
	$(PY) benchmarks/run.py

notebooks: install
	$(PY) -m pytest notebooks

clean:
	rm -rf $(VENV) out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find urbangeo layers tests scripts benchmarks notebooks \
	  \( -name __pycache__ -o -name .hypothesis -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
