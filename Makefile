# Postrank. `make run` shows everything working on this machine; `make test` proves it.

PORT ?= 8080
POSTS ?=
export POSTS
SOURCE ?= replay
ONCE ?=
KEEP ?=
TESTS ?=
# Most tests wait for processes rather than work.
JOBS ?= 2

PYTHON ?= python3
# uv from the PATH, or one that pip puts into var/uv where there is none.
UV := $(shell command -v uv 2>/dev/null || echo var/uv/bin/uv)
RUN := $(UV) run --no-sync

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench chaos sample mwaa clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo '  make run takes ONCE=1, POSTS="a.ndjson.gz folder 2026-*.csv", SOURCE=bluesky, PORT=8080, KEEP=1'

var/uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python >= 3.11 is needed; name one with PYTHON=...'; exit 2; }
	@$(PYTHON) -m venv var/uv && var/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

.venv/ready: pyproject.toml packages/localaws/pyproject.toml uv.lock | $(filter var/%,$(UV))
	@echo 'Setting up .venv from uv.lock ...'
	@$(UV) sync --locked --all-packages --all-extras --quiet
	@touch $@

setup: .venv/ready ## the environment, from uv.lock

run: .venv/ready ## everything on this machine: local AWS, streamer, Airflow, ranking (Ctrl-C stops it)
	@$(RUN) postrank up --port $(PORT) --source $(SOURCE) $(if $(ONCE),--once) $(if $(KEEP),--keep) $(if $(POSTS),--posts-list "$$POSTS")

test: .venv/ready ## every test; TESTS='tests/sql -k late' for some
	$(RUN) pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m 'not judges' $(TESTS)
	$(RUN) pytest -q -m judges tests/system

check: .venv/ready ## linters, types, SQL, Terraform's form
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) sqlfluff lint --processes 2 include/sql
	$(RUN) sqlfluff lint --ignore-local-config --config include/postgres/sqlfluff.cfg include/postgres
	@if command -v terraform >/dev/null; then terraform fmt -check -recursive terraform; \
		else echo 'terraform is not here: its files were not checked'; fi
	$(RUN) python scripts/terraform_docs.py --check

format: .venv/ready ## let the formatters have their way
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: .venv/ready ## where the time of a run goes (benchmarks/README.md has the others)
	$(RUN) python benchmarks/run.py

chaos: .venv/ready ## a million posts, from a file and from live sources, through a hundred kills and outages (CHAOS_SEED=7)
	POSTRANK_CHAOS_LINES=1000000 POSTRANK_CHAOS_KILLS=100 POSTRANK_CHAOS_SEED=$(or $(CHAOS_SEED),7) \
		$(RUN) pytest tests/chaos -s -o timeout=3600

sample: .venv/ready ## write the synthetic sample again
	$(RUN) python scripts/generate_sample.py

mwaa: .venv/ready ## package for Amazon MWAA into dist/mwaa; BUCKET=name also puts it there (POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT)
	$(RUN) python scripts/mwaa.py dist/mwaa $(BUCKET)

clean: ## forget what runs left, and the environment
	rm -rf var .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
