# The only entry points a newcomer needs. Each sets up what it needs and says what it is doing; none needs
# root. The work is in scripts/, a page each.
SHELL := /bin/bash

# Where `make install` puts things; DESTDIR may stand before it.
PREFIX ?= /usr/local

# Which real sidecars `make test` installs; tests of a sidecar that is not there are skipped.
SIDECARS ?= envoy cloud-sql-proxy prometheus pushgateway statsd-exporter

.PHONY: help build install uninstall book bench bench-kube soak demo test test-shipped test-all e2e images dist lint audit msrv macos miri fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the static release binary for this machine
	@scripts/build >/dev/null

install: ## the binary (make build), its man page and completions below PREFIX=/usr/local; builds nothing
	@scripts/install "$(PREFIX)"

uninstall: ## removes them again
	@scripts/install -r "$(PREFIX)"

demo: ## three jobs beside a real Envoy and a real Cloud SQL proxy, each with its timeline
	@command -v python3 >/dev/null || { echo 'demo: python3 is missing, which it is written in (Debian: apt-get install python3 python3-pip)' >&2; exit 1; }
	@demo/run

test: ## all tests but those of sidecars that are slow to build; SIDECARS="envoy" names fewer
	@scripts/test $(SIDECARS)

test-shipped: ## the same on the binary as it ships, whose standard library is built anew
	@scripts/test --shipped $(SIDECARS)

test-all: ## all tests, with every sidecar that can be had, Helm and kustomize
	@LASTOUT_TEST_ALL=1 scripts/test $(SIDECARS) alloydb-auth-proxy pilot-agent dapr ghostunnel vault-agent

e2e: ## end-to-end tests on the cluster that kubectl talks to (kind, k3d, minikube; others: scripts/e2e); E2E="job" runs fewer
	@scripts/e2e $(E2E)

images: ## the scratch image for amd64 and arm64, by buildah, podman, docker or none; ENGINE=podman chooses
	@scripts/images

dist: ## release tarballs, packages, bills of materials, images, SHA256SUMS, in target/dist; scripts/dist check builds twice
	@scripts/dist

bench: ## start-up, memory and latency beside other inits, in target/bench; BENCH="--quick" and more: benches/run -h
	@benches/run $(BENCH)

bench-kube: ## kubectl-lastout beside conftest, kubectl's YAML library and a webhook in Go, in target/bench; BENCH="--quick" and more: benches/kube/run -h
	@benches/kube/run $(BENCH)

soak: ## lastout for an hour: signals, orphans, whole lives, groups, admissions; 1 if anything grows or is lost; SOAK="--minutes 1" and more: benches/soak/run -h
	@benches/soak/run $(SOAK)

book: ## docs/ as web pages, in target/book, by mdBook, which is built the first time; and their links
	@scripts/links
	@scripts/book

lint: ## formatting, clippy, the scripts, the book and its links, warnings are errors
	@scripts/lint

audit: ## licences, duplicates, sources and advisories of the dependencies, by cargo-deny (deny.toml)
	@scripts/audit

msrv: ## builds everything with the oldest Rust that Cargo.toml promises
	@scripts/msrv

macos: ## checks that kubectl-lastout compiles for macOS
	@scripts/macos

miri: ## undefined behaviour in the core and the allocators: their tests in Miri; needs a nightly Rust, and takes long
	@scripts/miri

fuzz: ## each fuzz target for a minute; FUZZ="3600 spec reader": these two for an hour each
	@scripts/fuzz $(FUZZ)

clean: ## remove what was built here; the cache of sidecars and tools stays
	cargo clean
	@echo "kept: $$(scripts/sidecars dir) and $$(scripts/tools dir) (installed; remove the folders to get that space back)"
