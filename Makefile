# Every target is what a person would type; the work is in .ci/*.sh and in cargo.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export LOCARD_SHARED ?= $(abspath $(CURDIR)/../shared)
CARGO_FLAGS := --locked

.PHONY: run test build bench soak console deps lint unit fmt clean help

help:            ## list the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

run: build       ## build and start everything on this machine, with a demo incident to investigate
	./target/release/locard up --demo --data .data

build: deps console ## console and release binaries
	cargo build --release $(CARGO_FLAGS) --bins

test: deps console ## everything CI checks, offline after `make deps`
	.ci/test.sh

bench: $(if $(LOCARD_BIN),deps,build) ## the shared workload, every answer checked: FULL=1, EVENTS=n, see docs/bench.md
	python3 tests/bench/main.py

soak: deps       ## inputs that nobody thought of, random cases and kills, for longer: SOAK_SECONDS=60 a target, docs/testing.md
	.ci/soak.sh

deps:            ## every download, cached: Debian packages, crates, node modules, cargo tools
	@.ci/deps.sh

console: deps    ## the web console, into ui/web/dist
	@.ci/console.sh

lint: console    ## formatting, clippy, licences
	.ci/test.sh lint

unit: console    ## build and run all tests without the lints
	.ci/test.sh unit

fmt:             ## format the Rust code
	cargo fmt --all

clean:           ## remove build products and the demo data
	rm -rf target ui/web/dist .data
