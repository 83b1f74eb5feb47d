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
	@echo "make test-long         2,000 kills, a fault at every write, 1,000 hostile peers: before a release"
	@echo "make sim               simulated crashes; COUNT seeds from SEED on (1,000 from 1)"
	@echo "make oracle            the engine beside a model of the semantics, COUNT seeds of STEPS"
	@echo "make soak              all of that for HOURS (8), with new seeds in each round"
	@echo "make fuzz              what nobody has checked, for SECONDS each (60), TARGET only"
	@echo "make mutants           faults put into the engine: each must be seen by its checker"
	@echo "make conformance       the protocol's cases against the engine and libholdfast"
	@echo "make build             the release binary, libholdfast"
	@echo "make install PREFIX=/usr/local"
	@echo "make wheel             the Python SDK with the engine inside, for pip install"
	@echo "make wheel-test        that wheel, alone in an empty environment"
	@echo "make size              the release binary's size, libraries and idle memory; with limits"
	@echo "make bench             throughput, latency, commits, beside the device's own sync time; a"
	@echo "                       million idle workflows whose timers fire at once; a history of"
	@echo "                       50,000 events"
	@echo "make bench-backup      what backups cost those who work meanwhile"
	@echo "make overload          ten times the load that it can take: what is left of the throughput"
	@echo "make backlog           what it costs that WORKFLOWS (200,000) wait for a worker: memory, time"
	@echo "make format            rewrite the sources in the house style"
	@echo "make generate          make the generated code anew from proto/"

setup:
	@./scripts/setup

build: setup
	$(SWIFT_BUILD) -c release --static-swift-stdlib --product holdfast
	$(MAKE) -C clients/c

# clients/python/dist/holdfast-*.whl: the engine, libholdfast and the SDK, with all that they need.
# The linker is told to look into STATIC first, and finds nothing but archives there.
STATIC = $(abspath $(SCRATCH))/static
LIBRARIES = /usr/lib/$(shell $(CC) -print-multiarch)
WHEEL_BUILD = swift build --scratch-path $(SCRATCH)/wheel --pkg-config-path $(STATIC) -c release

wheel: python
	mkdir -p $(STATIC)
	ln -sf $(LIBRARIES)/libuv_a.a $(STATIC)/libuv.a
	ln -sf $(LIBRARIES)/libsqlite3.a $(LIBRARIES)/libprotobuf-c.a $(STATIC)
	for name in libuv sqlite3; do \
	  sed 's|^libdir=.*|libdir=$(STATIC)|' $(LIBRARIES)/pkgconfig/$$name.pc \
	    > $(STATIC)/$$name.pc || exit 1; done
	$(WHEEL_BUILD) --static-swift-stdlib --product holdfast
	$(MAKE) -C clients/python wheel ENGINE=$$($(WHEEL_BUILD) --show-bin-path)/holdfast

wheel-test: wheel
	$(MAKE) -C clients/python wheel-test

UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system

install: build install-unit
	install -D -s -m 755 $$($(SWIFT_BUILD) -c release --show-bin-path)/holdfast \
	  $(DESTDIR)$(PREFIX)/bin/holdfast
	$(MAKE) -C clients/c install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

install-unit:
	@mkdir -p $(UNITS)
	for unit in holdfast.service holdfast-backup.service holdfast-backup.timer; do \
	  sed 's|@PREFIX@|$(PREFIX)|' packaging/$$unit > $(UNITS)/$$unit || exit 1; done

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
	$(MAKE) -C clients/python lint
	$(SWIFT_BUILD) --build-tests
	HOLDFAST_BIN=$$($(SWIFT_BUILD) --show-bin-path)/holdfast \
	  $(VENV)/bin/python -m pytest -q clients/python/tests

# The same behaviours when each task is run from the history, and when things go wrong.
test-python-modes: python
	$(SWIFT_BUILD) --build-tests
	for mode in uncached chaos; do \
	  HOLDFAST_BIN=$$($(SWIFT_BUILD) --show-bin-path)/holdfast \
	    $(VENV)/bin/python -m pytest -q clients/python/tests/semantics --mode $$mode || exit 1; done

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
	$(MAKE) -C clients/python venv
	$(MAKE) -C clients/conformance client-python ARGS="$(ARGS)"

