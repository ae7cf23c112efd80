# The newest that runs: pyenv has names of Pythons that do not.
PYTHON ?= $(or $(firstword $(foreach name,python3.13 python3.12 python3.11,$(shell $(name) -c 'print("$(name)")' 2>/dev/null))),python3.11)
BIN := .venv/bin
# The variable binds pip's isolated build environments too, which its option -c does not.
INSTALL := PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --editable

# Processes that tests start begin a quarter sooner with what is compiled already.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test soak lint bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST)

install: .venv/.installed ## build .venv with the pinned versions, and compile all loops

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) '.[dev]'
	$(BIN)/simworld compile
	@touch $@

demo: install ## see what simworld does
	$(BIN)/simworld demo

test: install ## run the tests, on two cores
	$(BIN)/pytest -n 2 --dist loadfile

soak: install ## run the tests that take minutes
	$(BIN)/pytest -m slow

lint: install ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: install ## measure speed beside panda-gym and MuJoCo's Fetch, the experts, contacts, randomization, and levels of detail
	$(INSTALL) '.[bench]'
	$(BIN)/python experiments/benchmarks/speed.py
	$(BIN)/python experiments/benchmarks/rendering.py
	$(BIN)/python experiments/benchmarks/experts.py
	$(BIN)/python experiments/benchmarks/contacts.py
	$(BIN)/python experiments/benchmarks/store.py
	$(BIN)/python experiments/benchmarks/controllers.py
	$(BIN)/python experiments/benchmarks/randomization.py
	$(BIN)/python experiments/benchmarks/levels.py
	OMP_WAIT_POLICY=passive $(BIN)/python experiments/benchmarks/feeding.py

clean: ## remove the environment, caches and build leftovers
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist simworld.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
