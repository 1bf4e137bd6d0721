# `make run` opens the window, `make test` runs the tests, `make help` lists the rest.

PYTHON ?= python3
DATA ?= ../shared/data/nuclei/train/panoptic_train.json
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Threads that wait must not spin: beside other load that costs a factor of ten.
export OMP_WAIT_POLICY ?= passive

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint check format train-starter bench-peers

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/installed ## open the window on the sample images, or on ARGS=PATH
	@$(BIN)/bitbrush $(ARGS)

test: $(VENV)/installed-dev ## run the tests; ARGS go to pytest
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -c 'import os, sys; from app.startup import find_obstacle; sys.exit(find_obstacle(os.environ))'
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/installed-dev ## formatting, lint rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

check: lint test ## all that a change must pass

format: $(VENV)/installed-dev ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

train-starter: $(VENV)/installed ## train the starter model again on DATA=JSON; goes on after a stop
	@test -f $(DATA) || { echo "There is no $(DATA); name the COCO panoptic JSON of the training images: make train-starter DATA=FILE" >&2; exit 1; }
	@$(BIN)/bitbrush train nuclei --data $(DATA) --out runs/nuclei

bench-peers: $(VENV)/installed build/peers/napari/installed build/peers/labelme/installed ## time the same tasks in Bitbrush, napari and labelme
	@$(BIN)/python -m benchmarks.peers

# Each in an environment of its own, away from Bitbrush's libraries.
build/peers/napari/installed: PACKAGES := napari==0.9.2 PyQt6==6.11.0
build/peers/labelme/installed: PACKAGES := labelme==6.3.1
build/peers/%/installed:
	@echo "Installing $* into build/peers/$*; the first time takes minutes."
	@$(PYTHON) -m venv build/peers/$*
	@build/peers/$*/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@touch $@

# The stamps make a second run start at once; a change of the dependencies installs again.
$(VENV)/installed: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing Bitbrush and its libraries into $(VENV); the first time takes minutes."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing Bitbrush, its libraries and its test tools into $(VENV); the first time takes minutes."
	@$(INSTALL) -e '.[dev]'
	@touch $(VENV)/installed $@

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { echo "Bitbrush needs Python 3.11 or newer and found no '$(PYTHON)'; install it, or name yours: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bitbrush needs Python 3.11 or newer and '$(PYTHON)' is $$($(PYTHON) -V 2>&1); name a newer one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' lacks the module venv; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
