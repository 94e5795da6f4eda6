# Two commands do everything: `make run` and `make test`. Both set up .venv first.
# With PYTHON=… by that Python, else by the first that fits: see scripts/venv.sh.
BIN := .venv/bin

.PHONY: run test test-fast coverage test-js messages pictures setup check check-others lock check-lock pin-images clean always

run: setup  ## start everything, drop the sample studies, show the worklist
	$(BIN)/readfirst demo

OHIF = node_modules/.ohif
# A process more than there are cores, since some tests mostly wait for other processes; one that
# has nothing left takes tests from another.
PROCESSES = $$($(BIN)/python -c 'import os; print(min(4, os.cpu_count() + 1))')
test: setup check test-js $(OHIF)/ready  ## lint, types, import contracts, and every test
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist worksteal

test-fast: setup test-js  ## what needs no TensorFlow, PostgreSQL or browser, in under a minute
	$(BIN)/pytest --fast --numprocesses logical --maxprocesses 4 --dist worksteal

# From Python 3.12 on the interpreter itself measures coverage, which costs least.
CORE = $$($(BIN)/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")')
coverage: setup  ## the fast tests, and the ten modules that they cover least
	COVERAGE_CORE=$(CORE) $(BIN)/pytest --fast --numprocesses logical --maxprocesses 4 --dist worksteal \
		--cov --cov-report=
	$(BIN)/coverage report --sort=cover --format=text | sed -n '1,12p;$$p'

test-js: setup  ## the unit tests of the page's scripts
	$(BIN)/node --test tests/unit/javascript/*.test.js

messages: setup  ## bring the catalogues of texts up to date, and name what is not translated yet
	$(BIN)/python -m tests.messages

pictures: setup  ## take the pictures of docs/ anew, by the tests in a real browser
	READFIRST_SCREENSHOTS=docs $(BIN)/pytest tests/browser

# mypy takes as long as all others together.
check: setup node_modules/ready
	$(BIN)/mypy & mypy=$$!; $(MAKE) --no-print-directory check-others; others=$$?; \
		wait $$mypy && exit $$others
check-others:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/oxlint --deny-warnings
	if test -x $(TSC); then $(BIN)/node $(TSC) --project jsconfig.json; fi

setup: .venv/ready

# Looked at each time; only a .venv that was made anew is newer than what was installed into it.
.venv/pyvenv.cfg: always
	@PYTHON='$(PYTHON)' sh scripts/venv.sh .venv

.venv/ready: .venv/pyvenv.cfg requirements-dev.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

TSC = node_modules/typescript/bin/tsc

# From the npm registry: TypeScript, which checks the types of the scripts, and a foreign HL7 peer of tests.
node_modules/ready: package-lock.json .venv/ready
	$(BIN)/npm ci --no-audit --no-fund --loglevel=error && touch $@ || { \
		echo "What package.json names cannot be installed from the npm registry: the scripts' types are not checked, and no HL7 peer is there." >&2; \
		test "$$READFIRST_STRICT" != 1; }

# A viewer of others, which a test opens a study in.
$(OHIF)/ready: scripts/fetch_ohif.py node_modules/ready
	$(BIN)/python scripts/fetch_ohif.py $(OHIF) && touch $@ || { \
		echo "OHIF cannot be had from the npm registry: the test that opens a study in it is skipped." >&2; \
		test "$$READFIRST_STRICT" != 1; }

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
lock: setup  ## pin what pyproject.toml names, with hashes and without registry addresses
	$(UV_COMPILE) --extra cpu --extra build --extra laboratory --extra deidentify --extra dev --output-file requirements-dev.lock pyproject.toml
	$(UV_COMPILE) --extra cpu --extra build --constraint requirements-dev.lock \
		--output-file requirements.lock pyproject.toml
	$(UV_COMPILE) --extra gpu --extra build --constraint requirements.lock \
		--output-file requirements-gpu.lock pyproject.toml

pin-images:  ## take the digests that the tags of others' images have now; needs Docker and their registry
	python3 scripts/pin_images.py Dockerfile docker-compose.yml

check-lock: setup  ## every pinned release has a wheel for every Python and platform that is promised
	READFIRST_CHECK_LOCK=1 $(BIN)/pytest tests/integration/project/test_lock.py

clean:  ## remove what was built; the home folder ./var stays
	rm -rf .venv node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache
