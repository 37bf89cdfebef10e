# Everything a user or a developer does, by name. Needs Python 3.11 or later and make; the rest is set up here.

PYTHON ?= python3
# uv from the PATH, else one of the project's own, installed by pip into a folder nobody else uses.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync
# Tests wait for processes more than they compute: half as many workers again as cores keep the cores busy.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) * 3 / 2)))

.DEFAULT_GOAL := help
.PHONY: help run demo test lint pytest test-services services schema bench screenshots docs browser clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

run: .venv/.synced ## Set everything up and run: the demo, or your Discord when DISCORD_TOKEN is set
	@$(RUN) homelab up

demo: .venv/.synced ## Run on a simulated Discord, whatever token is set
	@$(RUN) homelab demo

test: lint schema browser pytest ## Everything CI checks: lint, types, layers, schema, tests

lint: .venv/.synced ## Style, types and the layers' import rules
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

schema: .venv/.synced ## The migrations give exactly what the models say
	$(RUN) python scripts/check_schema.py

pytest: .venv/.synced ## The tests alone, on every core
	$(RUN) pytest -n $(WORKERS) --dist loadfile

test-services: .venv/.synced ## Install the real services that tests talk to (Debian, Ubuntu), and run those tests
	$(RUN) python -m scripts.test_services -n $(WORKERS) --dist loadfile

services: .venv/.synced ## Install those services and run nothing
	$(RUN) python -m scripts.test_services --install-only

bench: .venv/.synced ## The budgets, as ratios side by side in one run
	$(RUN) python -m bench

screenshots: .venv/.synced browser ## The pictures of the README and docs, taken from the real pages
	$(RUN) python -m scripts.screenshots
	$(RUN) python -m scripts.gallery

docs: .venv/.synced ## The pages of docs that are written from the code
	$(RUN) python -m scripts.integrations
	$(RUN) python -m scripts.type_tables

browser: ## Debian's Chromium for the browser test, where it is missing and we may install it
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	  echo "No Chromium: the browser tests are skipped. Install it with: apt-get install chromium"

clean: ## Remove what was set up here (your data stays)
	rm -rf .venv .uv .services .mypy_cache .ruff_cache .pytest_cache

.venv/.synced: pyproject.toml uv.lock | $(UV)
	$(UV) sync --locked --quiet --compile-bytecode
	@touch $@

# Debian has venv in a package of its own, and its pip refuses to touch the system; into a folder it installs.
.uv/bin/uv:
	@rm -rf .uv
	@echo "Fetching uv, which sets up the rest"
	@{ $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv; } >/dev/null 2>&1 || \
	  { rm -rf .uv && $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv; } || \
	  { rm -rf .uv; echo "uv could not be installed. Install it (https://docs.astral.sh/uv/), or Python's venv:" \
	    "apt-get install python3-venv"; exit 1; }
