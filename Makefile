# Two commands for a fresh machine with python3-venv and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
# Compiled modules are kept whatever the shell says: a test run starts hundreds of programs, and each would compile the whole source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test demonstration installations crash bench bench-scale check browser clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/installed
	$(BIN)/karez demo $(if $(PORT),--port $(PORT))

test: .venv/installed
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not demonstration and not installation"

# The tests on the demonstration's whole year: they make it once, ask all it can be asked, and spoil it. Takes some minutes.
demonstration: .venv/installed
	$(BIN)/pytest -q -m demonstration

# The tests of whole installations: founding, serving, backup and restore, keys, logs, ends by kill. Takes some minutes.
installations: .venv/installed
	$(BIN)/pytest -q -n 2 --dist loadfile -m installation

crash: .venv/installed
	KAREZ_CRASH_ROUNDS=100 $(BIN)/pytest -q -m crash

bench: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m bench

# Every sheet at the reference year's size and at thirteen times it; takes about half an hour, ends non-zero where a floor is missed.
bench-scale: .venv/installed
	$(BIN)/python -m bench scale

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What browser tests need on Debian; needs root. Without it they are skipped with a reason.
browser:
	apt-get update -qq && apt-get install -y -qq chromium-headless-shell fonts-noto-cjk
