package hosts_test

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Environment variables that make this test program something else: see TestMain and newNetwork.
const (
	runnerVariable = "REJOIN_TEST_RUNNER" // a runner that is to be killed
	againVariable  = "REJOIN_TEST_AGAIN"  // the specs once more, in another way
	vethVariable   = "REJOIN_TEST_VETH"   // with veth pairs in place of TUN devices
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(runnerVariable); dir != "" {
		runner(dir)
	}
	os.Exit(m.Run())
}

func TestHosts(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Hosts")
}
