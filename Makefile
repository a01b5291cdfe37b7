# Two commands on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
# PYTHON chooses the interpreter, VENV where the environment goes.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest

.PHONY: help demo test test-fast lint lab-install bench clean

help:
	@echo "make demo       install, and scan an embedded lab of mail servers (no root, no internet)"
	@echo "make test       the whole test suite; as root on Debian with real servers in namespaces of their own"
	@echo "make test-fast  the tests that need no real server"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make bench      how fast and how large a scan is: tables on stdout"

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev -e '.[vulnerabilities,notebooks,postgresql]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/tlsaudit demo

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	@tests/real-servers install $(BIN)/python
	@$(MAKE) --no-print-directory test-fast
	@tests/real-servers run $(BIN)/python

test-fast: $(VENV)/.installed
	$(PYTEST) -q -n 2 -m "not lab"

bench: $(VENV)/.installed
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.tls_audit
	$(BIN)/python -m tests.bench.amortised
	$(BIN)/python -m tests.bench.run_diff

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
