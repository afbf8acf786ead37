// Package conformance runs the Gateway API's own conformance suite against the mesh that KUBECONFIG names.
//
// The suite, its manifests and its flags come from the published module: see `make conformance`.
package conformance

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

func TestConformance(t *testing.T) {
	conformance.RunConformance(t)
}