# The same tests, at the sizes that a release is held to.
test-long: setup
	$(SWIFT_BUILD) --build-tests
	$(SWIFT_TEST) --skip EndToEndTests --skip HoldfastTests
	HOLDFAST_EVICTIONS=10000 $(SWIFT_TEST) --filter HoldfastTests
	HOLDFAST_KILLS=2000 HOLDFAST_FAULTS=1 HOLDFAST_HOSTILE=1000 HOLDFAST_RACES=1000 \
	  HOLDFAST_HERD=100000 $(SWIFT_TEST) --filter EndToEndTests
	$(MAKE) conformance
	$(MAKE) test-python-modes
	$(MAKE) mutants
	$(MAKE) oracle
	$(MAKE) sim
	$(MAKE) fuzz
	$(MAKE) -C clients/c fuzz

# With seeds of its own in each round, until HOURS are over or something fails.
HOURS ?= 8

soak: setup python
	scripts/soak $(HOURS)

COUNT ?= 1000
SEED ?= 1
JOBS ?= $(shell nproc)

# Each seed is run in two processes, whose sets and dictionaries have other orders; the hash of the
# range is the same with any number of JOBS. A seed that fails is replayed with
# `holdfast-sim --seed N --trace`.
sim: setup
	$(SWIFT_BUILD) -c release --product holdfast-sim
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && \
	  $$bin/holdfast-sim --seeds $(COUNT) --seed $(SEED) --jobs $(JOBS)

# A build of its own, in which faults can be put into the engine: no other holds them.
mutants: setup
	swift build --scratch-path $(SCRATCH)-mutants -c release -Xswiftc -DMUTANTS \
	  --product holdfast-sim
	$(SCRATCH)-mutants/release/holdfast-sim mutants

SECONDS ?= 60

fuzz: setup
	scripts/fuzz $(SECONDS) $(TARGET)

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
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && $(SLOWER) $$bin/holdfast-bench $$bin \
	  && $(SLOWER) $$bin/holdfast-bench idle $$bin && $$bin/holdfast-bench long

bench-backup: setup
	$(SWIFT_BUILD) -c release --product holdfast
	$(SWIFT_BUILD) -c release --product holdfast-bench
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && $(SLOWER) $$bin/holdfast-bench backup $$bin

# DELAY_US=1000: as on a disk whose syncs take a millisecond longer.
ifdef DELAY_US
bench bench-backup overload backlog: $(SCRATCH)/slower.so
SLOWER = env LD_PRELOAD=$(abspath $(SCRATCH))/slower.so SYNC_DELAY_US=$(DELAY_US)
endif

$(SCRATCH)/slower.so: Tests/DiskFaults/preload.c
	@mkdir -p $(SCRATCH)
	$(CC) -shared -fPIC -O1 -Wall -Werror -o $@ $< -ldl

overload: setup
	$(SWIFT_BUILD) -c release --product holdfast
	$(SWIFT_BUILD) -c release --product holdfast-bench
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && $(SLOWER) $$bin/holdfast-bench overload $$bin

backlog: setup
	$(SWIFT_BUILD) -c release --product holdfast
	$(SWIFT_BUILD) -c release --product holdfast-bench
	bin=$$($(SWIFT_BUILD) -c release --show-bin-path) && $(SLOWER) $$bin/holdfast-bench backlog $$bin $(WORKFLOWS)

size: setup
	SCRATCH=$(SCRATCH) ./scripts/size

generate: setup
	./proto/generate

format: setup
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)
	find clients/c clients/swift/Sources -name generated -prune -o \( -name '*.[ch]' -print \) | grep -v build/ \
	  | xargs clang-format -i

.PHONY: help setup build wheel wheel-test install install-unit demo python test test-tidy test-swift \
  test-c test-python test-python-modes test-conformance \
  conformance test-long soak sim oracle mutants fuzz bench bench-backup overload backlog size \
  generate format
