# Everything a newcomer or CI calls. Works offline once installed, and from a path with spaces.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install run test test-all lint format lock prove fuzz bench screenshots supabase audit clean
.DEFAULT_GOAL := help

help:  ## what can be called
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

install: $(VENV)/.installed  ## create .venv from requirements.txt

run: install  ## webhook, poller, dashboard and (without KIE_API_KEY) the simulator; Ctrl-C stops all
	@$(BIN)/python -m local.run

test: $(VENV)/.installed-dev lint  ## everything that must be true before a change lands
	$(BIN)/python -m pytest -q -n 2 -m "not processes and not browser and not deployment"

test-all: test  ## and real kills, a real browser, and deployments (needs Debian's chromium, supervisor); CI runs this
	$(BIN)/python -m pytest -q -n 2 -m processes
	$(BIN)/python -m pytest -q -m browser
	$(BIN)/python -m pytest -q -m deployment

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.installed-dev  ## put the code into its one layout
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format -q .

prove: $(VENV)/.installed-dev  ## faults of years, 100,000 tasks: what is lost, paid twice, forged (half an hour)
	$(BIN)/python -m tests.simulation

fuzz: $(VENV)/.installed-dev  ## what tests/fuzz tries, two hundred times as often (an hour or more)
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q -n 2 tests/fuzz

bench: $(VENV)/.installed-dev  ## measure, and print docs/performance.md's table
	$(BIN)/python -m bench

screenshots: $(VENV)/.installed-dev  ## pictures of every page, both themes and widths, into screenshots
	$(BIN)/python -m tests.browser.screenshots screenshots

supabase: $(VENV)/.installed  ## render the migrations as SQL, into supabase/migrations
	@$(BIN)/python -m local.render

audit: $(VENV)/.installed-dev  ## ask a database of known weaknesses about requirements.txt (needs a network)
	$(BIN)/python -m pip_audit --strict --disable-pip --requirement requirements.txt

lock:  ## pin every dependency again, from pyproject.toml
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:  ## remove what install and test made (never data/)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@
