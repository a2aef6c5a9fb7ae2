// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package chaos_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestChaos(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Chaos")
}
