# What `make test-real` needs besides Envoy, at pinned versions. Each tool has a part of its own here: its version, the
# variable by which the tests find it, its rule. All of it goes under .tools and nowhere else.
REAL_TOOLS :=

.PHONY: test-real real-tools

test-real: build tools real-tools ## runs the tests with real control planes, containers and clients: the second half of CI
	@$(CARGO) test -p real --no-fail-fast -- --nocapture --test-threads 1

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
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
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

# apt with lists of its own in this folder, because those of the machine may be old or absent; signatures are checked.
own-apt = apt-get --quiet=2 -o Dir::State::Lists=$(1)/lists -o Dir::Cache=$(1)/cache -o Debug::NoLocking=true -o APT::Sandbox::User=
define own-apt-update
	@command -v apt-get >/dev/null || { echo "$(2) comes from Debian packages, and apt-get is missing"; exit 1; }
	@echo "$(2): from Debian packages, about $(3) MB"
	@rm -rf $(1) && mkdir -p $(1)/lists/partial $(1)/cache/archives/partial
	@$(call own-apt,$(1)) update
endef

# Headless Chromium, with those of its libraries that the machine does not have, and a font: unpacked here and not installed. Not
# pinned: Debian has only the newest.
CHROMIUM := $(TOOLS)/chromium/chromium
export CHROMIUM
REAL_TOOLS += $(CHROMIUM)

$(TOOLS)/chromium/unpacked:
	$(call own-apt-update,$(@D),Chromium,100)
	@mkdir $(@D)/packages && cd $(@D)/packages && $(call own-apt,$(@D)) download fonts-inter \
		$$($(call own-apt,$(@D)) --simulate --no-install-recommends install chromium-headless-shell | awk '$$1 == "Inst" {print $$2}')
	@for package in $(@D)/packages/*.deb; do dpkg-deb --extract $$package $(@D)/root; done
	@rm -rf $(@D)/lists $(@D)/cache $(@D)/packages && touch $@

$(CHROMIUM): $(CURDIR)/tests/real/chromium/start.sh | $(TOOLS)/chromium/unpacked
	@install -m 755 $< $@

# Prometheus and promtool, from the package of the machine's own release (2.42 in bookworm, 2.53 in trixie), unpacked here and not
# installed.
PROMETHEUS := $(TOOLS)/prometheus
export PROMETHEUS
REAL_TOOLS += $(PROMETHEUS)/unpacked

$(PROMETHEUS)/unpacked:
	$(call own-apt-update,$(@D),Prometheus,20)
	@cd $(@D) && $(call own-apt,$(@D)) download prometheus && dpkg -x prometheus_*.deb $(@D)
	@rm -rf $(@D)/lists $(@D)/cache $(@D)/*.deb && touch $@

# A Debian of its own with Docker, compose and Prometheus, for the compose file: nothing of it is installed on the machine.
# Images cannot be pulled in the tests; they are made from this tree. About 900 MB.
DOCKER_ROOM        := $(TOOLS)/docker-trixie
WARMPATH_SIMULATOR := $(CARGO_TARGET_DIR)/debug/simulator
export DOCKER_ROOM WARMPATH_SIMULATOR
REAL_TOOLS += $(DOCKER_ROOM)/installed $(WARMPATH_SIMULATOR)

$(DOCKER_ROOM)/installed:
	@rm -rf $(@D)
	$(call own-apt-update,$(@D).debootstrap,Docker$(COMMA) compose and Prometheus,300)
	@cd $(@D).debootstrap && $(call own-apt,$(@D).debootstrap) download debootstrap && dpkg -x debootstrap_*.deb .
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
