# Everything a developer or a newcomer runs. `make` alone lists it.
# Needs Python 3.11 with its venv module, and make. No address of any package index stands in this repository:
# pip and uv use the one that the machine is configured for.

PY ?= python3.11
PORT ?= 8000
DB ?= sqlite
ONLY ?=
ARGS ?=

BIN := .venv/bin
UV := VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv
INSTALL := $(UV) pip install --quiet --require-hashes
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11
# Bytecode is kept: without it every process of a run, and every command that a test starts, compiles all anew.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-all soak check format bench migration lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

# ---- set-up ---------------------------------------------------------------------------------------------------
# venv → pip installs the pinned uv → uv installs files that hold names, versions and hashes only.

.venv/.uv: requirements/uv.txt
	@command -v '$(PY)' >/dev/null || { \
	  echo "There is no $(PY). On Debian: apt-get install python3.11 python3.11-venv. Another one: make PY=/path/to/python3.11" >&2; exit 1; }
	@'$(PY)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PY) is older than Python 3.11. Another one: make PY=/path/to/python3.11" >&2; exit 1; }
	@'$(PY)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PY) lacks its venv module. On Debian: apt-get install python3.11-venv" >&2; exit 1; }
	'$(PY)' -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# The checkout itself is put on the path; building it as a package would fetch an unpinned build backend.
.venv/.source: .venv/.uv Makefile
	@echo '$(CURDIR)/src' > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/fairlead.pth"
	@printf '%s\n' '#!/bin/sh' \
	  'exec "$$(dirname "$$(readlink -f "$$0")")/python" -c "import sys; sys.argv[0] = \"fairlead\"; from fairlead.cli import main; sys.exit(main())" "$$@"' \
	  > $(BIN)/fairlead
	@chmod +x $(BIN)/fairlead
	@touch $@

.venv/.core: .venv/.source requirements/core.txt
	$(INSTALL) -r requirements/core.txt
	@touch $@

.venv/.postgres: .venv/.core requirements/postgres.txt
	$(INSTALL) -r requirements/postgres.txt
	@touch $@

.venv/.dev: .venv/.source requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

# Peers that the benches compare with; their pins must not bend ours.
.venv-bench/.ready: .venv/.uv requirements/bench.txt
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-bench
	VIRTUAL_ENV=$(CURDIR)/.venv-bench $(BIN)/uv pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

setup: .venv/.dev ## everything to develop and test with, in .venv

# ---- run ------------------------------------------------------------------------------------------------------

ifeq ($(filter sqlite postgres,$(DB)),)
$(error DB is sqlite or postgres, not "$(DB)")
endif

demo: .venv/.core $(if $(filter postgres,$(DB)),.venv/.postgres) ## the desk on 127.0.0.1:8000 with a day's work in it (PORT=…, DB=postgres)
	$(BIN)/fairlead demo --port $(PORT) $(if $(filter postgres,$(DB)),--postgres)

# ---- check ----------------------------------------------------------------------------------------------------

test: .venv/.dev ## the core tests on SQLite and Postgres, some minutes; the house's are in check (ARGS=… goes to pytest)
	$(PYTEST) -n 2 --dist worksteal -m "not slow and not soak" --ignore tests/house $(ARGS)

test-all: .venv/.dev ## every test but the soak, those of the house too
	$(PYTEST) -n 2 --dist worksteal -m "not soak" $(ARGS)

soak: .venv/.dev ## the long fault and load tests
	$(PYTEST) -m soak --timeout 7200 $(ARGS)

check: .venv/.dev ## format, lint, types, and the rules of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict src
	$(PYTEST) -n 2 --dist worksteal tests/house

format: .venv/.dev ## puts every file into the one format and mends what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev .venv-bench/.ready ## measures against the bars and the peers (ONLY=name for one)
	$(BIN)/python -m bench.run $(ONLY)

# ---- keep -----------------------------------------------------------------------------------------------------

migration: .venv/.dev ## writes the initial revision anew from the tables; only until the first release
	$(BIN)/python tools/migration.py

lock: .venv/.uv ## compiles requirements/*.in anew (ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) $(ARGS) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/core.in -c requirements/dev.txt -o requirements/core.txt
	$(COMPILE) requirements/postgres.in -c requirements/dev.txt -o requirements/postgres.txt
	$(COMPILE) $(ARGS) requirements/bench.in -c requirements/core.txt -o requirements/bench.txt

clean: ## removes what make and the tools made; never data
	rm -rf .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
