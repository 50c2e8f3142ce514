# The two commands a newcomer needs are `make demo` and `make test`. Both install what is missing and say so;
# both work a second time without network.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CARGO ?= cargo
# One profile for everything: the service's dependencies (FAISS among them) are then compiled once.
PROFILE := --release --locked
export LIKENESS := target/release/likeness
ifdef CARGO_TARGET_DIR
export LIKENESS := $(CARGO_TARGET_DIR)/release/likeness
endif

.PHONY: help setup build demo test lint doc kernels bench clean-demo

help:            ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:           ## install system packages that are missing, build, fetch the default model pack
	@scripts/system-packages
	$(CARGO) build $(PROFILE) --bins
	@$(LIKENESS) models pull

build:           ## build everything
	@scripts/system-packages
	$(CARGO) build $(PROFILE) --workspace --all-targets

demo: setup      ## a whole working service on synthetic persons, in ./demo
	@scripts/demo demo

test: setup      ## every test
	@scripts/test

lint:            ## formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(PROFILE) --workspace --all-targets -- -D warnings

doc:             ## documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(PROFILE) --workspace --no-deps --document-private-items

kernels:         ## the unsafe code under sanitizers, in Miri and, for 64-bit Arm, in qemu (says what it lacks)
	@scripts/kernels

bench: setup     ## every benchmark of benches/README.md, and its page (an hour; wants a quiet machine)
	@scripts/bench

clean-demo:      ## remove ./demo
	rm -rf demo
