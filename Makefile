# Needs Python 3.11 or newer and make; every target sets up its own virtual environment.
#
#   make demo          small programs that show what this is
#   make test          the tests
#   make check         lint, types, import contracts, documents
#   make conformance   the official suites on every engine that is here, one table
#   make bench         both engines against other engines for Python, and on real modules
#   make fuzz          mutated input for SECONDS (default 120) at each entry point, and as long generated modules on all engines
#   make sanitize      the native engine under AddressSanitizer and UBSan: its tests, the official suite, fuzzing for SECONDS
#   make kernels       rebuild the benchmark kernels from their C sources
#   make programs      get Go, QuickJS and SQLite for WASI, which the tests run where they are

PYTHON ?= python3
JOBS ?= 2
SECONDS ?= 120
VENV := .venv
BIN := $(VENV)/bin

SHARED_SUITE := $(abspath ../shared/spec-testsuite)
ifneq ($(wildcard $(SHARED_SUITE)),)
export PYWASM_SPEC_SUITE ?= $(SHARED_SUITE)
endif

# Whatever was installed for something else does for the demo, so that the native engine is not built once more for it.
INSTALLED := $(firstword $(wildcard $(VENV)/.installed-*) $(VENV)/.installed)

.PHONY: demo test check lint types contracts documents conformance bench fuzz sanitize kernels programs clean
.DELETE_ON_ERROR:

demo: $(INSTALLED)
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: lint types contracts documents

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_shape.py

documents: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q tests/docs

conformance: $(VENV)/.installed-dev
	$(BIN)/python spec-tests/conformance.py -j $(JOBS)

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.reference_vs_pywasm --json build/benchmarks/reference_vs_pywasm.json
	$(BIN)/python -m benchmarks.real_modules --json build/benchmarks/real_modules.json
	$(BIN)/python -m benchmarks.native_vs_peers --json build/benchmarks/native_vs_peers.json
	$(BIN)/python -m benchmarks.native_with_fuel
	$(BIN)/python -m benchmarks.wasi_vs_wasmtime
	$(BIN)/python -m benchmarks.native_starts --json build/benchmarks/native_starts.json

fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)
	$(BIN)/python -m pywasm_ref diff --seed $$(date +%s) --time $(SECONDS) --jobs $(JOBS) --report build/fuzz/diff-$$(date +%s)

sanitize: $(VENV)/.installed-dev
	$(BIN)/python -m tests.sanitize --seconds $(SECONDS)

kernels: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/kernels/build.py

programs: $(VENV)/.installed-programs
	$(BIN)/python examples/wasi/build.py tour_go quickjs sqlite

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# The stamp of an environment is older than these when the wanted packages, or the native engine, may have changed.
NATIVE := pywasm_ref/isa.py $(wildcard _fastcore/*.p* _fastcore/generate/*.*)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# The first of these builds the native engine where there is a C compiler, which takes some minutes; the others find it built.
$(VENV)/.installed: pyproject.toml setup.py $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml setup.py $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
