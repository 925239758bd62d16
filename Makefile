# Postrank. `make run` shows everything working on this machine; `make test` proves it.

PORT ?= 8080
AWS_PORT ?= 4566
POSTS ?=
SOURCE ?=
SOURCES ?=
CONFIG ?=
ONCE ?=
KEEP ?=
TOP ?= 20
ATHENA ?= duckdb
APP ?= 1
APP_PORT ?=
# spark: Spark counts the stream's windows as well.
ENGINE ?=
TESTS ?=
# Processes of tests: one more than two cores, as most tests wait for other processes rather than work.
JOBS ?= 3
# Mutants of an area, and the areas (all).
COUNT ?= 20
AREAS ?=
# Tests run in random order, the same in each run until another SEED is asked for.
SEED ?= 7

PYTHON ?= python3
# uv from the PATH, or one that pip puts into var/uv where there is none.
UV := $(shell command -v uv 2>/dev/null || echo var/uv/bin/uv)
RUN := $(UV) run --no-sync
# Plain lines in place of bars: a log, a dumb terminal, a user who asks for them.
PLAIN := $(strip $(NO_COLOR)$(CI)$(filter dumb,$(TERM)))
PYTEST := pytest -c pyproject.toml --randomly-seed=$(SEED) -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=5

# A variable that no target takes is an error rather than ignored.
VARIABLES := PORT AWS_PORT POSTS SOURCE SOURCES CONFIG ONCE KEEP TOP ATHENA ENGINE APP APP_PORT TESTS JOBS PYTHON UV SEED CHAOS_SEED COUNT AREAS
UNKNOWN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(filter-out $(VARIABLES),$(name))))
ifneq ($(strip $(UNKNOWN)),)
$(error unknown variable $(strip $(UNKNOWN)): make takes $(VARIABLES))
endif

.DEFAULT_GOAL := help
.PHONY: help setup spark run test test-slow coverage mutants check docs pictures format bench chaos sample mwaa clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo '  make run takes ONCE=1, POSTS="a.ndjson.gz b.ndjson", SOURCE=bluesky, SOURCES="sample bluesky",'; \
		echo '                 CONFIG=x.toml, PORT=8080, AWS_PORT=4566, TOP=20, KEEP=1, ATHENA=trino, ENGINE=spark,'; \
		echo '                 APP=0 (no warehouse and app), APP_PORT=8501'

var/uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is $$($(PYTHON) --version 2>&1): name one with PYTHON=..."; exit 2; }
	@mkdir -p -m 700 var && $(PYTHON) -m venv var/uv
	@echo 'Installing uv, which installs the rest, into var/uv (about 25 MB) ...'
	@var/uv/bin/pip install --disable-pip-version-check $(if $(PLAIN),--progress-bar off) 'uv>=0.9,<1'

.venv/ready: pyproject.toml packages/localaws/pyproject.toml packages/postrank-spark/pyproject.toml uv.lock | $(filter var/%,$(UV))
	@echo "Setting up .venv: $$(grep -c '^\[\[package\]\]' uv.lock) packages of uv.lock, Airflow, DuckDB and an embedded Postgres among them."
	@echo 'The first time this downloads about 0.6 GB and usually takes 1 to 5 minutes; later, seconds.'
	@$(UV) sync --locked --all-packages --all-extras --no-extra trino --no-extra pyspark $(if $(PLAIN),--no-progress)
	@touch $@

# Either keeps what the other one brought.
.venv/trino: .venv/ready
	@$(UV) sync --locked --inexact --all-packages --all-extras --no-extra pyspark $(if $(PLAIN),--no-progress)
	@touch $@

.venv/spark: .venv/ready
	@echo 'Adding Spark to .venv: about 0.45 GB the first time, and 23 MB of jars.'
	@$(UV) sync --locked --inexact --all-packages --all-extras --no-extra trino $(if $(PLAIN),--no-progress)
	@$(RUN) postrank-spark jars >/dev/null
	@touch $@

setup: .venv/ready ## the environment, from uv.lock

