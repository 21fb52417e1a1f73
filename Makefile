# Everything runs from a clone with Python 3.11+ and make: uv is fetched when it is missing.
SHELL := /bin/bash
UV_VERSION := 0.13.8
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# On the command line: which environment, and which Python a new one is for.
VENV := .venv
PYTHON :=
RUN := $(VENV)/bin

# The caller's variables may say where packages come from and how they are fetched. What they say
# of other environments, versions and places to install to is not meant for this one.
FETCHING := UV_INDEX UV_INDEX_% UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_INSECURE_HOST UV_FIND_LINKS \
	UV_KEYRING_PROVIDER UV_NATIVE_TLS UV_SYSTEM_CERTS UV_HTTP_% UV_REQUEST_TIMEOUT UV_CONCURRENT_% \
	UV_OFFLINE UV_CACHE_DIR UV_LINK_MODE UV_PYTHON_INSTALL_% UV_PYTHON_DOWNLOADS \
	PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_CERT PIP_CLIENT_CERT PIP_PROXY \
	PIP_FIND_LINKS PIP_CACHE_DIR PIP_TIMEOUT PIP_RETRIES PIP_DEFAULT_TIMEOUT PIP_CONFIG_FILE
unexport $(filter-out $(FETCHING),$(filter UV_% PIP_%,$(.VARIABLES)))
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH
# Or each process that is started would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)
DAYS ?= 365
TO ?= http://127.0.0.1:8080
RATE ?= 0
COUNT ?= 20000
SEED ?= 42
KILLS ?= 60
MUTATIONS ?= 100000
OF_CHAOS := test_payments_stack.py test_payments_killed.py

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo gateway-simulator docs test lint coverage crash hostile chaos chaos-embedded bench bench-stack mutants \
	stack-up stack-status stack-down test-stack clean

help:  ## what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

# Part of what installs, not a target of its own: when all is installed, nothing is fetched.
define sync
@test -x "$(UV)" || { echo "uv is missing: fetching uv $(UV_VERSION) into .uv" && \
	python3 -m venv .uv && \
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
@"$(UV)" sync --frozen $(if $(PYTHON),--python "$(PYTHON)")
endef

$(VENV)/.installed: pyproject.toml uv.lock
	$(sync) --no-dev --inexact --extra reports
	@touch $@

$(VENV)/.installed-dev: pyproject.toml uv.lock
	$(sync) --all-extras
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml uv.lock
	$(sync) --all-extras --group bench
	@touch $@ $(VENV)/.installed $(VENV)/.installed-dev

install: $(VENV)/.installed  ## what the demo needs, and no more

install-dev: $(VENV)/.installed-dev  ## the above, with the tools for tests and checks

demo: install  ## a year of purchases and sales (DAYS=7: a week) from APIs to published marts, and the trial balance
	@$(RUN)/clearhouse demo --days $(DAYS)

gateway-simulator: install  ## a month of signed webhooks to a running gateway (TO=http://… RATE=200 COUNT=20000 SEED=42)
	@$(RUN)/clearhouse payments simulate --to $(TO) --rate $(RATE) --count $(COUNT) --seed $(SEED)

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

hostile: install-dev  ## 100,000 mutations of real webhooks against gateway and normalizer (MUTATIONS=…)
	@$(RUN)/pytest tests/property/test_hostile_webhooks.py --mutations $(MUTATIONS) -n 2

chaos-embedded: install-dev  ## kill the services of payments 60 times under a steady load (KILLS=…, CHAOS_SEED=…)
	@$(RUN)/pytest tests/e2e/test_payments_chaos.py --kills $(KILLS) --seed $(or $(CHAOS_SEED),any)

chaos: install-dev  ## payments on a stack of its own beside files; then services and servers killed 40 times (KILLS=…, CHAOS_SEED=…)
	@$(RUN)/pytest $(addprefix tests/stack/,$(OF_CHAOS)) -s --kills $(if $(filter file,$(origin KILLS)),40,$(KILLS)) --seed $(or $(CHAOS_SEED),any)

stack-up: install  ## PostgreSQL, an S3 store, Redis, Kafka, Temporal, Prometheus and Alertmanager here, without containers (STACK_SERVERS=postgres,kafka)
	@$(RUN)/python -m deploy.native up

stack-status: install  ## which servers run, and where their data and logs are
	@$(RUN)/python -m deploy.native status

stack-down: install  ## stop the servers that stack-up started; their data stays
	@$(RUN)/python -m deploy.native down

test-stack: install-dev  ## the tests that need servers, against stacks of their own
	@$(RUN)/pytest tests/stack -n 2 --dist loadfile --no-loadscope-reorder $(addprefix --ignore=tests/stack/,$(OF_CHAOS))

bench: $(VENV)/.installed-bench  ## how fast the parts are, beside dlt and dbt on the same records
	@$(RUN)/python -m benchmarks $(BENCH)

bench-stack: $(VENV)/.installed-bench  ## payments on real servers: gateway beside FastAPI and aiokafka, normalizers, workflows
	@$(RUN)/python -m benchmarks.stack $(BENCH)

mutants: install-dev  ## mutation tests of money, windows and books: at least 90 % killed
	@rm -rf mutants && $(RUN)/mutmut run --max-children 2 && $(RUN)/python scripts/mutation_score.py

clean:  ## remove what a run made (not what is installed)
	@rm -rf .clearhouse dbt/target dbt/logs gx/uncommitted mutants
