package main_test

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
)

func TestShipdb(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Shipdb")
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
