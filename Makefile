# `make` alone lists the targets: a line `name: … ## text` is one of them.
# What installs writes to standard error: with JSON=1 the last line of standard output is the command's own.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# The project's own Node (a package on Linux) goes before the machine's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export DURATION RATE SINKS JSON STACK

# Flags of the demo from the variables: DURATION=20 → --duration 20.
on = $(filter-out 0 no false,$(1))
demo_flags = $(strip $(if $(DURATION),--duration $(DURATION)) $(if $(RATE),--rate $(RATE)) \
  $(if $(SINKS),--sinks '$(SINKS)') $(if $(call on,$(JSON)),--json))
json_flag = $(if $(call on,$(JSON)),--json)
# Without Kafka the demo needs no more than packages.
demo_needs = $(if $(SINKS),$(if $(findstring kafka,$(SINKS)),setup,packages),setup)
demo_setup = $(if $(call on,$(JSON)),setup-for-json,$(demo_needs))
results = .tickline/test

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Variables: DURATION=20 (seconds, demo), RATE=5000 (messages/s, demo), SINKS=kafka,redis,grpc (demo),'
	@echo '  JSON=1 (demo, stack, bench, test-cluster), STACK=jars|docker, IMAGE=tickline:1 BASE_IMAGE=node:24-slim (image),'
	@echo '  TICKLINE_CLUSTER_IMAGE=tickline:1 TICKLINE_CLUSTER_STACK_IMAGE=tickline-test-stack:1 HELM=helm (test-cluster)'

# Quick when all is in place; every target that needs packages depends on it.
.PHONY: packages
packages:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo 'Tickline needs Node 20 or later, and npm, to install itself' >&2; exit 1; }
	@node scripts/setup-packages.mjs

.PHONY: setup
setup: packages ## install everything: npm packages, Kafka, schema registry
	@node scripts/setup.ts stack

# The same with the demo's JSON line when it fails: what is lost is 0, and unknown against the real exchanges.
.PHONY: setup-for-json
setup-for-json:
	@sh scripts/demo/setup-for-json.sh $(demo_needs) $(no_loss)
demo: no_loss = 0
live: no_loss = null

.PHONY: demo
demo: $(demo_setup) ## Kafka or SINKS=kafka,redis,grpc, simulated exchanges, two pods, one live view (DURATION=20 ends by itself)
	@node scripts/demo/main.ts $(demo_flags)

.PHONY: live
live: $(demo_setup) ## the same against the real exchanges (needs internet, no API key)
	@node scripts/demo/main.ts --live $(demo_flags)

.PHONY: stack
stack: setup ## start Kafka and the schema registry alone, in the background
	@node scripts/stack/main.ts up $(json_flag)

.PHONY: stack-down
stack-down: packages ## stop them and remove their data
	@node scripts/stack/main.ts down $(json_flag)

.PHONY: check
check: check-types check-lint check-generated check-lock ## types, lint, format, import directions, generated code

.PHONY: check-types check-lint check-generated check-lock
check-types: packages
	@echo 'check: types (tsc)'
	@tsc -p tsconfig.json
	@tsc -p services/sidecar/src/page/tsconfig.json
check-lint: packages
	@echo 'check: lint, format, import directions (biome)'
	@biome check --error-on-warnings
check-generated: packages
	@echo 'check: generated code'
	@node schemas/generate.ts --check
	@node schemas/proto/generate.ts --check
	@node services/ingestor/src/config/json-schema.ts --check
	@node scripts/chart/readme.ts --check
	@node scripts/dashboards/main.ts --check
check-lock: packages
	@echo 'check: package-lock.json'
	@node scripts/lock-file.ts --check

.PHONY: image
image: packages ## build the container image with docker, podman or buildah
	@node scripts/image/build.ts

# No part of `make test`: it needs a cluster, and images that its nodes have.
.PHONY: test-cluster
test-cluster: packages ## the chart and the image on the cluster that the kubeconfig names (docs/image.md)
	@node scripts/cluster/main.ts $(json_flag)

# Both runs always happen: a failing unit test does not hide what the integration tests say.
.PHONY: test
test: setup check ## all checks and tests
	@node scripts/setup.ts tests
	@rm -rf $(results); status=0; \
	for project in unit integration; do \
	  echo "test: $$project"; \
	  vitest run --project $$project --reporter=default --reporter=json --outputFile.json=$(results)/$$project.json || status=1; \
	done; exit $$status

.PHONY: bench
bench: setup ## throughput of the whole path into a real broker
	@node test/bench/main.ts throughput $(json_flag)

.PHONY: audit
audit: packages ## known vulnerabilities of what runs in production (asks npm's registry; no part of test)
	@node scripts/audit.ts

.PHONY: clean
clean: ## remove caches, results, local data (not the npm packages)
	@if [ -d node_modules ]; then node scripts/stack/main.ts down >&2; fi
	@rm -rf .tickline coverage
