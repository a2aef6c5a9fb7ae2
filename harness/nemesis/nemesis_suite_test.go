// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package nemesis_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestNemesis(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Nemesis")
}
