# Two commands do everything: `make run` and `make test`. Both set up .venv first.
PYTHON ?= $(or $(shell command -v python3.11),python3)
BIN := .venv/bin

.PHONY: run test pictures setup check lock clean

run: setup  ## start everything, drop the sample studies, show the worklist
	$(BIN)/readfirst demo

# A process a core; one that has nothing left takes tests from another.
test: setup check  ## lint, types, import contracts, and every test
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist worksteal

pictures: setup  ## take the pictures of docs/ anew, by the tests in a real browser
	READFIRST_SCREENSHOTS=docs $(BIN)/pytest tests/browser

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "ReadFirst needs Python 3.11: make PYTHON=/path/to/python3.11 …"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
lock:  ## pin what pyproject.toml names, with hashes and without registry addresses
	$(BIN)/pip install --quiet uv
	$(UV_COMPILE) --extra cpu --extra build --extra laboratory --extra dev --output-file requirements-dev.lock pyproject.toml
	$(UV_COMPILE) --extra cpu --extra build --constraint requirements-dev.lock \
		--output-file requirements.lock pyproject.toml

clean:  ## remove what was built; the home folder ./var stays
	rm -rf .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
