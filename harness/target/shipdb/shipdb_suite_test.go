package main_test

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
)

// TestShipdb runs the specs of this package.
func TestShipdb(t *testing.T) {
	if _, is := theirBug(); is {
		t.Skip("TestRecovery runs the suite")
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Shipdb")
}

// theirBug is the bug of the shipdb on which TestRecovery runs the suite, and whether it does so.
func theirBug() (bug string, is bool) { return os.LookupEnv("SHIPDB_BUG") }

// ours declares specs of this package, which run where the suite does not.
func ours(text string, args ...any) bool {
	if _, is := theirBug(); is {
		return false
	}
	return Describe(text, append(args, Offset(1))...)
}

const patience = SpecTimeout(2 * time.Minute)

// binary is the path of the program, which the environment variable SHIPDB may give.
var binary string

var _ = SynchronizedBeforeSuite(func() []byte {
	if built := os.Getenv("SHIPDB"); built != "" {
		return []byte(built)
	}
	built, err := gexec.Build("github.com/rejoin-db/rejoin/harness/target/shipdb")
	Expect(err).NotTo(HaveOccurred())
	return []byte(built)
}, func(built []byte) { binary = string(built) })

var _ = SynchronizedAfterSuite(func() {}, gexec.CleanupBuildArtifacts)