spark: .venv/spark ## Spark 4.1 and its jars, for ENGINE=spark and the tests of Spark (needs Java 17)

run: export POSTS_LINE = $(value POSTS)
run: export CONFIG_FILE = $(value CONFIG)
run: .venv/ready $(if $(filter trino,$(ATHENA)),.venv/trino) $(if $(filter spark,$(ENGINE)),.venv/spark) ## everything on this machine: local AWS, streamer, Airflow, ranking, app (Ctrl-C stops it)
	@$(RUN) postrank up --port $(PORT) --aws-port $(AWS_PORT) --top $(TOP) --athena $(ATHENA) $(foreach kind,$(SOURCE) $(SOURCES),--source $(kind)) \
		$(if $(filter 0,$(APP)),--no-app) $(if $(APP_PORT),--app-port $(APP_PORT)) $(if $(ENGINE),--engine $(ENGINE)) $(if $(ONCE),--once) $(if $(KEEP),--keep) $(if $(CONFIG),--config "$$CONFIG_FILE") --posts-line "$$POSTS_LINE"

test: .venv/ready ## the whole product in minutes; TESTS='tests/sql -k late' for some of it
	$(RUN) $(PYTEST) -m 'not slow and not judges' $(TESTS)
	$(RUN) pytest -q -m judges --keep-evidence tests/system

test-slow: .venv/ready ## what takes long: deployments, faults of Airflow, chaos, Trino, other installations
	$(RUN) $(PYTEST) -m slow --keep-evidence $(TESTS)
	$(RUN) pytest -q -m judges --keep-evidence tests/system

coverage: .venv/ready ## `make test` again, with the share of the code that it runs, processes included
	$(RUN) coverage erase
	$(RUN) coverage run -m $(PYTEST) -m 'not slow and not judges' $(TESTS)
	$(RUN) coverage combine --quiet
	$(RUN) coverage report

mutants: .venv/ready ## do the tests notice a changed line? a sample: SEED=7, COUNT=20 of an area, AREAS='windows sql'
	$(RUN) python scripts/mutation --seed $(SEED) --count $(COUNT) $(AREAS)

check: .venv/ready ## linters, types, SQL, Terraform's form
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) sqlfluff lint --processes 2 include/sql
	$(RUN) sqlfluff lint --ignore-local-config --config include/postgres/sqlfluff.cfg include/postgres src/postrank/warehouse
	$(RUN) sqlfluff lint --ignore-local-config --config app/postrank_app/sql/sqlfluff.cfg app/postrank_app/sql
	@if command -v terraform >/dev/null; then terraform fmt -check -recursive terraform; \
		else echo 'terraform is not here: its files were not checked'; fi
	$(RUN) python scripts/terraform_docs.py --check
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict --quiet

docs: .venv/ready ## the documentation site, in var/site (a broken link is an error)
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

pictures: .venv/ready ## take the pictures in docs/pictures again, with synthetic authors (needs chromium)
	POSTRANK_PICTURES=docs/pictures $(RUN) pytest tests/system/test_pages.py -k pictures_of_the_docs

format: .venv/ready ## let the formatters have their way
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: .venv/ready ## where the time of a run goes (benchmarks/README.md has the others)
	$(RUN) python benchmarks/run.py

chaos: .venv/ready ## a million posts, from a file and from live sources, through a hundred kills and outages (CHAOS_SEED=7)
	POSTRANK_CHAOS_LINES=1000000 POSTRANK_CHAOS_KILLS=100 POSTRANK_CHAOS_SEED=$(or $(CHAOS_SEED),7) \
		$(RUN) pytest tests/chaos -m slow -s -o timeout=3600

sample: .venv/ready ## write the synthetic sample again
	$(RUN) python scripts/generate_sample.py

mwaa: .venv/ready ## look at the release of the DAGs, in dist/mwaa (POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT)
	$(RUN) postrank deploy dags --out dist/mwaa

clean: ## forget what runs left, and the environment
	rm -rf var .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
