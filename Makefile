# `make run` and `make test` are all that a newcomer needs; `make` alone lists the rest.

.DEFAULT_GOAL := help
.PHONY: help run test test-fast races lint format messages bench bench-quick soak pictures chaos image-check docs lock vendor demo-traffic clean
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
UV = $(or $(shell command -v uv),$(BIN)/uv)
ARGS ?=

# The first Python on PATH that is new enough (and known to work), else one that uv can find or fetch.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null \
	    && echo $$python && exit; \
	done; command -v uv >/dev/null && echo 'uv run --no-project --python 3.13 python')

define environment
	@python="$(PYTHON)"; test -n "$$python" || { \
	  echo "Cordboard needs Python 3.11, 3.12, 3.13 or 3.14, and none is on PATH." >&2; exit 1; }; \
	$$python config/bootstrap.py $(1)
endef

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | \
	  while IFS='|' read -r name text; do printf '%-20s %s\n' "$$name" "$$text"; done

run: ## Set everything up if need be, then serve until Ctrl-C (PORT, HOST, DATA_DIR, DEMO=0)
	$(call environment,runtime)
	@exec $(BIN)/python manage.py serve --with-parent

test: ## Run all tests (ARGS="tests/core -k grab" for some of them)
	$(call environment,dev)
	@$(BIN)/python -m tests $(ARGS)

test-fast: ## Run the tests that need no server process, no browser and no PostgreSQL
	$(call environment,dev)
	@$(BIN)/python -m tests --fast $(ARGS)

races: ## Let 8 routers and 50 workers race on PostgreSQL for RACE_SECONDS (60), and count
	$(call environment,dev)
	@RACE_SECONDS=$${RACE_SECONDS:-60} $(BIN)/python -m pytest tests/races/test_rush_hour.py $(ARGS)

lint: ## Check style, types, import contracts and migrations
	$(call environment,dev)
	@failed=; check() { echo "-- $$*"; $(BIN)/python "$$@" || failed=yes; }; \
	  check -m ruff check .; \
	  check -m ruff format --check .; \
	  check -m mypy .; \
	  check -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'; \
	  export DJANGO_SETTINGS_MODULE=tests.settings; \
	  check manage.py makemigrations --check --dry-run; \
	  test -z "$$failed"

format: ## Put the code into shape
	$(call environment,dev)
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

messages: ## Update the catalogues of translations from the code, and compile them (needs gettext)
	$(call environment,dev)
	@$(BIN)/python -m tests.messages

bench: ## Measure against the bars (not part of the tests)
	$(call environment,dev)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-quick: ## Measure in less than three minutes what most changes move
	$(call environment,dev)
	@$(BIN)/python -m tests.benchmarks --quick

soak: ## Work steadily for MINUTES (60) at RATE tasks a second (50) with DESKS (1000), and see what grows
	$(call environment,dev)
	@$(BIN)/python -m tests.benchmarks.soak

pictures: ## Take the pictures of the handbooks and the README from a running demo
	$(call environment,dev)
	@$(BIN)/python -m tests.pictures

chaos: ## Cut off, hang and kill each part for DURATION seconds (60), and count what that did
	$(call environment,dev)
	@CHAOS_SECONDS=$(or $(DURATION),60) $(BIN)/python -m pytest tests/chaos -q -p no:randomly -m chaos $(ARGS)

demo-traffic: ## Send a steady stream of tasks to a running demo, until stopped
	$(call environment,runtime)
	@exec $(BIN)/python manage.py demo_traffic $(ARGS)

image-check: ## Build the image on a base from Debian's packages and serve from it (root, Buildah)
	$(call environment,dev)
	@$(BIN)/python -m pytest -rs tests/chaos/test_image.py $(ARGS)

docs: ## Write the pages of docs/ that follow from the code
	$(call environment,dev)
	@$(BIN)/python -m tests.compatibility

lock: ## Renew the locks in requirements/ from pyproject.toml
	$(call environment,dev)
	@test -x "$(UV)" || $(BIN)/python -m pip install --require-hashes -r requirements/bootstrap.txt
	$(call compile,pyproject.toml,runtime)
	$(call compile,pyproject.toml --group test --group lint --constraints requirements/runtime.txt,dev)
	$(call compile,requirements/bootstrap.in,bootstrap)

define compile
	$(UV) pip compile $(1) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --upgrade --quiet --output-file requirements/$(2).txt
endef

vendor: ## Fetch the vendored scripts of the interface again (needs npm)
	static/vendor/fetch

clean: ## Remove the environment and all caches; what you have in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
