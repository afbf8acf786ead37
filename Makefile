# Two commands on a fresh machine: `make demo` and `make test`. Both set up everything they need in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest
FAST   := not envoy and not e2e and not machine and not browser
REAL   := (machine or envoy or browser) and not e2e
# What the page is built from; the build itself looks at what is in it.
UI     := $(shell find ui -type f -not -path '*/node_modules/*' 2>/dev/null) hatch_build.py

.DEFAULT_GOAL := help
.PHONY: help images kubernetes setup demo test check unit e2e golden bench conformance promql docs lock clean

help: ## Show this list
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

# Compiled ahead, as pip does with a wheel: where Python may not write bytecode, each start would compile 600 modules.
setup: $(STAMP) ## Make .venv with everything, exactly as the lock file says
	@$(BIN)/python -m compileall -q src

$(STAMP): pyproject.toml requirements.lock $(UI)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Semafor needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`. Say which one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test "`uname -s`" = Linux || \
	  { echo "Pods are Linux processes, and this is `uname -s`: use Lima on a Mac (limactl start template:debian), WSL2 on Windows." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "This Python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup ## Start the mesh, run the tutorial services, split their traffic 90/10, check, stop
	$(BIN)/semafor demo

test: setup ## Check the code, then run every test: unit, golden, real Envoy, end to end
	HYPOTHESIS_PROFILE=thorough $(MAKE) --no-print-directory check
	$(PYTEST) -q -n auto -m "$(REAL)"
	$(PYTEST) -m e2e

check: setup ## Format, lint, types, layers and the fast tests, in two minutes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py check
	$(PYTEST) -q -n auto -m "$(FAST)"

unit: setup ## The fast tests alone
	$(PYTEST) -q -n auto -m "$(FAST)"

e2e: setup ## The tests with real kubectl, real Envoy, real sockets
	$(PYTEST) -q -n auto -m "$(REAL)"
	$(PYTEST) -m e2e

golden: setup ## Rewrite the golden files; read their diff like code
	$(PYTEST) -q tests/golden --rewrite

bench: setup ## Measure the budgets and print a table (minutes; wants a quiet machine)
	$(BIN)/python -m tests.bench

conformance: setup ## Run the Gateway API's conformance suite (wants Go; RUN_TEST=Name for one test)
	$(BIN)/python -m tests.conformance

# What `tests/cluster` runs against, out of published Go modules: minutes once, 230 MB.
KUBERNETES ?= $(HOME)/.cache/semafor-kubernetes
kubernetes: ## Build etcd, kube-apiserver and kube-controller-manager for the tests of tests/cluster (wants Go)
	cd tests/cluster/servers && CGO_ENABLED=0 go build -trimpath -o $(KUBERNETES)/ \
	  -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.1 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36" \
	  go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
	mv $(KUBERNETES)/server $(KUBERNETES)/etcd

# Needs Docker, or what answers to its name (make images DOCKER=podman HUB=registry.example.com/semafor).
DOCKER ?= docker
HUB    ?= localhost/semafor
TAG    ?= latest
images: ## Build the images of a cluster: the control plane's and the proxy's
	$(DOCKER) build -f images/pilot/Dockerfile -t $(HUB)/pilot:$(TAG) .
	$(DOCKER) build -f images/proxyv2/Dockerfile -t $(HUB)/proxyv2:$(TAG) .

docs: setup ## Write the reference anew, check links and commands, build the site: build/site/index.html
	$(BIN)/python -m tests.reference --write
	$(BIN)/python -m tests.documents
	$(BIN)/python -m sphinx -q -W --keep-going -j auto -b html docs build/site
	@echo "the site: file://$(CURDIR)/build/site/index.html"

# Prometheus's own tests of PromQL, out of its published Go module; nothing of it is kept here.
promql: setup ## Run Prometheus's own tests of PromQL against ours (wants Go)
	SEMAFOR_PROMQL_TESTS=`go mod download -json github.com/prometheus/prometheus@v0.55.1 | $(BIN)/python -c \
	  'import json, sys; print(json.load(sys.stdin)["Dir"])'`/promql/promqltest/testdata $(PYTEST) -q tests/telemetry/promql/test_scripts.py

lock: ## Write requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/python -m piptools compile --quiet --all-build-deps --extra dev --extra docs --generate-hashes --allow-unsafe --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --strip-extras --output-file requirements.lock pyproject.toml
	@# The oldest Python that is supported gets all of it, too.
	$(BIN)/python -m pip install --quiet --dry-run --no-deps --require-hashes --python-version 3.11.0 --only-binary :all: \
	  --target $(VENV)/nowhere -r requirements.lock

clean: ## Forget .venv and the caches
	rm -rf $(VENV) ui/node_modules src/semafor/app/web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
