# What `make test-real` needs besides Envoy, at pinned versions. Each tool has a part of its own here: its version, the
# variable by which the tests find it, its rule. All of it goes under .tools and nowhere else.
REAL_TOOLS :=

.PHONY: test-real real-tools

test-real: build tools real-tools ## runs the tests with real control planes, containers and clients
	@$(CARGO) test -p real -- --nocapture --test-threads 1

# Without the tools of a scenario its file can still be run alone: cargo test -p real --test NAME.
real-tools: $$(REAL_TOOLS)

# The clients from npm, as tests/real/npm/package-lock.json pins them. Install scripts are not needed: the programs are
# started from the packages of their platforms. The stamp comes last, so that an interrupted install is done again.
NODE := node
NPM_CLIENTS := $(TOOLS)/npm-clients
export NODE NPM_CLIENTS
REAL_TOOLS += $(NPM_CLIENTS)/installed

$(NPM_CLIENTS)/installed: $(CURDIR)/tests/real/npm/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js (https://nodejs.org)"; exit 1; }
	@echo "Clients from npm: Claude Code, Codex, SDKs, about 700 MB"
	@mkdir -p $(@D) && cp $(CURDIR)/tests/real/npm/package.json $< $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd $(@D) && ln -sf node_modules/@anthropic-ai/claude-code-linux-*/claude node_modules/@openai/codex-linux-*/vendor/*/bin/codex .
	@touch $@

# The client libraries for Python, as tests/real/python/requirements.txt pins them: one environment for all tests.
PYTHON_CLIENTS := $(TOOLS)/python-clients
export PYTHON_CLIENTS
REAL_TOOLS += $(PYTHON_CLIENTS)/installed

$(PYTHON_CLIENTS)/installed: $(CURDIR)/tests/real/python/requirements.txt
	@echo "Client libraries for Python: anthropic, openai, LiteLLM, about 370 MB"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# Tools in Go are built from the modules under tests/real/go, which pin them and all that they need; the Go checksum database
# is asked about each. CPU seconds on a machine without any cache: crane 60, Istio 740.
COMMA := ,
define go-tool
	@command -v go >/dev/null || { echo "$(@F) is missing: install Go (https://go.dev/dl) to build it with"; exit 1; }
	@echo "$(@F): building it from the Go module proxy$(2)"
	@mkdir -p $(@D) && cd $(CURDIR)/tests/real/go/$(1) && go build -mod=readonly -trimpath -ldflags "-s -w" -o $@ $$(sed -n 's/.*_ "\(.*\/$(@F)\)"/\1/p' tools.go)
endef

CRANE := $(TOOLS)/crane/crane
export CRANE
REAL_TOOLS += $(CRANE) $(WARMPATH_IMAGE)/index.json

$(CRANE): $(CURDIR)/tests/real/go/crane/go.sum
	$(call go-tool,crane)

$(WARMPATH_IMAGE)/index.json: image
	@:

# istiod, the agent of its gateways, and the template that this makes Envoy's bootstrap from.
PILOT_DISCOVERY := $(TOOLS)/istio/pilot-discovery
PILOT_AGENT     := $(TOOLS)/istio/pilot-agent
ISTIO_BOOTSTRAP := $(TOOLS)/istio/envoy_bootstrap.json
export PILOT_DISCOVERY PILOT_AGENT ISTIO_BOOTSTRAP
REAL_TOOLS += $(PILOT_DISCOVERY) $(PILOT_AGENT) $(ISTIO_BOOTSTRAP)

$(PILOT_DISCOVERY) $(PILOT_AGENT): $(CURDIR)/tests/real/go/istio/go.sum
	$(call go-tool,istio,$(COMMA) about five minutes on two idle cores)

$(ISTIO_BOOTSTRAP): $(PILOT_AGENT)
	@cd $(CURDIR)/tests/real/go/istio && install -m 644 $$(go list -mod=readonly -m -f '{{.Dir}}' istio.io/istio)/tools/packaging/common/envoy_bootstrap.json $@

# Headless Chromium, with those of its libraries that the machine does not have, and a font: Debian packages, unpacked here and
# not installed. apt reads lists of its own here, because those of the machine may be old or absent; signatures are checked.
# Not pinned: Debian has only the newest.
CHROMIUM := $(TOOLS)/chromium/chromium
export CHROMIUM
REAL_TOOLS += $(CHROMIUM)

$(TOOLS)/chromium/unpacked: APT := apt-get --quiet=2 -o Dir::State::Lists=$(TOOLS)/chromium/lists -o Dir::Cache=$(TOOLS)/chromium/cache \
	-o Debug::NoLocking=true -o APT::Sandbox::User=$(shell id -un)
$(TOOLS)/chromium/unpacked:
	@command -v apt-get >/dev/null || { echo "Chromium is taken from Debian packages, and apt-get is missing"; exit 1; }
	@echo "Chromium: from Debian packages, about 100 MB"
	@rm -rf $(@D) && mkdir -p $(@D)/lists/partial $(@D)/cache/archives/partial $(@D)/packages
	@$(APT) update
	@cd $(@D)/packages && $(APT) download fonts-inter \
		$$($(APT) --simulate --no-install-recommends install chromium-headless-shell | awk '$$1 == "Inst" {print $$2}')
	@for package in $(@D)/packages/*.deb; do dpkg-deb --extract $$package $(@D)/root; done
	@rm -rf $(@D)/lists $(@D)/cache $(@D)/packages && touch $@

$(CHROMIUM): $(CURDIR)/tests/real/chromium/start.sh | $(TOOLS)/chromium/unpacked
	@install -m 755 $< $@

# Prometheus and promtool, unpacked from Debian's package of the machine's own release (2.42 in bookworm, 2.53 in trixie), and
# not installed. apt reads lists of its own here, because those of the machine may be old or absent; signatures are checked.
PROMETHEUS := $(TOOLS)/prometheus
export PROMETHEUS
REAL_TOOLS += $(PROMETHEUS)/unpacked

$(PROMETHEUS)/unpacked: APT := apt-get --quiet=2 -o Dir::State::Lists=$(PROMETHEUS)/lists \
	-o Dir::Cache=$(PROMETHEUS)/cache -o APT::Sandbox::User=
$(PROMETHEUS)/unpacked:
	@command -v apt-get >/dev/null || { echo "Prometheus is taken from a Debian package, and apt-get is missing"; exit 1; }
	@echo "Prometheus: unpacking Debian's package, about 20 MB"
	@rm -rf $(@D) && mkdir -p $(@D)/lists/partial $(@D)/cache/archives/partial
	@$(APT) update
	@cd $(@D) && $(APT) download prometheus && dpkg -x prometheus_*.deb $(@D)
	@rm -rf $(@D)/lists $(@D)/cache $(@D)/*.deb && touch $@

# A Debian of its own with Docker, compose and Prometheus, for the compose file: nothing of it is installed on the machine.
# Images cannot be pulled in the tests; they are made from this tree. About 900 MB.
DOCKER_ROOM        := $(TOOLS)/docker-trixie
WARMPATH_SIMULATOR := $(CARGO_TARGET_DIR)/debug/simulator
export DOCKER_ROOM WARMPATH_SIMULATOR
REAL_TOOLS += $(DOCKER_ROOM)/installed $(WARMPATH_SIMULATOR)

$(DOCKER_ROOM)/installed:
	@echo "Docker, compose and Prometheus: installing them from Debian into $(@D)"
	@rm -rf $(@D) $(@D).debootstrap && mkdir -p $(@D).debootstrap
	@cd $(@D).debootstrap && apt-get download -qq debootstrap 2>/dev/null && dpkg -x debootstrap_*.deb .
	@DEBOOTSTRAP_DIR=$(@D).debootstrap/usr/share/debootstrap unshare --mount $(@D).debootstrap/usr/sbin/debootstrap --variant=minbase \
		--include=docker.io,docker-cli,docker-compose,iptables,ca-certificates,prometheus,curl trixie $(@D) http://deb.debian.org/debian > $(@D).debootstrap/log 2>&1 || \
		{ tail -5 $(@D).debootstrap/log; exit 1; }
	@rm -rf $(@D).debootstrap && touch $@

.PHONY: $(WARMPATH_SIMULATOR)
$(WARMPATH_SIMULATOR):
	@$(CARGO) build --quiet -p simulator

ENVOY_GATEWAY := $(TOOLS)/envoy-gateway/envoy-gateway
export ENVOY_GATEWAY
REAL_TOOLS += $(ENVOY_GATEWAY)

$(ENVOY_GATEWAY): $(CURDIR)/tests/real/go/gateway/go.sum
	$(call go-tool,gateway,$(COMMA) about four minutes on two idle cores)
