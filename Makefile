# Every target works on a fresh clone: what it needs is installed into .venv first, from the lock.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
BIN := .venv/bin

.PHONY: install demo test lint bench lock pictures reference build clean

install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	command -v uv >/dev/null || .venv/bin/python -m pip install --quiet uv
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps -e .
	touch $@

demo: install
	$(BIN)/watchfloor demo

# Twice as many workers as CI has cores, since most tests wait; file by file, so that its servers start once (tests/conftest.py
# has the long ones begin first).
test: install
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m tests.bench

pictures: install
	$(BIN)/python -m docs.pictures

reference: install
	$(BIN)/python -m docs.reference

build: install
	$(BIN)/python -m build --wheel --no-isolation

# After changing a dependency in pyproject.toml. The lock names no index, so it serves every mirror.
lock:
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --group dev pyproject.toml -o requirements.lock && sed -i "1c # Made by \`make lock\`; installed by \`make install\` with every hash checked." requirements.lock && sed -i 2d requirements.lock

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache
