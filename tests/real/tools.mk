# What `make test-real` needs besides Envoy, at pinned versions. Each tool has a part of its own here: its version, the
# variable by which the tests find it, its rule. All of it goes under .tools and nowhere else.
REAL_TOOLS :=

.PHONY: test-real real-tools

test-real: build tools real-tools ## runs the tests with real control planes, containers and clients
	@$(CARGO) test -p real -- --nocapture --test-threads 1

# Without the tools of a scenario its file can still be run alone: cargo test -p real --test NAME.
real-tools: $$(REAL_TOOLS)
