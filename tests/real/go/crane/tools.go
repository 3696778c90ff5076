//go:build tools

// Package crane pins the tool that makes the plugin's image.
package crane

import _ "github.com/google/go-containerregistry/cmd/crane"
