# The two commands of the README are `make demo` and `make test`; both do their own set-up.
CONFIG ?= debug
SCRATCH ?= .build
BIN = $(shell swift build --scratch-path $(SCRATCH) -c $(CONFIG) --show-bin-path 2>/dev/null)
PREFIX ?= /usr/local
SWIFT_BUILD = swift build --scratch-path $(SCRATCH)
# Tests of real processes have runs of their own: tests that only compute would keep the threads from
# those that wait, and two ways to wait for children do not mix.
SWIFT_TEST = swift test --scratch-path $(SCRATCH) --skip-build
VENV = clients/python/.venv

help:
	@echo "make demo              three hundred orders, an engine and workers killed under way"
	@echo "make test              everything that a change must pass"
	@echo "make test-long         fifty kills, ten thousand evictions: before a release"
	@echo "make sim               simulated crashes; COUNT seeds from SEED on (1,000 from 1)"
	@echo "make oracle            the engine beside a model of it; STEPS of each of COUNT seeds"
	@echo "make conformance       the protocol's cases against the engine and libholdfast"
	@echo "make build             the release binary, libholdfast"
	@echo "make install PREFIX=/usr/local"
	@echo "make size              the release binary's size, libraries and idle memory; with limits"
	@echo "make bench             throughput, latency, commits, beside the device's own sync time"
	@echo "make format            rewrite the sources in the house style"
	@echo "make generate          make the generated code anew from proto/"

setup:
	@./scripts/setup

build: setup
	$(SWIFT_BUILD) -c release --static-swift-stdlib --product holdfast
	$(MAKE) -C clients/c

install: build
	install -D -s -m 755 $$($(SWIFT_BUILD) -c release --show-bin-path)/holdfast \
	  $(DESTDIR)$(PREFIX)/bin/holdfast
	$(MAKE) -C clients/c install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

demo: setup python
	$(SWIFT_BUILD) -c release --product holdfast
	$(SWIFT_BUILD) -c release --product order-worker
	$(SWIFT_BUILD) -c release --product order-demo
	$(MAKE) -C clients/c
	$(MAKE) -C examples/order-saga/payments
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && \
	  $$bin/order-demo $$bin $(VENV)/bin/python examples/order-saga $(SCRATCH)/demo

python: setup
	$(MAKE) -C clients/c
	$(MAKE) -C clients/python venv

test: setup test-tidy test-swift test-c test-python test-conformance
	./proto/generate --check

SWIFT_SOURCES = Sources Tests clients/swift examples Package.swift

test-tidy: setup
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

test-swift: setup
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) --skip EndToEndTests --skip HoldfastTests
	$(SWIFT_TEST) --filter HoldfastTests
	$(SWIFT_TEST) --filter EndToEndTests

test-c: setup
	$(MAKE) -C clients/c test
	$(MAKE) -C clients/c test-sanitize
	$(MAKE) -C examples/order-saga/payments test

test-python: python
	$(SWIFT_BUILD) --build-tests
	HOLDFAST_BIN=$$($(SWIFT_BUILD) --show-bin-path)/holdfast \
	  $(VENV)/bin/python -m pytest -q clients/python/tests

test-conformance:
	$(MAKE) conformance ARGS=--quick

# ENGINE=/path/to/holdfast runs them against another engine; ARGS=--quick leaves out slow ones.
conformance: setup
	$(MAKE) -C clients/conformance test
ifndef ENGINE
	$(SWIFT_BUILD) --build-tests
endif
	$(MAKE) -C clients/conformance engine ARGS="$(ARGS)" \
	  ENGINE=$(or $(ENGINE),$$($(SWIFT_BUILD) --show-bin-path)/holdfast)
	$(MAKE) -C clients/c
	$(MAKE) -C clients/conformance client ARGS="$(ARGS)"

# The same tests, at the sizes that a release is held to.
test-long: setup
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) --skip EndToEndTests --skip HoldfastTests
	HOLDFAST_EVICTIONS=10000 $(SWIFT_TEST) --filter HoldfastTests
	HOLDFAST_KILLS=50 $(SWIFT_TEST) --filter EndToEndTests

COUNT ?= 1000
SEED ?= 1

# A seed that fails is replayed with `holdfast-sim --seed N --trace`.
sim: setup
	$(SWIFT_BUILD) -c release --product holdfast-sim
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && \
	  $$bin/holdfast-sim --seeds $(COUNT) --seed $(SEED)

STEPS ?= 10000
oracle: COUNT = 100

# A seed that differs is replayed with `holdfast-sim oracle --seed N --steps N --trace`.
oracle: setup
	$(SWIFT_BUILD) -c release --product holdfast-sim
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && \
	  $$bin/holdfast-sim oracle --seeds $(COUNT) --seed $(SEED) --steps $(STEPS)

bench: setup
	$(SWIFT_BUILD) -c release --product holdfast
	$(SWIFT_BUILD) -c release --product holdfast-bench
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && $$bin/holdfast-bench $$bin

size: setup
	SCRATCH=$(SCRATCH) ./scripts/size

generate: setup
	./proto/generate

format: setup
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)
	find clients/c -name generated -prune -o \( -name '*.[ch]' -print \) | grep -v build/ \
	  | xargs clang-format -i

.PHONY: help setup build install demo python test test-tidy test-swift test-c test-python test-conformance \
  conformance test-long sim oracle bench size generate format
