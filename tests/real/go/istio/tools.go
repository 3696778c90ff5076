//go:build tools

// Package istio pins Istio's control plane and its agent for the tests. Their own pins are partly missing on the module
// proxy, so go.mod raises those to the nearest that are there.
package istio

import (
	_ "istio.io/istio/pilot/cmd/pilot-agent"
	_ "istio.io/istio/pilot/cmd/pilot-discovery"
)
