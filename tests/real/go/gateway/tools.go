//go:build tools

// Package gateway pins Envoy Gateway for the tests.
package gateway

import _ "github.com/envoyproxy/gateway/cmd/envoy-gateway"
