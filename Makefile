# Everything runs from a clone with Python 3.11+ and make: uv is fetched when it is missing.
SHELL := /bin/bash
UV_VERSION := 0.13.8
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin
export UV_COMPILE_BYTECODE := 1
DAYS ?= 365

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo docs test lint coverage crash bench mutants clean

help:  ## what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

# Part of what installs, not a target of its own: when all is installed, nothing is fetched.
define with_uv
@test -x "$(UV)" || { echo "uv is missing: fetching uv $(UV_VERSION) into .uv" && \
	python3 -m venv .uv && \
	.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
@$(UV)
endef

.venv/.installed: pyproject.toml uv.lock
	$(with_uv) sync --frozen --no-dev --inexact
	@touch $@

.venv/.installed-dev: pyproject.toml uv.lock
	$(with_uv) sync --frozen
	@touch $@ .venv/.installed

.venv/.installed-bench: pyproject.toml uv.lock
	$(with_uv) sync --frozen --group bench
	@touch $@ .venv/.installed .venv/.installed-dev

install: .venv/.installed  ## what the demo needs, and no more

install-dev: .venv/.installed-dev  ## the above, with the tools for tests and checks

demo: install  ## a year of BNPL transactions (DAYS=7: a week) from an API to published marts, and the trial balance
	@$(RUN)/clearhouse demo --days $(DAYS)

docs: install  ## a page of the models with their lineage, and the data dictionary
	@$(RUN)/python scripts/make_docs.py --site dbt/target/docs --dictionary docs/dictionary.md

test: install-dev  ## all tests: no servers, no network
	@$(RUN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install-dev  ## style, types and the imports between layers
	@$(RUN)/ruff check . && $(RUN)/ruff format --check . && $(RUN)/mypy && $(RUN)/lint-imports

coverage: install-dev  ## line coverage of src, at least 90 %
	@$(RUN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=90

crash: install-dev  ## kill a run before and after every durable write, and run again
	@$(RUN)/pytest tests/crash --every-write -n 2

bench: .venv/.installed-bench  ## how fast the parts are, beside dlt and dbt on the same records
	@$(RUN)/python -m benchmarks $(BENCH)

mutants: install-dev  ## mutation tests of money, windows and books: at least 85 % killed
	@rm -rf mutants && $(RUN)/mutmut run --max-children 2 && $(RUN)/python scripts/mutation_score.py

clean:  ## remove what a run made (not what is installed)
	@rm -rf .clearhouse dbt/target dbt/logs gx/uncommitted mutants
